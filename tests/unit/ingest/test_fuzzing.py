"""Every fuzz harness for a moment, without atheris: its seeds, and its seeds disturbed. `make fuzz` takes longer."""

from __future__ import annotations

import random
from importlib import import_module

import pytest

from tests.fuzz import HARNESSES

DISTURBED = 150


@pytest.mark.parametrize("name", HARNESSES)
def test_nothing_escapes(name: str) -> None:
    harness = import_module(f"tests.fuzz.fuzz_{name}")
    seeds = harness.seeds()
    assert seeds
    for seed in [b"", *seeds]:
        harness.one(seed)
    chance = random.Random(name)
    for _ in range(DISTURBED):
        harness.one(disturbed(chance, chance.choice(seeds), chance.choice(seeds)))


def disturbed(chance: random.Random, one: bytes, other: bytes) -> bytes:
    """Some bytes of `one` changed, cut out, or replaced by a piece of `other`."""
    data = bytearray(one[:4096])
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randint(0, len(data)), chance.choice((1, 1, 2, 8, 64))
        piece = chance.randint(0, max(0, len(other) - length))
        new = (chance.randbytes(length), b"", other[piece : piece + length])
        data[at : at + length] = chance.choice(new)
    return bytes(data)
