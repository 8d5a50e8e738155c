"""People, sessions, tokens and departments: what is asked of the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .rows import DepartmentRow, SessionRow, TokenRow, UserRow


def user(tx: Session, user_id: str, *, lock: bool = False) -> UserRow | None:
    """The person."""
    return tx.get(UserRow, user_id, with_for_update=lock or None)


def users(tx: Session) -> list[UserRow]:
    """Everybody, by user name."""
    return list(tx.scalars(select(UserRow).order_by(UserRow.id)))


def with_role(tx: Session, role: str) -> list[UserRow]:
    """Active people with the role, by user name."""
    query = select(UserRow).where(UserRow.role == role, UserRow.active.is_(True))
    return list(tx.scalars(query.order_by(UserRow.id)))


def collector_of(tx: Session, grids: Iterable[str | None]) -> str | None:
    """The grid member who answers for the first of the grids that has one."""
    found: dict[str | None, str] = {}
    for user_row in with_role(tx, "collector"):
        found.setdefault(user_row.grid_id, user_row.id)
    return next((found[grid] for grid in grids if grid is not None and grid in found), None)


def user_count(tx: Session) -> int:
    """How many people there are."""
    return tx.scalar(select(func.count()).select_from(UserRow)) or 0


def user_names(tx: Session) -> dict[str, str]:
    """Names by user name."""
    return dict(tx.execute(select(UserRow.id, UserRow.name)).all())


def session(tx: Session, token_hash: str) -> SessionRow | None:
    """The session."""
    return tx.get(SessionRow, token_hash)


def end_sessions(tx: Session, user_id: str, keep: str | None = None) -> None:
    """Sign the person out everywhere (but at `keep`)."""
    statement = delete(SessionRow).where(SessionRow.user_id == user_id)
    tx.execute(statement if keep is None else statement.where(SessionRow.token_hash != keep))


def forget_sessions(tx: Session, before: datetime) -> None:
    """Delete those that ended before then."""
    tx.execute(delete(SessionRow).where(SessionRow.expires_at < before))


def token(tx: Session, token_hash: str) -> TokenRow | None:
    """The program's token."""
    return tx.get(TokenRow, token_hash)


def token_named(tx: Session, name: str) -> TokenRow | None:
    """The token with that name."""
    return tx.scalars(select(TokenRow).where(TokenRow.name == name)).first()


def department(tx: Session, department_id: str) -> DepartmentRow | None:
    """The unit."""
    return tx.get(DepartmentRow, department_id)


def department_names(tx: Session) -> list[tuple[str, str, str]]:
    """(id, name, English name or ""), by id."""
    asked = select(DepartmentRow.id, DepartmentRow.name, DepartmentRow.name_en).order_by(DepartmentRow.id)
    return [(id_, name, english) for id_, name, english in tx.execute(asked)]


def departments(tx: Session) -> list[DepartmentRow]:
    """All units, by id."""
    return list(tx.scalars(select(DepartmentRow).order_by(DepartmentRow.id)))
