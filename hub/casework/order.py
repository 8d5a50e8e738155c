"""What a person orders: the fields that an action may come with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .step import Photo


@dataclass(frozen=True, slots=True)
class Order:
    """Fields of an action; which of them it needs stands in `MOVES`. `lon`, `lat` are WGS-84 degrees.

    `request_id`: whoever sends the order again after a lost answer names the same one.
    """

    department: str | None = None
    reason: str = ""
    text: str = ""
    until: datetime | None = None
    result: str = ""
    met: bool | None = None
    category: Mapping[str, Any] | None = None
    item_kind: str | None = None
    condition: str | None = None
    limit: str | None = None
    closing: str | None = None
    description: str | None = None
    address: str | None = None
    lon: float | None = None
    lat: float | None = None
    grid: str | None = None
    urgent: bool | None = None
    assignee: str | None = None
    into: str | None = None
    request_id: str | None = None
    photos: Sequence[Photo] = field(default=())

    @property
    def words(self) -> str:
        """What is said: an answer, a reason or a remark."""
        return self.text.strip() or self.reason.strip()
