"""The street's ear: checks the hub's signed webhooks (Standard Webhooks) and reads from them what a department did."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

HANDLED = "cn.gridhub.case.feedback"
TOLERANCE_S = 300.0


class AnswerRefused(ValueError):
    """A delivery that is not the hub's, not fresh, or not what the contract says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A department answered `handled` on the case: where it is, what it is, and the delivery's id."""

    id: str
    place: str
    kind: str
    zone: str


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bytes:
    """Return `body` if one of its v1 signatures is right and its time within 5 minutes of `now`; else AnswerRefused.

    `secret` is `whsec_` + base64; the signed text is `{id}.{timestamp}.{body}` (HMAC-SHA256).
    """
    given = {name.lower(): value for name, value in headers.items()}
    message, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not message or not stamp.isdigit():
        raise AnswerRefused("webhook-id or webhook-timestamp is missing")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise AnswerRefused(f"webhook-timestamp {stamp} is more than {TOLERANCE_S:.0f} s away from now")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = hmac.new(key, f"{message}.{stamp}.".encode() + body, hashlib.sha256).digest()
    for part in given.get("webhook-signature", "").split():
        version, _comma, encoded = part.partition(",")
        if version == "v1" and hmac.compare_digest(base64.b64encode(wanted).decode(), encoded):
            return body
    raise AnswerRefused("no webhook-signature fits")


def read(body: bytes) -> Answer | None:
    """The answer in a verified CloudEvent; None for events of other types. Raises AnswerRefused."""
    try:
        event: Any = json.loads(body)
    except ValueError:
        raise AnswerRefused("the body is not JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise AnswerRefused("the body is not a CloudEvent")
    if event["type"] != HANDLED:
        return None
    data = event.get("data")
    if not isinstance(data, dict):
        raise AnswerRefused("data: not an object")
    place = data.get("camera") or data.get("sensor")
    if not isinstance(place, str) or not isinstance(data.get("kind"), str):
        raise AnswerRefused("data: wanted kind, and camera or sensor")
    return Answer(str(event.get("id", "")), place, data["kind"], str(data.get("zone") or ""))
