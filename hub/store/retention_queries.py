"""How long things are kept: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .case_rows import CaseRow, LinkRow, LookRow, RecheckRow
from .learning_rows import SightingRow
from .rows import AlertRow, AttachmentRow, EvidenceRow, RetentionRow


def periods(tx: Session) -> dict[str, RetentionRow]:
    """What the administrator set, by what it is about."""
    return {row.what: row for row in tx.scalars(select(RetentionRow))}


def forget_period(tx: Session, what: str) -> None:
    """As in hub.yaml again."""
    tx.execute(delete(RetentionRow).where(RetentionRow.what == what))


def due_evidence(tx: Session, now: datetime, most: int) -> list[EvidenceRow]:
    """Evidence that is due, the longest due first, locked; what somebody else holds is left for the next time."""
    query = select(EvidenceRow).where(EvidenceRow.due_at <= now).order_by(EvidenceRow.due_at).limit(most)
    return list(tx.scalars(query.with_for_update(skip_locked=True).execution_options(populate_existing=True)))


def all_due(tx: Session, now: datetime) -> None:
    """A period has changed: every piece of evidence is looked at once more."""
    wanted = (EvidenceRow.purged_at.is_(None), EvidenceRow.due_at > now)
    tx.execute(update(EvidenceRow).where(*wanted).values(due_at=now))


def known(tx: Session, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes that are kept as evidence."""
    query = select(EvidenceRow.sha256).where(EvidenceRow.sha256.in_(list(hashes)), EvidenceRow.purged_at.is_(None))
    return set(tx.scalars(query))


@dataclass(frozen=True, slots=True)
class Life:
    """How long a case lives: `closed_at` None while it is open, `held_at` while its evidence is preserved."""

    closed_at: datetime | None
    held_at: datetime | None


@dataclass(frozen=True, slots=True)
class Use:
    """Something that shows a piece of evidence: a case, or else what was never confirmed (`ended_at` None: waits)."""

    sha256: str
    case: str | None
    ended_at: datetime | None


def uses(tx: Session, hashes: Sequence[str]) -> list[Use]:
    """Everything but papers that shows one of the files: alerts and cases, looks of re-checks, finds of shadows."""
    attached = (
        select(AttachmentRow.sha256, AttachmentRow.case_id, AlertRow.case_id, AlertRow.ended_at)
        .join(AlertRow, AlertRow.id == AttachmentRow.alert_id, isouter=True)
        .where(AttachmentRow.sha256.in_(hashes))
    )
    found = [Use(sha256, case or of_alert, ended) for sha256, case, of_alert, ended in tx.execute(attached)]
    looked = (
        select(LookRow.sha256, RecheckRow.case_id)
        .join(RecheckRow, RecheckRow.id == LookRow.recheck_id)
        .where(LookRow.sha256.in_(hashes))
    )
    found += [Use(sha256 or "", case, None) for sha256, case in tx.execute(looked)]
    sighted = select(SightingRow.sha256, SightingRow.seen_at).where(SightingRow.sha256.in_(hashes))
    return found + [Use(sha256 or "", None, seen_at) for sha256, seen_at in tx.execute(sighted)]


def lives(tx: Session, case_ids: Iterable[str]) -> dict[str, list[Life]]:
    """By case: its own life, and those of the cases that it was reopened as or merged into, and so on."""
    query = select(CaseRow.id, CaseRow.closed_at, CaseRow.held_at)
    seen: dict[str, Life] = {}
    follows: dict[str, set[str]] = {}
    begun = wanted = set(case_ids)
    while wanted:
        for case, closed_at, held_at in tx.execute(query.where(CaseRow.id.in_(wanted))):
            seen[case] = Life(closed_at, held_at)
        links = select(LinkRow.case_id, LinkRow.other_id, LinkRow.relation)
        reopened = links.where(LinkRow.other_id.in_(wanted), LinkRow.relation == "reopened_from")
        merged = links.where(LinkRow.case_id.in_(wanted), LinkRow.relation == "duplicate_of")
        for case, other, relation in [*tx.execute(reopened), *tx.execute(merged)]:
            earlier, later = (case, other) if relation == "duplicate_of" else (other, case)
            follows.setdefault(earlier, set()).add(later)
        wanted = {later for case in wanted for later in follows.get(case, ())} - seen.keys()
    return {case: [seen[one] for one in _with_followers(case, follows) if one in seen] for case in begun}


def _with_followers(case: str, follows: dict[str, set[str]]) -> set[str]:
    found, new = {case}, {case}
    while new:
        new = {later for one in new for later in follows.get(one, ())} - found
        found |= new
    return found
