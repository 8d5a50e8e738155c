"""Signing in and out, the password, and what anybody may know of this hub."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import Request, Response

from ..brake import Brake
from ..domain.role import RIGHTS
from ..people import SESSION_LASTS, SignedIn, change_password, sign_in, sign_out
from .access import COOKIE, TheHouse, TheSession, address_of
from .bodies import NewPassword, SignIn
from .plain import a_router

router = a_router("session")


def _shown(signed_in: SignedIn) -> dict[str, Any]:
    actor = signed_in.actor
    return {
        "user": actor.id,
        "name": actor.name,
        "role": actor.role,
        "department": actor.department,
        "rights": sorted(RIGHTS[actor.role]),
        "must_change_password": signed_in.must_change_password,
    }


def _brake(request: Request) -> Brake:
    brake: Brake = request.app.state.brake
    return brake


@router.get("/api/hub")
def hub(request: Request, house: TheHouse) -> dict[str, Any]:
    """Name, version and clock; needs no sign-in. `accounts` only on a demo."""
    settings = house.settings
    shown: dict[str, Any] = {
        "name": settings.name,
        "version": _version(),
        "demo": settings.demo,
        "now": house.now().isoformat(),
        "timezone": settings.timezone.key,
    }
    if settings.demo:
        shown["accounts"] = list(request.app.state.demo_accounts)
    return shown


@router.post("/api/session")
def open_session(request: Request, response: Response, body: SignIn, house: TheHouse) -> dict[str, Any]:
    """Sign in: sets the session cookie."""
    password = body.password.get_secret_value()
    cookie, signed_in = sign_in(house, _brake(request), body.user, password, address_of(request))
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _shown(signed_in)


@router.get("/api/session")
def session(signed_in: TheSession) -> dict[str, Any]:
    """Who is signed in."""
    return _shown(signed_in)


@router.delete("/api/session", status_code=204)
def close_session(response: Response, signed_in: TheSession, house: TheHouse) -> None:
    """Sign out."""
    sign_out(house, signed_in)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


@router.post("/api/session/password")
def password(request: Request, body: NewPassword, signed_in: TheSession, house: TheHouse) -> dict[str, Any]:
    """Change the password; other sessions of the person end."""
    change_password(house, _brake(request), signed_in, body.old.get_secret_value(), body.new.get_secret_value())
    return {**_shown(signed_in), "must_change_password": False}


def _version() -> str:
    try:
        return version("gridhub")
    except PackageNotFoundError:
        return "0.1.0"
