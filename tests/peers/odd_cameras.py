"""Cameras that misbehave on purpose: small TCP servers for what no well-made server would do."""

from __future__ import annotations

import contextlib
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


def only_reports(connection: socket.socket) -> None:
    """RTSP over UDP that plays, but sends no video: only empty receiver reports (RFC 3550 §6.4.2), five a second."""
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    sdp += "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track\r\n"
    reports = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    reports.bind(("127.0.0.1", 0))
    own = reports.getsockname()[1]
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            if not (more := connection.recv(4096)):
                return
            received += more
        head, _, received = received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        said = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        verb, headers, body = lines[0].split()[0], [f"CSeq: {said['cseq']}", "Session: 1"], ""
        if verb == "SETUP" and "client_port" not in said["transport"]:
            connection.sendall(f"RTSP/1.0 461 Unsupported Transport\r\n{headers[0]}\r\n\r\n".encode())
            continue
        if verb == "DESCRIBE":
            headers += ["Content-Type: application/sdp", f"Content-Length: {len(sdp)}"]
            body = sdp
        elif verb == "SETUP":
            ports = said["transport"].partition("client_port=")[2].split(";")[0]
            to = int(ports.split("-")[1])
            headers.append(f"Transport: RTP/AVP/UDP;unicast;client_port={ports};server_port={own - 1}-{own}")
        connection.sendall("\r\n".join(["RTSP/1.0 200 OK", *headers, "", body]).encode())
        if verb == "PLAY":
            break
    connection.settimeout(0.2)
    while True:
        reports.sendto(b"\x80\xc9\x00\x01\x00\x00\x00\x01", ("127.0.0.1", to))
        with contextlib.suppress(TimeoutError):
            if not connection.recv(4096):
                return
