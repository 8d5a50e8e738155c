"""Who asks: the session cookie of a person or the bearer token of a program, and what each may do."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from types import UnionType
from typing import Annotated, Any

from fastapi import Depends, Request

from ..domain.role import Right, may
from ..errors import Forbidden, Invalid, NotSignedIn, PasswordChangeRequired
from ..house import Actor, House
from ..people import SignedIn, which_program, who_has
from ..store import scope

COOKIE = "gridhub_session"
CSRF_HEADER = "X-Gridhub"
MOST_INT = 2**63 - 1
"""What a column holds."""
_SAFE = ("GET", "HEAD", "OPTIONS")


def the_house(request: Request) -> House:
    """The hub's parts."""
    house: House = request.app.state.house
    return house


def address_of(request: Request) -> str:
    """Where the request comes from, as the proxies of hub.yaml tell it."""
    return request.client.host if request.client else ""


def the_session(request: Request) -> SignedIn:
    """The person of the cookie, changed password or not. Raises NotSignedIn, Forbidden (no CSRF header)."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise NotSignedIn("no session: POST /api/session")
    if request.method not in _SAFE and request.headers.get(CSRF_HEADER) != "1":
        raise Forbidden(f"requests that change something need the header {CSRF_HEADER}: 1")
    return who_has(the_house(request), cookie)


def the_actor(request: Request) -> Actor:
    """Who asks. Raises NotSignedIn, Forbidden, PasswordChangeRequired."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return which_program(the_house(request), token.strip())
    if scheme.lower() == "basic" and token:
        return which_program(the_house(request), _password(token.strip()))
    signed_in = the_session(request)
    scope.limit(signed_in.actor.grids, signed_in.actor.id)
    if signed_in.must_change_password:
        raise PasswordChangeRequired
    return signed_in.actor


def _password(basic: str) -> str:
    """Of HTTP Basic: programs that know nothing else send their token as the password. Raises NotSignedIn."""
    try:
        return base64.b64decode(basic, validate=True).decode().partition(":")[2]
    except ValueError:
        raise NotSignedIn("the Authorization header is no HTTP Basic") from None


def needs(*rights: Right) -> Callable[..., Actor]:
    """A dependency: the actor, if he holds one of `rights`."""

    def check(actor: Annotated[Actor, Depends(the_actor)]) -> Actor:
        if not any(may(actor.role, right) for right in rights):
            raise Forbidden(f"this needs the right {' or '.join(rights)}, which {actor.role} does not have")
        return actor

    return check


TheHouse = Annotated[House, Depends(the_house)]
TheSession = Annotated[SignedIn, Depends(the_session)]
TheActor = Annotated[Actor, Depends(the_actor)]
Worker = Annotated[Actor, Depends(needs(Right.WORK))]


def cursor_of(key: list[Any] | None) -> str | None:
    """An opaque text for the key of the last row."""
    return None if key is None else base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def key_of(cursor: str | None, *parts: type | UnionType) -> list[Any] | None:
    """The inverse of `cursor_of`, for a key of such parts (a time as its text). Raises Invalid."""
    if not cursor:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or len(key) != len(parts) or not all(map(_fits, key, parts)):
        raise Invalid("cursor", cursor, "a next_cursor of the list before")
    return key


def _fits(value: Any, part: type | UnionType) -> bool:
    if part is not datetime:
        return isinstance(value, part) and not (isinstance(value, int) and abs(value) > MOST_INT)
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
