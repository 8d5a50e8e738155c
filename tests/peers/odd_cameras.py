"""Cameras that misbehave on purpose: small TCP servers for what no well-made server would do."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable


class OddCamera:
    """Listens on 127.0.0.1 and lets `behave(connection)` do what it likes with each connection, in its own thread."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._behave = behave
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.connections = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._behave(connection)
        except OSError:
            return

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._server.close()
        for connection in self._open:
            connection.close()

    def __enter__(self) -> OddCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def says_nothing(connection: socket.socket) -> None:
    """Reads for ever, answers never."""
    while connection.recv(4096):
        pass


def relay(to_port: int, change: Callable[[bytes, int], bytes | None]) -> Callable[[socket.socket], None]:
    """A man in the middle of a real server: `change(data, bytes so far)` gives what the client gets; None ends it."""

    def behave(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", to_port)) as server:
            threading.Thread(target=_copy, args=(client, server), daemon=True).start()
            sent = 0
            while data := server.recv(65536):
                changed = change(data, sent)
                if changed is None:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(changed)
                sent += len(data)

    return behave


def flipping(seed: int, share: float, after: int = 4000) -> Callable[[bytes, int], bytes]:
    """For `relay`: a bit flips in that share of the bytes that come `after` so many, the same ones for each seed."""
    rng = random.Random(seed)

    def change(data: bytes, sent: int) -> bytes:
        changed = bytearray(data)
        at = max(0, after - sent)
        while share and (at := at + int(rng.expovariate(share))) < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
            at += 1
        return bytes(changed)

    return change


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
