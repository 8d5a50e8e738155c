"""The decoder `homeassistant`: configurations and states of any bytes; what is remembered stays counted and bounded."""

from __future__ import annotations

from ingest.sensors.decode.homeassistant import MOST_ENTITIES, HomeAssistant

from .payloads import feed, seeds_of


def seeds() -> list[bytes]:
    """Its samples, discovery first."""
    return seeds_of("homeassistant")


def one(data: bytes) -> None:
    """A decoder of its own for each input."""
    decoder = HomeAssistant()
    feed(decoder, data)
    entities, topics = decoder.held
    assert entities == sum(map(len, decoder._by_config.values())) <= MOST_ENTITIES
    assert topics <= 2 * entities
