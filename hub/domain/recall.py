"""A stand-in for recall: of the problems that people reported where a camera watches, how many had raised an alert.

True recall needs every problem there was, and nobody has that. Reports through other channels (12345, grid members,
citizens) are the part that somebody else found: of those that lie where a camera looks for that class, the share that
the hub had found as well. It is pessimistic where the thing was outside the picture, optimistic where nobody reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .precision import share

WATCHED_M = 60.0
"""A camera counts as watching a report this near."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports of a kind at places that a camera watches for it, and how many of those the hub had found too."""

    watched: int = 0
    found: int = 0

    def to_json(self) -> dict[str, Any]:
        """{hits, of, share, low, high, within_m}."""
        return {**share(self.found, self.watched), "within_m": WATCHED_M}
