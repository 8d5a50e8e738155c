"""Everything the hub refuses, as one tree; `api/problems.py` maps it to HTTP.

HubError
├── NotFound              no such alert, case, camera, … (what, id)
├── Invalid               a field that cannot be used (field, value, what is allowed)
│   ├── UnknownSource     a finding of a camera or sensor that is not in the inventory
│   ├── UnknownKind       a finding of a kind that is not configured
│   ├── BadPolygon        a zone that encloses nothing, or crosses itself (`fault`: where)
│   ├── BadMapping        a mapping of messages that cannot be read, or not be kept
│   ├── HashMismatch      evidence whose bytes are not those its name promises
│   ├── MissingEvidence   a finding that names evidence which neither came along nor is stored
│   └── TooEarly          a re-check's look from before the department's answer
├── Purged                evidence that is no longer kept (since when)
├── Refused               a file of which nothing was taken over (every problem in it)
├── TooLarge              more bytes than allowed
├── Conflict
│   ├── AlreadyDecided    somebody else was first (who, what)
│   ├── Claimed           somebody else has it in hand (who)
│   ├── TooLate           an undo after its window, or after a department accepted the case
│   ├── Taken             the id, or the place, is in use
│   ├── SavedSince        somebody saved it after it was read (who, when, which version)
│   └── Barred            possible in this state, but something stands against it (`why`: a code)
├── NotSignedIn           no session or token, or not valid any more
├── Forbidden             signed in, but not allowed
│   └── OutsideScope      it lies outside the grids that the person was given (what, id)
├── PasswordChangeRequired
├── Full                  no room for one more event stream or live view
├── Away                  a camera that gives no picture just now
└── TooOften              more than may be sent (seconds to wait)
    └── TooManyTries      sign-in failed too often

IllegalMove (hub/domain/machine.py) stands beside the tree: the pure middle knows nothing of the hub.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


class HubError(Exception):
    """Root of the tree; the text is for the user and holds no secret. `extra` goes into the problem document."""

    status = 500
    type = "error"
    title = "The hub refuses"

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.extra = extra


class NotFound(HubError):
    """There is no such thing."""

    status, type, title = 404, "not-found", "Not found"

    def __init__(self, what: str, id_: str) -> None:
        super().__init__(f"{what} {id_!r} is not known", what=what, id=id_)


class Invalid(HubError):
    """A field that cannot be used."""

    status, type, title = 422, "invalid", "A field cannot be used"

    def __init__(self, field: str, value: object, allowed: str | Iterable[str]) -> None:
        choices = allowed if isinstance(allowed, str) else "one of " + ", ".join(allowed)
        shown = value if isinstance(value, str | int | float | bool | None) else repr(value)
        if isinstance(shown, str) and len(shown) > 200:
            shown = shown[:200] + "…"
        super().__init__(
            f"{field}: {shown!r} is not allowed; allowed: {choices}", field=field, value=shown, allowed=choices
        )


class UnknownSource(Invalid):
    """A finding of a camera or sensor that is not in the inventory."""

    type, title = "unknown-source", "The camera or sensor is not known"


class UnknownKind(Invalid):
    """A finding of a kind that is not configured."""

    type, title = "unknown-kind", "The kind is not known"


class HashMismatch(Invalid):
    """Evidence whose bytes are not those its name promises."""

    type, title = "hash-mismatch", "The evidence is not what its name says"


class MissingEvidence(Invalid):
    """Evidence that neither came along nor is stored."""

    type, title = "missing-evidence", "Evidence is missing"


class TooEarly(Invalid):
    """A re-check's look from before the department's answer."""

    type, title = "too-early", "The look is older than the answer"


class BadMapping(Invalid):
    """A mapping of messages that cannot be read, or not be kept."""

    type, title = "bad-mapping", "The mapping cannot be used"


class BadPolygon(Invalid):
    """A polygon that encloses nothing, or crosses itself; `fault` says where."""

    type, title = "bad-polygon", "The polygon cannot be used"

    def __init__(self, field: str, value: object, allowed: str, **where: Any) -> None:
        super().__init__(field, value, allowed)
        self.extra |= where


class Purged(HubError):
    """Evidence that is no longer kept."""

    status, type, title = 410, "purged", "No longer kept"

    def __init__(self, sha256: str, purged_at: str) -> None:
        super().__init__(f"evidence {sha256!r} was purged when its time was over", purged_at=purged_at)


class Refused(HubError):
    """A file of which nothing was taken over; every problem in it."""

    status, type, title = 422, "refused", "The file cannot be used"

    def __init__(self, what: str, problems: list[str]) -> None:
        shown = problems[:200]
        super().__init__(f"{what}: {len(problems)} problems", problems=shown, count=len(problems))


class TooLarge(HubError):
    """More bytes than allowed."""

    status, type, title = 413, "too-large", "Too large"

    def __init__(self, what: str, allowed_bytes: int) -> None:
        super().__init__(f"{what} is larger than {allowed_bytes} bytes", allowed=allowed_bytes)


class Conflict(HubError):
    """The thing is not as the request supposes."""

    status, type, title = 409, "conflict", "Conflict"


class AlreadyDecided(Conflict):
    """Somebody else was first."""

    type, title = "already-decided", "Already decided"

    def __init__(self, by: str, by_name: str, decision: str) -> None:
        super().__init__(f"{by_name} has already decided: {decision}", by=by, by_name=by_name, decision=decision)


class Claimed(Conflict):
    """Somebody else has it in hand."""

    type, title = "claimed", "Somebody else has it in hand"

    def __init__(self, by: str, by_name: str) -> None:
        super().__init__(f"{by_name} has it in hand", by=by, by_name=by_name)


class TooLate(Conflict):
    """It can't be undone any more."""

    type, title = "too-late", "Too late to undo"


