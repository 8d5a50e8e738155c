"""The decoder `sparkplug`: births, data and deaths of any bytes; what is remembered stays counted and bounded."""

from __future__ import annotations

from ingest.sensors.decode.sparkplug import MOST_METRICS, MOST_NODES, Sparkplug

from .payloads import feed, seeds_of


def seeds() -> list[bytes]:
    """Its samples, births first."""
    return seeds_of("sparkplug")


def one(data: bytes) -> None:
    """A decoder of its own for each input."""
    decoder = Sparkplug()
    feed(decoder, data)
    nodes, metrics = decoder.held
    assert nodes <= MOST_NODES
    assert metrics <= MOST_METRICS
    assert metrics == sum(len(node.names) + len(node.aliases) for node in decoder._nodes.values())
