"""The port that the hub serves on."""

from __future__ import annotations

import asyncio
import socket

from hub.serving import claim_port


def test_short_answers_do_not_wait_for_an_acknowledgement() -> None:
    """Nagle's algorithm is off on accepted connections: each short answer would take 40 ms longer."""
    sock = claim_port("127.0.0.1", 0)

    async def accepted() -> int:
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection: socket.socket = writer.get_extra_info("socket")
            seen.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        server = await asyncio.start_server(answer, sock=sock)
        async with server:
            _reader, writer = await asyncio.open_connection(*sock.getsockname())
            found = await seen
            writer.close()
            return found

    assert asyncio.run(accepted()) != 0
