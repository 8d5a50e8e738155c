"""Device notices: what is asked of the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from ..domain.notice import Cause, Member, Notice
from .rows import CameraRow, NoticeCameraRow, NoticeRow


def notices(tx: Session, ended_after: datetime | None, most: int = 500) -> list[Notice]:
    """Those that are open, and those that ended after then; the newest first."""
    still = NoticeRow.ended_at.is_(None)
    which = still if ended_after is None else or_(still, NoticeRow.ended_at > ended_after)
    query = select(NoticeRow).where(which).order_by(NoticeRow.began_at.desc(), NoticeRow.id.desc()).limit(most)
    found = {
        row.id: Notice(
            row.id,
            row.trouble,
            Cause(row.cause_kind, row.cause, row.cause_name),
            row.began_at,
            row.joined_at,
            {},
            row.ended_at,
        )
        for row in tx.scalars(query)
    }
    for row in tx.scalars(select(NoticeCameraRow).where(NoticeCameraRow.notice_id.in_(found))):
        found[row.notice_id].members[row.camera_id] = Member(row.camera_id, row.since, row.back_at, row.times)
    return list(found.values())


def keep(tx: Session, notice: Notice, cameras: Collection[str]) -> None:
    """Write the notice, and those members of it."""
    row = tx.get(NoticeRow, notice.id)
    if row is None:
        row = NoticeRow(id=notice.id, trouble=notice.trouble)
        row.cause_kind, row.cause, row.cause_name = notice.cause.kind, notice.cause.value, notice.cause.name
        tx.add(row)
    row.began_at, row.joined_at, row.ended_at = notice.began_at, notice.joined_at, notice.ended_at
    tx.flush()
    known = {m.camera_id: m for m in tx.scalars(select(NoticeCameraRow).where(NoticeCameraRow.notice_id == notice.id))}
    for camera in cameras:
        member = notice.members[camera]
        kept = known.get(camera)
        if kept is None:
            kept = NoticeCameraRow(notice_id=notice.id, camera_id=camera)
            tx.add(kept)
        kept.since, kept.back_at, kept.times = member.since, member.back_at, member.times


def forget(tx: Session, before: datetime) -> None:
    """Delete notices that ended before then, with their members."""
    tx.execute(delete(NoticeRow).where(NoticeRow.ended_at < before))


def camera_names(tx: Session, ids: Collection[str]) -> dict[str, str]:
    """Names by id."""
    ordered, found = sorted(ids), dict[str, str]()
    for start in range(0, len(ordered), 500):
        part = ordered[start : start + 500]
        rows = tx.execute(select(CameraRow.id, CameraRow.name).where(CameraRow.id.in_(part)))
        found.update((id_, name) for id_, name in rows)
    return found
