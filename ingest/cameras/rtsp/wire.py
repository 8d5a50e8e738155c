"""One TCP or TLS connection on the running loop: awaited while the two ends still talk, drained once pictures flow."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import ssl
import sys
from collections.abc import Callable

from ...errors import Lost, Unreachable

READ_BYTES = 1 << 16
_recv = ctypes.PyDLL(None, use_errno=True).recv if os.name == "posix" else None
"""recv(2) that keeps the interpreter's lock: a read that waits for nothing takes microseconds, and to get the lock back
from the threads that decode costs several times as much."""
if _recv is not None:
    _recv.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    _recv.restype = ctypes.c_ssize_t
_THROWN_AWAY = socket.MSG_TRUNC if sys.platform == "linux" else 0
"""Of TCP, Linux then drops what has come without copying it (tcp(7)); elsewhere it is read."""
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """A connected, non-blocking socket. Not thread-safe: the loop's thread owns it."""

    def __init__(self, sock: socket.socket, shown: str) -> None:
        self._sock = sock
        self._shown = shown
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self.in_records = isinstance(sock, ssl.SSLSocket)
        """TLS: one read gives one record at most, however much has come."""
        self.recv_into: Callable[[memoryview], int] = sock.recv_into
        """Non-blocking; 0 at the end. Raises what `drained_dry` tells apart from a broken connection."""
        self._number = -1 if self.in_records or _recv is None else sock.fileno()

    def read(self, view: memoryview, address: int, start: int) -> int:
        """As `recv_into` of `view[start:]`; `address` is where `view` lies in memory."""
        if self._number < 0:
            return self.recv_into(view[start:])
        return self._received(address + start, len(view) - start, 0)

    def throw_away(self, view: memoryview, address: int) -> int:
        """As `read` of nothing but the count; what `view` holds afterwards is undefined."""
        if self._number < 0:
            return self.recv_into(view)
        return self._received(address, len(view), _THROWN_AWAY)

    def _received(self, address: int, size: int, flags: int) -> int:
        assert _recv is not None
        got: int = _recv(self._number, address, size, flags)
        if got < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return got

    @property
    def local_address(self) -> str:
        """Our own address on this connection."""
        return str(self._sock.getsockname()[0])

    @property
    def peer_address(self) -> str:
        """The other end's address."""
        return str(self._sock.getpeername()[0])

    async def receive(self) -> bytes:
        """Some bytes; raises Lost at the end."""
        while True:
            try:
                data = self._sock.recv(READ_BYTES)
            except _NOT_NOW as error:
                await self._wait(writable=isinstance(error, ssl.SSLWantWriteError))
                continue
            except OSError as error:
                raise Lost(f"{self._shown}: the connection broke ({error.strerror or error})") from None
            if not data:
                raise Lost(f"{self._shown}: the camera ended the connection")
            return data

    def send(self, data: bytes) -> None:
        """Send now what the socket takes, the rest with the next `send` or `flush`. Raises Lost."""
        self._unsent += data
        try:
            sent = self._sock.send(self._unsent)
        except _NOT_NOW:
            return
        except OSError as error:
            raise Lost(f"{self._shown}: the connection broke ({error.strerror or error})") from None
        del self._unsent[:sent]

    async def flush(self) -> None:
        """Until everything is sent."""
        while self._unsent:
            await self._wait(writable=True)
            self.send(b"")

    def close(self) -> None:
        """Let go of the socket; any number of times."""
        self._number = -1
        self._sock.close()

    async def _wait(self, writable: bool) -> None:
        done = self._loop.create_future()
        number = self._sock.fileno()
        if number < 0:
            raise Lost(f"{self._shown}: closed")
        add, remove = (
            (self._loop.add_writer, self._loop.remove_writer)
            if writable
            else (self._loop.add_reader, self._loop.remove_reader)
        )
        add(number, _settle, done)
        try:
            await done
        finally:
            remove(number)

    async def shake_hands(self) -> None:
        """The TLS handshake, where this is a TLS socket."""
        while isinstance(self._sock, ssl.SSLSocket):
            try:
                self._sock.do_handshake()
                return
            except ssl.SSLWantReadError:
                await self._wait(writable=False)
            except ssl.SSLWantWriteError:
                await self._wait(writable=True)
            except ssl.SSLCertVerificationError:
                hint = "end the URL with #insecure to accept it"
                raise Unreachable(f"{self._shown}: its certificate is not trusted; {hint}") from None
            except OSError as error:
                raise Unreachable(f"{self._shown}: no TLS ({error.strerror or error})") from None


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def drained_dry(error: OSError) -> bool:
    """Whether `recv_into` only had nothing more to give."""
    return isinstance(error, _NOT_NOW)


async def connect(host: str, port: int, shown: str, tls: ssl.SSLContext | None = None) -> Wire:
    """Connect; the caller bounds the time. Raises Unreachable in words."""
    loop = asyncio.get_running_loop()
    sock = None
    try:
        family, kind, proto, _, address = (await _addresses(loop, host, port))[0]
        sock = socket.socket(family, kind, proto)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(sock, address)
        if tls is not None:
            sock = tls.wrap_socket(sock, do_handshake_on_connect=False, server_hostname=host)
        wire = Wire(sock, shown)
        await wire.shake_hands()
        return wire
    except (socket.gaierror, UnicodeError):  # a name of letters or dots that no host can have
        _close(sock)
        raise Unreachable(f"{shown}: host name {host!r} is unknown") from None
    except OSError as error:
        _close(sock)
        words = os.strerror(error.errno) if error.errno else str(error)
        raise Unreachable(f"{shown}: {words.lower()}") from None
    except BaseException:
        _close(sock)
        raise


Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


async def _addresses(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[Address]:
    """Numbers need no resolver, and so no thread."""
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except socket.gaierror:
        return list(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _close(sock: socket.socket | None) -> None:
    if sock is not None:
        sock.close()
