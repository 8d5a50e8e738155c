"""Which cameras may see the place of which sensors: proposed from positions, decided by an engineer. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from . import place
from .machine import Machine

NEAR_M = 60.0
"""A street camera tells a bin from a box up to about here; further away a link is still made by hand."""
MOST_A_SENSOR = 3
_DEGREE_M = 111_195.0


class LinkState(StrEnum):
    """Where a link stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class LinkAction(StrEnum):
    """What an engineer can do with a link."""

    CONFIRM = "confirm"
    REFUSE = "refuse"


_S, _A = LinkState, LinkAction
LINK: Machine[LinkState, LinkAction] = Machine(
    "link",
    {
        (_S.PROPOSED, _A.CONFIRM): _S.CONFIRMED,
        (_S.PROPOSED, _A.REFUSE): _S.REFUSED,
        # A camera was moved, or somebody looked more closely.
        (_S.CONFIRMED, _A.REFUSE): _S.REFUSED,
        (_S.REFUSED, _A.CONFIRM): _S.CONFIRMED,
    },
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A device on the map, in degrees (WGS-84). `watches`: kinds that are looked for there (of a camera)."""

    id: str
    lon: float
    lat: float
    grid: str | None = None
    watches: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Proposal:
    """That `camera` may see the place of `sensor`."""

    sensor: str
    camera: str
    distance_m: float


def distance_m(a: Spot, b: Spot) -> float:
    """Metres between two places some kilometres apart at most (equirectangular, off by a centimetre a kilometre)."""
    return place.distance_m(a.lon, a.lat, b.lon, b.lat)


def proposals(
    sensors: Iterable[Spot], cameras: Sequence[Spot], wanted: dict[str, frozenset[str]] | None = None
) -> list[Proposal]:
    """For each sensor the nearest cameras within NEAR_M, at most MOST_A_SENSOR.

    A camera of the same grid, or that looks for what the sensor finds (`wanted`: sensor to kinds), goes before one that
    is a little nearer: it counts as ten metres less.
    """
    squares: dict[tuple[int, int], list[Spot]] = {}
    for camera in cameras:
        squares.setdefault(_square(camera), []).append(camera)
    found: list[Proposal] = []
    for sensor in sensors:
        kinds = (wanted or {}).get(sensor.id, frozenset())
        near = []
        for camera in _around(squares, sensor):
            metres = distance_m(sensor, camera)
            if metres <= NEAR_M:
                suits = (camera.grid is not None and camera.grid == sensor.grid) + bool(kinds & camera.watches)
                near.append((metres - 10.0 * suits, camera.id, metres))
        found += [Proposal(sensor.id, camera, round(m, 1)) for _, camera, m in sorted(near)[:MOST_A_SENSOR]]
    return found


def _square(spot: Spot) -> tuple[int, int]:
    """Squares at least NEAR_M wide up to 60 degrees of latitude."""
    side = NEAR_M / _DEGREE_M
    return math.floor(spot.lon / (2 * side)), math.floor(spot.lat / side)


def _around(squares: dict[tuple[int, int], list[Spot]], spot: Spot) -> Iterable[Spot]:
    x, y = _square(spot)
    return (camera for dx in (-1, 0, 1) for dy in (-1, 0, 1) for camera in squares.get((x + dx, y + dy), ()))
