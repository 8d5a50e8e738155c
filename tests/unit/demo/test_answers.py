"""The street only believes the hub's own signed webhooks."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from hub.demo.answers import HANDLED, Answer, AnswerRefused, read, verify

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, as long.").decode()
NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)


def event(type_: str = HANDLED, **data: object) -> bytes:
    body = {"specversion": "1.0", "id": "e1", "source": "/hub/621002/cases", "type": type_, "data": data}
    return json.dumps(body).encode()


def headers(body: bytes, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    signature = Webhook(secret).sign("e1", at, body.decode())
    return {"Webhook-Id": "e1", "Webhook-Timestamp": str(int(at.timestamp())), "Webhook-Signature": signature}


def test_a_delivery_signed_by_another_implementation_is_believed() -> None:
    body = event(camera="c01", kind="garbage_exposed", zone="pavement")
    assert read(verify(SECRET, headers(body), body, NOW)) == Answer("e1", "c01", "garbage_exposed", "pavement")


def test_one_good_signature_of_several_is_enough() -> None:
    body = event(sensor="s1", kind="bin_overflow")
    given = headers(body)
    given["Webhook-Signature"] = f"v1,AAAA v1a,BBBB {given['Webhook-Signature']}"
    assert read(verify(SECRET, given, body, NOW)) == Answer("e1", "s1", "bin_overflow", "")


@pytest.mark.parametrize("late_s", [-301, 301])
def test_an_old_or_future_delivery_is_refused(late_s: int) -> None:
    body = event(camera="c01", kind="x")
    with pytest.raises(AnswerRefused, match="timestamp"):
        verify(SECRET, headers(body), body, NOW + timedelta(seconds=late_s))


def test_a_changed_body_or_another_secret_is_refused() -> None:
    body = event(camera="c01", kind="x")
    with pytest.raises(AnswerRefused, match="signature"):
        verify(SECRET, headers(body), body + b" ", NOW)
    with pytest.raises(AnswerRefused, match="signature"):
        verify(SECRET, headers(body, OTHER), body, NOW)
    with pytest.raises(AnswerRefused, match="missing"):
        verify(SECRET, {}, body, NOW)


def test_other_events_are_no_answers() -> None:
    assert read(event("cn.gridhub.case.filed", camera="c01", kind="x")) is None


@pytest.mark.parametrize("body", [b"{", b"[]", event(), event(camera=3, kind="x"), event(camera="c01")])
def test_a_broken_event_is_refused(body: bytes) -> None:
    with pytest.raises(AnswerRefused):
        read(body)
