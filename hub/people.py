"""Signing in and out, passwords, sessions, and programs' tokens."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .brake import Brake
from .domain.role import PROGRAM_ROLES, SCOPED_ROLES, UNIT_ROLES, Role
from .errors import Barred, Forbidden, Invalid, NotFound, NotSignedIn, Taken
from .house import SYSTEM, Actor, House
from .store import Transaction, device_queries
from .store import people_queries as ask
from .store.counting import locked_counter
from .store.rows import SessionRow, TokenRow, UserRow
from .store.scope import below

SESSION_LASTS = timedelta(hours=12)
PASSWORD_LEAST = 10
PROGRAM = "token/"
"""How the id of a program that signed in with a token begins."""
_ID_MOST = 64
"""Characters of an id that a row can hold, as in `by`."""
PROGRAM_NAME_MOST = _ID_MOST - len(PROGRAM)
_USER = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.@-]{1,64}")

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id as OWASP's password storage sheet has it for 19 MiB: 2 passes, 1 lane."""
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Checked for unknown user names, so that they take as long as known ones."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with an open session."""

    actor: Actor
    must_change_password: bool
    token_hash: str


def token_hash(token: str) -> str:
    """SHA-256 (hex) of a random token; tokens have 256 bits, so a slow hash would protect nothing more."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(house: House, brake: Brake, user: str, password: str, address: str) -> tuple[str, SignedIn]:
    """(cookie value, who). Raises NotSignedIn, TooManyTries."""
    now = house.now()
    tried = brake.sign_in(now, user[:64], address)
    with house.db.read() as tx:
        row = ask.user(tx, user[:64])
        stored = row.password_hash if row is not None and row.active else _NOBODY
    good = _fits(stored, password)
    if row is None or not row.active or not good:
        house.tally.add("sign_in_failures")
        with house.db.write() as tx:
            tx.audit(now, user[:64], "sign-in-failed", f"user/{user[:64]}", address=address)
        raise NotSignedIn("user or password is wrong")
    token = secrets.token_urlsafe(32)
    with house.db.write() as tx:
        fresh = ask.user(tx, row.id, lock=True)
        if fresh is None or not fresh.active or fresh.password_hash != stored:
            # Checking a password takes its time: meanwhile it was reset, or the person shut out.
            raise NotSignedIn("user or password is wrong")
        tx.add(SessionRow(token_hash=token_hash(token), user_id=row.id, created_at=now, expires_at=now + SESSION_LASTS))
        fresh.signed_in_at = now
        tx.audit(now, row.id, "sign-in", f"user/{row.id}", address=address)
        actor, must_change = _actor(fresh, tx), fresh.must_change_password
    brake.signed_in(tried)
    return token, SignedIn(actor, must_change, token_hash(token))


def who_has(house: House, cookie: str) -> SignedIn:
    """The person of a session cookie. Raises NotSignedIn."""
    digest = token_hash(cookie)
    with house.db.read() as tx:
        session = ask.session(tx, digest)
        row = ask.user(tx, session.user_id) if session else None
        if session is None or row is None or not row.active or session.expires_at <= house.now():
            raise NotSignedIn("the session has ended; sign in again")
        return SignedIn(_actor(row, tx), row.must_change_password, digest)


def which_program(house: House, token: str) -> Actor:
    """The program of a bearer token. Raises NotSignedIn."""
    with house.db.read() as tx:
        row = ask.token(tx, token_hash(token))
        if row is None:
            raise NotSignedIn("the bearer token is not valid")
        return Actor(_program(row.name), row.name, Role(row.role))


def sign_out(house: House, signed_in: SignedIn) -> None:
    """End the session."""
    with house.db.write() as tx:
        session = ask.session(tx, signed_in.token_hash)
        if session is not None:
            tx.delete(session)
        tx.audit(house.now(), signed_in.actor.id, "sign-out", f"user/{signed_in.actor.id}")


def change_password(house: House, brake: Brake, signed_in: SignedIn, old: str, new: str) -> None:
    """Set a new password and end the person's other sessions. Raises Invalid, Forbidden, TooManyTries."""
    now, key = house.now(), f"password/{signed_in.actor.id}"
    _good_password(new, signed_in.actor.id)
    brake.guess(now, key)
    with house.db.read() as tx:
        row = ask.user(tx, signed_in.actor.id)
        stored = row.password_hash if row else _NOBODY
    if not _fits(stored, old):
        raise Forbidden("the old password is wrong")
    brake.guessed(key)
    if old == new:
        raise Invalid("new", "(hidden)", "another password than the old one")
    digest = _hasher.hash(new)
    with house.db.write() as tx:
        row = ask.user(tx, signed_in.actor.id, lock=True)
        if row is None or not row.active or row.password_hash != stored:
            # Checking and hashing take their time: meanwhile it was reset, or the person shut out.
            raise Forbidden("the old password is wrong")
        row.password_hash, row.must_change_password = digest, False
        ask.end_sessions(tx, row.id, keep=signed_in.token_hash)
        tx.audit(now, row.id, "password-changed", f"user/{row.id}")


