"""The decoder `tasmota`: any bytes, on any topic."""

from __future__ import annotations

from ingest.sensors.decode import DECODERS

from .payloads import feed, seeds_of


def seeds() -> list[bytes]:
    """Its samples."""
    return seeds_of("tasmota")


def one(data: bytes) -> None:
    """Only PayloadError, and sound readings."""
    feed(DECODERS["tasmota"], data)
