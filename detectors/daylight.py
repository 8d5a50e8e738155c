"""Sunrise and sunset. The only importer of astral."""

from __future__ import annotations

from datetime import date, time, timedelta, tzinfo
from functools import lru_cache

from astral import Observer
from astral.sun import sunrise, sunset

EVENTS = ("sunrise", "sunset")


def sun_time(event: str, shift_min: int, day: date, zone: tzinfo | None, place: tuple[float, float]) -> time | None:
    """Local time of `event` (sunrise, sunset) on `day` at `place` (lon, lat), moved by `shift_min` minutes.

    None where the sun does not rise or set that day. A tenth of a degree is half a minute: near places share it.
    """
    return _sun_time(event, shift_min, day, zone, round(place[0], 1), round(place[1], 1))


@lru_cache(4096)
def _sun_time(event: str, shift_min: int, day: date, zone: tzinfo | None, lon: float, lat: float) -> time | None:
    try:
        at = (sunrise if event == "sunrise" else sunset)(Observer(lat, lon), day, tzinfo=zone or "UTC")
    except ValueError:
        return None
    return (at + timedelta(minutes=shift_min)).time()
