"""Administration: people with their roles and scope, the audit trail and its chain, how long things are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query

from .. import people, periods, retention
from ..domain.role import PROGRAM_ROLES, RIGHTS, ROLE_NAMES, SCOPED_ROLES, UNIT_ROLES, Right, Role
from ..house import Actor
from ..store import people_queries
from ..store.chain import Sought, broken_at, entries, length
from ..wire import Names
from .access import TheHouse, cursor_of, key_of, needs
from .bodies import KeptFor, NewUser, Time, UserChange
from .plain import a_router
from .shown import AuditEntry, ChainChecked, Kept, Page, RoleShown, UserMade, UserShown, shows

router = a_router("administration")

SeesUsers = Annotated[Actor, Depends(needs(Right.SEE_USERS))]
SeesAudit = Annotated[Actor, Depends(needs(Right.SEE_AUDIT))]
SeesKeeping = Annotated[Actor, Depends(needs(Right.SEE_USERS, Right.SEE_AUDIT))]


@router.get("/api/users", **shows(Page[UserShown]))
def users(house: TheHouse, _actor: SeesUsers) -> dict[str, Any]:
    """Everybody who can sign in, or could."""
    with house.db.read() as tx:
        items = [people.user_json(row) for row in people_queries.users(tx)]
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.get("/api/roles", **shows(Page[RoleShown]))
def roles(_house: TheHouse, _actor: SeesUsers) -> dict[str, Any]:
    """Every role of people, with its rights and what it sees: everything, its department's, or its grid's.

    `by_grids`: people of this role may be limited to some grids.
    """
    items = [
        {
            "role": role,
            "name": ROLE_NAMES[role],
            "rights": sorted(RIGHTS[role]),
            "scope": "department" if role in UNIT_ROLES else "grid" if role is Role.COLLECTOR else "all",
            "by_grids": role in SCOPED_ROLES,
        }
        for role in Role
        if role not in PROGRAM_ROLES
    ]
    return {"items": items, "next_cursor": None, "total": len(items)}


@router.post("/api/users", **shows(UserMade, 201))
def add_user(house: TheHouse, actor: SeesUsers, body: NewUser) -> dict[str, Any]:
    """A new person; the answer holds the one-time password, which is shown only here."""
    once = people.add_user(house, body.user, body.role, body.department, name=body.name, by=actor)
    return {"user": body.user, "one_time_password": once}


@router.patch("/api/users/{user}", **shows(UserShown))
def change_user(user: str, house: TheHouse, actor: SeesUsers, body: UserChange) -> dict[str, Any]:
    """Change what is given; who moves or leaves is signed out."""
    return people.change_user(house, actor, user, body.model_dump(exclude_unset=True))


@router.post("/api/users/{user}/reset-password", **shows(UserMade))
def reset_password(user: str, house: TheHouse, actor: SeesUsers) -> dict[str, Any]:
    """A new one-time password, which is shown only here."""
    return {"user": user, "one_time_password": people.reset_password(house, actor, user)}


@router.get("/api/audit", response_model=None, responses={200: {"model": Page[AuditEntry]}})
def audit(
    house: TheHouse,
    _actor: SeesAudit,
    by: Annotated[str, Query(max_length=64)] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    subject: Annotated[str, Query(max_length=200)] = "",
    since: Time | None = None,
    until: Time | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Who did what, newest first: by number, or by time where it is sought by times alone. `total`: of the whole chain.

    `by`: a user name. `action`: one, or all that begin with it where it ends with - (`case-`). `subject`: from its
    beginning (`case/`, `case/6210`); a part from its middle finds nothing.
    """
    key = key_of(cursor, datetime, int)
    sought = Sought(by, action, subject, since, until)
    with house.db.read() as tx:
        rows = entries(tx, (datetime.fromisoformat(key[0]), key[1]) if key else None, limit, sought)
        names, total = Names.of(tx), length(tx)
    items = [
        {
            "seq": r.seq,
            "at": r.at.isoformat(),
            "by": r.by,
            "by_name": names.person(r.by),
            "action": r.action,
            "subject": r.subject,
            "detail": r.detail,
            "hash": r.hash,
        }
        for r in rows
    ]
    more = len(items) == limit and (sought.by_time or rows[-1].seq > 1)
    key = [rows[-1].at.isoformat(), rows[-1].seq] if more else None
    return {"items": items, "next_cursor": cursor_of(key), "total": total}


@router.get("/api/audit/check", **shows(ChainChecked))
def check_chain(house: TheHouse, _actor: SeesAudit) -> dict[str, Any]:
    """Compute every hash of the chain anew: whether nothing was changed or left out."""
    with house.db.read() as tx:
        broken = broken_at(tx)
        return {"whole": broken is None, "broken_at": broken, "entries": length(tx), "at": house.now().isoformat()}


@router.get("/api/retention", **shows(Page[Kept]))
def kept(house: TheHouse, _actor: SeesKeeping) -> dict[str, Any]:
    """How long what is kept, and how much of it there is."""
    return _kept(retention.kept(house))


@router.put("/api/retention/{what}", **shows(Page[Kept]))
def set_kept(what: str, house: TheHouse, actor: SeesUsers, body: KeptFor) -> dict[str, Any]:
    """Keep it so many days, in place of hub.yaml's period; null where that is possible: until a period is set."""
    periods.change(house, actor, what, body.days)
    return _kept(retention.kept(house))


@router.delete("/api/retention/{what}", **shows(Page[Kept]))
def restore_kept(what: str, house: TheHouse, actor: SeesUsers) -> dict[str, Any]:
    """Keep it as hub.yaml says again."""
    periods.restore(house, actor, what)
    return _kept(retention.kept(house))


def _kept(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"items": items, "next_cursor": None, "total": len(items)}