def add_user(
    house: House,
    user: str,
    role: str,
    department: str | None = None,
    *,
    name: str = "",
    password: str | None = None,
    by: Actor = SYSTEM,
) -> str:
    """Make a person; returns the password. Without one given it is a one-time password. Raises Invalid, Taken."""
    if not _USER.fullmatch(user):
        raise Invalid("user", user, "1 to 64 letters, digits, _ . @ -")
    people = [r.value for r in Role if r not in PROGRAM_ROLES]
    if role not in people:
        raise Invalid("role", role, people)
    once = password is None
    secret = password or secrets.token_urlsafe(9)
    digest = _hasher.hash(secret)
    with house.db.write() as tx:
        locked_counter(tx, "people")  # one at a time: of two who make the same, one finds it there
        known = [d.id for d in ask.departments(tx)]
        if (role in UNIT_ROLES) != (department is not None) or (department and department not in known):
            raise Invalid("department", department, known if role in UNIT_ROLES else "none for this role")
        if ask.user(tx, user) is not None:
            raise Taken(f"user {user!r} is there already", user=user)
        row = UserRow(id=user, name=name or user, role=role, department_id=department, password_hash=digest)
        row.must_change_password, row.active, row.created_at = once, True, house.now()
        tx.add(row)
        tx.audit(house.now(), by.id, "user-added", f"user/{user}", role=role, department=department)
    return secret


