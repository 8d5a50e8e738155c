"""What happens to keyframes on their way, and how many wrong pictures a decoder makes of it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np

from ingest.errors import NotVideo
from ingest.frame import Luma
from ingest.media import Coding, Decoders, Packet
from tests.peers.keyframes import key

START_CODE = re.compile(rb"\x00\x00\x01")
STREAMS = {
    "h264": ("h264", ""), "h264, no CABAC": ("h264", "cabac=0:8x8dct=0"), "h264, slices": ("h264", "slices=4"),
    "hevc": ("hevc", "wpp=0:pools=1"), "hevc, rows": ("hevc", "pools=2"), "hevc, slices": ("hevc", "pools=2:slices=3"),
}  # fmt: skip


Damage = Callable[[bytes, random.Random], bytes]
"""A keyframe, and dice; what is left of the keyframe."""


def cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(300, len(data) - 60)]


def gap(data: bytes, dice: random.Random) -> bytes:
    """One RTP packet's worth is missing."""
    at = dice.randrange(300, len(data) - 1400)
    return data[:at] + data[at + 1400 :]


def zeros(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(300, len(data) - 1400)
    return data[:at] + bytes(1400) + data[at + 1400 :]


def flips(data: bytes, dice: random.Random) -> bytes:
    torn = bytearray(data)
    for _ in range(20):
        torn[dice.randrange(300, len(data))] = dice.randrange(256)
    return bytes(torn)


def without_a_slice(data: bytes, dice: random.Random) -> bytes:
    starts = [match.start() for match in START_CODE.finditer(data)] + [len(data)]
    units = [(a, b) for a, b in pairwise(starts) if b - a > 1000]
    a, b = dice.choice(units)
    return data[:a] + data[b:]


def differing(decoders: Decoders, name: str, damage: Damage, rounds: int = 12) -> int:
    """How many of `rounds` damaged keyframes gave a picture in which more than 1 of 2000 pixels is clearly off."""
    codec, params = STREAMS[name]
    dice, through = random.Random(5), 0
    for turn in range(rounds):
        packet = key(codec, 640, 360, 1 + turn % 3, params)
        right = _undamaged(name, 1 + turn % 3)
        luma_of(decoders, codec, key(codec, 640, 360, 9, params).data)  # another camera's picture, left in the buffers
        try:
            got = luma_of(decoders, codec, damage(packet.data, dice))
        except NotVideo:
            continue
        through += got.shape != right.shape or float((np.abs(got.astype(int) - right) > 25).mean()) > 5e-4
    return through


@cache
def _undamaged(name: str, seed: int) -> Luma:
    codec, params = STREAMS[name]
    return luma_of(Decoders(), codec, key(codec, 640, 360, seed, params).data)


def luma_of(decoders: Decoders, codec: str, data: bytes) -> Luma:
    """A copy of the decoded keyframe's brightness. Raises NotVideo."""
    return decoders.decode(Coding(codec), Packet(data, 0, 0, 0, True), "x").luma.copy()
