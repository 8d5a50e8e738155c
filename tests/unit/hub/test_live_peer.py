"""Offers of browsers that cannot be answered: each is refused by name, whatever aiortc makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiortc import RTCPeerConnection

from hub.errors import Invalid
from hub.live.peer import Peers


@pytest.fixture(scope="module")
def offer() -> str:
    async def made() -> str:
        connection = RTCPeerConnection()
        connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        sdp = connection.localDescription.sdp
        await connection.close()
        return str(sdp)

    return asyncio.run(made())


@pytest.fixture(scope="module")
def peers() -> Iterator[Peers]:
    peers = Peers(["127.0.0.1"], lambda _dropped: None)
    yield peers
    peers.end()


def test_an_offer_that_cannot_be_answered_is_refused(peers: Peers, offer: str) -> None:
    lines = offer.splitlines()
    without = ["\r\n".join(line for line in lines if word not in line) + "\r\n" for word in ("H264", "m=video", "ice")]
    cut = [
        "\r\n".join([*lines[:n], lines[n][: len(lines[n]) // 2], *lines[n + 1 :]]) + "\r\n" for n in range(len(lines))
    ]
    gone = ["\r\n".join(lines[:n] + lines[n + 1 :]) + "\r\n" for n in range(len(lines))]
    refused = 0
    for made in ["", "v=0", offer.replace("m=video", "m=audio"), offer.replace("H264", "VP9"), *without, *cut, *gone]:
        try:
            viewer, answer = peers.answer(made, "127.0.0.1", lambda _take: lambda: None)
        except Invalid:
            refused += 1
        else:
            assert "m=video" in answer
            peers.close(viewer)
    assert refused > 5
