"""The audit chain: each entry's SHA-256 covers the one before, so that nothing can be changed or left out unnoticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from .counting import locked_counter
from .rows import AuditRow

_HEAD = "audit"
_START = "0" * 64

Entry = tuple[datetime, str, str, str, dict[str, Any]]
"""(at, by, action, subject, detail)"""


def append_to_chain(tx: Session, entries: Sequence[Entry]) -> None:
    """Add `entries` at the end of the chain; holds its head until the transaction ends."""
    head = locked_counter(tx, _HEAD)
    prev = head.text or _START
    for at, by, action, subject, detail in entries:
        head.value += 1
        digest = entry_hash(prev, head.value, at, by, action, subject, detail)
        tx.add(
            AuditRow(
                seq=head.value, at=at, by=by, action=action, subject=subject, detail=detail, prev_hash=prev, hash=digest
            )
        )
        prev = digest
    head.text = prev


def entry_hash(prev: str, seq: int, at: datetime, by: str, action: str, subject: str, detail: dict[str, Any]) -> str:
    """SHA-256 (hex) over the entry's canonical JSON and the hash before it."""
    time = at.astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps([prev, seq, time, by, action, subject, detail], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def broken_at(tx: Session) -> int | None:
    """`seq` of the first entry that does not fit, None when the chain is whole up to its head."""
    prev, expected = _START, 1
    for row in tx.scalars(select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)):
        digest = entry_hash(prev, row.seq, row.at, row.by, row.action, row.subject, row.detail)
        if row.seq != expected or row.prev_hash != prev or row.hash != digest:
            return expected
        prev, expected = row.hash, expected + 1
    head = locked_counter(tx, _HEAD, lock=False)
    return None if (head.value, head.text or _START) == (expected - 1, prev) else expected


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries are sought: an `action`, or all that begin with one that ends with -; a beginning of `subject`."""

    by: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether times are all that is sought by: what is found comes in the order of its times, then numbers.

        An index has it in that order. Numbers are no guide to times: what happens by itself is written as of the time
        when it was due.
        """
        return bool(self.since or self.until) and not (self.by or self.action or self.subject)


Key = tuple[datetime, int]
"""(at, seq) of an entry."""


def entries(tx: Session, before: Key | None, limit: int, sought: Sought) -> Sequence[AuditRow]:
    """Newest first, those before `before`."""
    order = (AuditRow.at.desc(), AuditRow.seq.desc()) if sought.by_time else (AuditRow.seq.desc(),)
    # Numbers first: an index has them, so that what is sorted is small however much fits.
    found = select(AuditRow.seq).where(*_criteria(tx, sought)).order_by(*order).limit(limit)
    if before is not None:
        found = found.where(*_before(before, sought.by_time))
    return tx.scalars(select(AuditRow).where(AuditRow.seq.in_(found)).order_by(*order)).all()


def _before(key: Key, by_time: bool) -> Iterator[ColumnElement[bool]]:
    at, seq = key
    if by_time:
        yield AuditRow.at <= at
        yield or_(AuditRow.at < at, AuditRow.seq < seq)
    else:
        yield AuditRow.seq < seq


def _criteria(tx: Session, sought: Sought) -> Iterator[ColumnElement[bool]]:
    if sought.by:
        yield AuditRow.by == sought.by
    if sought.action.endswith("-"):
        yield _begins(tx, AuditRow.action, sought.action)
    elif sought.action:
        yield AuditRow.action == sought.action
    if sought.subject:
        yield _begins(tx, AuditRow.subject, sought.subject)
    if sought.since:
        yield AuditRow.at >= sought.since
    if sought.until:
        yield AuditRow.at < sought.until


def _begins(tx: Session, column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """As an index can tell it: LIKE with the operators for patterns on PostgreSQL, a range of bytes on SQLite."""
    if tx.get_bind().dialect.name == "postgresql":
        return column.startswith(text, autoescape=True)
    return and_(column >= text, column < f"{text}\U0010ffff")


def length(tx: Session) -> int:
    """How many entries the chain has."""
    return locked_counter(tx, _HEAD, lock=False).value
