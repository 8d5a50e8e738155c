"""How the sensors' broker is reached: what the settings say of it, checked, and as the workers get it.

Certificates and keys travel as their text: a worker on another machine needs no files.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, who we are there, and how its messages are shared: the keys `broker…` of hub.yaml."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    session_s: int = 7 * 86400
    share: str = ""

    def problems(self) -> list[str]:
        """What does not fit together, one line each, beginning with the key."""
        url, found = urlsplit(self.url), list[str]()
        files = {
            "broker_ca": self.ca,
            "broker_certificate": self.certificate,
            "broker_key": self.key,
        }
        given = [key for key, path in files.items() if path is not None]
        if given and url.scheme != "mqtts":
            found.append(f"{given[0]}: needs a broker of mqtts://, not {url.scheme or 'nothing'}://")
        if (self.certificate is None) != (self.key is None):
            alone = "broker_certificate" if self.key is None else "broker_key"
            found.append(f"{alone}: stands alone; a certificate and its key go together")
        if self.share and url.query == "protocol=3.1.1":
            found.append("broker_share: needs MQTT 5, and the broker's address ends in ?protocol=3.1.1")
        if self.share and not re.fullmatch(r"[\w.-]{1,64}", self.share):
            found.append(f"broker_share: {self.share!r} is not up to 64 letters, digits, dots and dashes")
        return found or self._unfit()

    def _unfit(self) -> list[str]:
        """What is wrong within the files."""
        found, context = [], ssl.create_default_context()
        if self.ca is not None:
            try:
                context.load_verify_locations(cafile=self.ca)
            except (OSError, ssl.SSLError) as error:
                found.append(f"broker_ca: {self.ca} is not a certificate as PEM ({error})")
        if self.certificate is not None and self.key is not None:
            try:
                # An empty password, so that a key that has one is refused and nobody is asked at a terminal.
                context.load_cert_chain(self.certificate, self.key, password="")
            except (OSError, ssl.SSLError) as error:
                pair = f"{self.certificate} and {self.key}"
                found.append(f"broker_certificate: {pair} are not a certificate and its key without password ({error})")
        return found

    def to_wire(self, topics: Mapping[str, str]) -> dict[str, Any]:
        """For the assignment: holds secrets, like the addresses of cameras."""
        return {
            "url": self.url,
            "topics": dict(topics),
            "user": self.user or None,
            "password": self.password or None,
            "ca": _text(self.ca),
            "certificate": _text(self.certificate),
            "key": _text(self.key),
            "session_s": self.session_s,
            "share": self.share,
        }


def _text(path: Path | None) -> str | None:
    return None if path is None else path.read_text(encoding="utf-8")