class Taken(Conflict):
    """The id, or the place, is in use."""

    type, title = "taken", "In use"


class SavedSince(Conflict):
    """Somebody saved it after it was read: `version` is the one that stands now, `wanted` the one that was read."""

    type, title = "saved-since", "Somebody saved it in the meantime"

    def __init__(
        self, what: str, version: int, wanted: int, by: str | None, by_name: str | None, at: str | None
    ) -> None:
        super().__init__(
            f"{by_name or 'somebody'} saved {what} at {at or 'an unknown time'} (version {version}, read was {wanted})",
            version=version, wanted=wanted, by=by, by_name=by_name, at=at,
        )  # fmt: skip


class Barred(Conflict):
    """The table has the move, but something stands against it; `why` says what, in a word that programs can read.

    pending_request, no_request, overdue, used_up, not_timed_out, parts_open, same_person, not_met, window_over,
    reopened, not_yours, no_limit, no_grid, merged, until_over; of models: shadow_runs, no_shadow, other_weights,
    thin_…, worse_….
    """

    type, title = "barred", "Something stands against it"

    def __init__(self, why: str, message: str, **extra: Any) -> None:
        super().__init__(message, why=why, **extra)
        self.why = why


class NotSignedIn(HubError):
    """No session or token, or not valid any more."""

    status, type, title = 401, "not-signed-in", "Sign in first"


class Forbidden(HubError):
    """Signed in, but not allowed."""

    status, type, title = 403, "forbidden", "Not allowed"


class OutsideScope(Forbidden):
    """There is such a thing, outside the grids that the person was given."""

    type, title = "outside-scope", "Outside your data scope"

    def __init__(self, what: str, id_: str) -> None:
        super().__init__(f"{what} {id_!r} lies outside the grids of your data scope", what=what, id=id_)


class PasswordChangeRequired(Forbidden):
    """The one-time password must be changed first."""

    type, title = "password-change-required", "Change the password first"

    def __init__(self) -> None:
        super().__init__("the one-time password must be changed first: POST /api/session/password")


class Full(HubError):
    """No room for one more just now."""

    status, type, title = 503, "full", "No room just now"


class Away(HubError):
    """A camera that gives no picture just now."""

    status, type, title = 504, "away", "The camera gives no picture"


class TooOften(HubError):
    """More than may be sent; nothing of it was taken."""

    status, type, title = 429, "too-often", "Too often"

    def __init__(self, what: str, wait_s: float) -> None:
        self.wait_s = math.ceil(round(wait_s, 3))
        super().__init__(f"{what}; try again in {self.wait_s} s", retry_after_s=self.wait_s)


class TooManyTries(TooOften):
    """Sign-in failed too often."""

    status, type, title = 429, "too-many-tries", "Too many tries"

    def __init__(self, wait_s: float) -> None:
        super().__init__("too many failed sign-ins", wait_s)