def change_user(house: House, by: Actor, user: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change name, role, department, grid (of a grid member), grids (of the centre) or `active`.

    Whoever moves or leaves is signed out, and so is whose scope changes.

    Raises NotFound, Invalid, Barred (of oneself: role and active stay; one administrator must be left).
    """
    with house.db.write() as tx:
        locked_counter(tx, "people")  # one at a time: two administrators who shut each other out would leave none
        row = ask.user(tx, user, lock=True)
        if row is None:
            raise NotFound("user", user)
        before = (row.role, row.department_id, row.grid_id, row.active, row.grids)
        if changes.get("grids") is not None:
            row.grids = sorted(set(changes["grids"]))
        for name, column in (("name", "name"), ("role", "role"), ("active", "active")):
            if changes.get(name) is not None:
                setattr(row, column, changes[name])
        for name, column in (("department", "department_id"), ("grid", "grid_id")):
            if name in changes:
                setattr(row, column, changes[name] or None)
        with tx.no_autoflush:
            _check_place(tx, row)
        after = (row.role, row.department_id, row.grid_id, row.active, row.grids)
        if row.id == by.id and (before[0], before[3]) != (after[0], after[3]):
            raise Barred("oneself", "nobody changes the role of himself, or shuts himself out")
        tx.flush()
        if not any(person.active for person in ask.with_role(tx, Role.ADMIN)):
            raise Barred("last_admin", "one administrator must be left")
        if before != after:
            ask.end_sessions(tx, row.id)
        tx.audit(house.now(), by.id, "user-changed", f"user/{user}", **changes)
        return user_json(row)


def _check_place(tx: Transaction, row: UserRow) -> None:
    people = [r.value for r in Role if r not in PROGRAM_ROLES]
    if row.role not in people:
        raise Invalid("role", row.role, people)
    known = [d.id for d in ask.departments(tx)]
    if row.role not in UNIT_ROLES:
        row.department_id = None
    elif row.department_id not in known:
        raise Invalid("department", row.department_id, known)
    areas = device_queries.grid_names(tx)
    if row.role != Role.COLLECTOR:
        row.grid_id = None
    elif row.grid_id is not None and row.grid_id not in areas:
        raise Invalid("grid", row.grid_id, "the id of an area")
    if row.role not in SCOPED_ROLES:
        row.grids = []
    for grid in row.grids:
        if grid not in areas:
            raise Invalid("grids", grid, "ids of areas; none: the whole district")


def reset_password(house: House, by: Actor, user: str) -> str:
    """A new one-time password, shown only here; the person is signed out everywhere. Raises NotFound."""
    secret = secrets.token_urlsafe(9)
    digest = _hasher.hash(secret)
    with house.db.write() as tx:
        row = ask.user(tx, user, lock=True)
        if row is None:
            raise NotFound("user", user)
        row.password_hash, row.must_change_password = digest, True
        ask.end_sessions(tx, row.id)
        tx.audit(house.now(), by.id, "password-reset", f"user/{user}")
    return secret


def add_token(house: House, name: str, role: Role) -> str:
    """Make a token for a program, in the place of an older one of that name; shown only here. Raises Invalid."""
    if not 1 <= len(name) <= PROGRAM_NAME_MOST:
        raise Invalid("name", name, f"1 to {PROGRAM_NAME_MOST} characters; this one has {len(name)}")
    if role not in PROGRAM_ROLES:
        raise Invalid("role", role, sorted(PROGRAM_ROLES))
    token = secrets.token_urlsafe(32)
    with house.db.write() as tx:
        keep_token(tx, name, role, token, house.now())
    return token


def keep_token(tx: Transaction, name: str, role: Role, token: str, now: datetime) -> None:
    """Make `token` the valid one of that name."""
    row = ask.token_named(tx, name)
    if row is not None:
        tx.delete(row)
        tx.flush()
    tx.add(TokenRow(token_hash=token_hash(token), name=name, role=role, created_at=now))
    tx.audit(now, SYSTEM.id, "token-made", f"token/{name}", role=role)


def _program(name: str) -> str:
    """Its id. Longer names, which older hubs allowed, are cut, with a mark that tells those of one beginning apart."""
    if len(name) <= PROGRAM_NAME_MOST:
        return PROGRAM + name
    mark = f"~{token_hash(name)[:8]}"
    return PROGRAM + name[: PROGRAM_NAME_MOST - len(mark)] + mark


def user_json(row: UserRow) -> dict[str, Any]:
    """A person as the API shows it."""
    return {
        "user": row.id,
        "name": row.name,
        "role": row.role,
        "department": row.department_id,
        "grid": row.grid_id,
        "grids": row.grids,
        "active": row.active,
        "must_change_password": row.must_change_password,
        "signed_in_at": row.signed_in_at.isoformat() if row.signed_in_at else None,
    }


def _actor(row: UserRow, tx: Transaction) -> Actor:
    grids = below(tx, row.grids) if row.grids and row.role in SCOPED_ROLES else None
    return Actor(row.id, row.name, Role(row.role), row.department_id, grids)


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password[:1024])
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def _good_password(password: str, user: str) -> None:
    halves = any("\ud800" <= character <= "\udfff" for character in password)
    if halves or not PASSWORD_LEAST <= len(password) <= 256 or user.lower() in password.lower():
        raise Invalid("new", "(hidden)", f"{PASSWORD_LEAST} to 256 characters that do not hold the user name")
