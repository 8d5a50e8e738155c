"""Everything that can go wrong while looking or listening, as one tree.

IngestError
├── InventoryError        a camera or sensor row that cannot be used (file, row, key, value, what is allowed)
│   └── WrongWatch        a way to look at a camera that does not go with its URL
├── SourceError           a camera that cannot be looked at now; `kind` is one word for the counters
│   ├── Unreachable       no route, refused, name unknown, time-out while connecting
│   ├── SignInRefused     401 / 403: wrong or missing user or password
│   ├── NotFound          the host answers, the path or stream does not exist
│   ├── NotVideo          something came, but no picture can be made of it
│   ├── Silent            connected, then nothing (or no keyframe) for too long
│   ├── Lost              the connection ended, or broke in mid-stream
│   └── Stale             the newest picture is older than the look that asked for it
└── PayloadError          a sensor message that cannot be read (topic, field, value)
"""

from __future__ import annotations

import re

from .said import Said

_USER_INFO = re.compile(
    r"""(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)
        (?: [^/\s'"]*@                                      # user:p@ss@
          | [^/\s'":@]*:(?!\d{1,5}(?:[/?\#\s'"]|$))[^\s'"]*@  # user:pa/ss@, but not host:554/path@2
        )""",
    re.VERBOSE,
)
_WHOLE_USER_INFO = re.compile(
    r"""(?P<scheme>\A\s*(?:[A-Z]+\s+)?[a-zA-Z][a-zA-Z0-9+.-]*://)
        (?: [^/]*@ | [^/:@]*:(?!\d{1,5}(?:[/?\#]|$)).*@ )""",
    re.VERBOSE | re.DOTALL,
)
"""The same where nothing but a URL stands: a password may then hold spaces and quotes too."""
_SECRET_FIELDS = re.compile(
    r"(?i)(?P<name>[?&;](?:[a-z_-]*(?:pass|pwd|token|secret|auth|key|sign)[a-z_-]*|loginpas|loginuse|user|username|usr)=)"
    r"[^&;\s'\"#]*"
)
_SECRETS_IN_PATH = re.compile(r"(?i)(?P<name>[/_](?:user|username|password|passwd|pwd)=)(?:(?!_[a-z]+=)[^/?&;\s'\"#])*")
"""As recorders write them: `/user=admin_password=abc_channel=1_stream=0.sdp`."""


def without_credentials(text: str) -> str:
    """`text` with users, passwords and secret query fields taken out of every URL in it."""
    bare = _USER_INFO.sub(r"\g<scheme>", text)
    return _SECRETS_IN_PATH.sub(r"\g<name>***", _SECRET_FIELDS.sub(r"\g<name>***", bare))


def shown_url(url: str) -> str:
    """A URL (or "PUT " and a URL), and nothing else, as it may be shown and logged."""
    return without_credentials(_WHOLE_USER_INFO.sub(r"\g<scheme>", url, count=1))


class IngestError(Exception):
    """Root of the tree; its text never holds credentials."""

    def __init__(self, message: str) -> None:
        super().__init__(without_credentials(message))


class InventoryError(IngestError):
    """A camera or sensor row that cannot be used."""


class WrongWatch(InventoryError):
    """A way to look at a camera that does not go with its URL; `allowed`: those that do."""

    def __init__(self, camera_id: str, watch: str, form: str) -> None:
        self.allowed = f"stay, patrol with {form}"
        super().__init__(f"camera {camera_id}: watch: {watch} does not go with {form}; allowed: stay, patrol")


class SourceError(IngestError):
    """A camera that cannot be looked at now."""

    kind = "failed"

    def said(self) -> Said:
        """As a camera's state says it: without the URL in front, which is shown beside it."""
        url, _, detail = str(self).partition(": ")
        return Said(str(self), self.kind, detail=detail if "://" in url else str(self))


class Unreachable(SourceError):
    """No connection could be made."""

    kind = "unreachable"


class SignInRefused(SourceError):
    """The camera wants another user or password."""

    kind = "sign_in_refused"


class NotFound(SourceError):
    """The host answers, but has no such stream."""

    kind = "not_found"


class NotVideo(SourceError):
    """What came is no picture."""

    kind = "not_video"


class Silent(SourceError):
    """Connected, but nothing (or no keyframe) came in time."""

    kind = "silent"


class Lost(SourceError):
    """The connection ended in mid-stream."""

    kind = "lost"


class Stale(SourceError):
    """The newest picture is older than the look that asked for it."""

    kind = "stale"


class PayloadError(IngestError):
    """A sensor message that cannot be read."""
