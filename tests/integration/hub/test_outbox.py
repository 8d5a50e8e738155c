"""Webhooks to a real HTTP server, checked with the standard's own library: signed, retried, never lost."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from hub.bootstrap import build_hub, utc_now
from hub.config import Settings, Webhook
from hub.outbox import RETRY_AFTER_S, AddressRefused, Answer, after_try, checked_address, signature
from hub.store.rows import DeliveryRow
from tests.peers import wait_until

from .conftest import MONDAY, City, Clock, serving_city

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LOCAL = ("127.0.0.0/8",)


@dataclass
class Inbox:
    """A receiver that answers with the next of `answers`, then 204."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.got]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box, lock = Inbox(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status, headers = box.answers.pop(0) if box.answers else (204, {})
                box.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    box.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield box
    server.shutdown()
    server.server_close()


@contextmanager
def sending_city(settings: Settings, rules: Any, url: str, *types: str) -> Iterator[City]:
    hooked = replace(settings, webhooks=(Webhook(url, SECRET, types),), webhook_allow=LOCAL)
    with serving_city(hooked, rules) as city:
        yield city


def states(city: City) -> list[str]:
    with city.hub.house.db.read() as tx:
        return [row.state for row in tx.query(DeliveryRow).order_by(DeliveryRow.id)]


def tries(city: City) -> list[int]:
    with city.hub.house.db.read() as tx:
        return [row.attempts for row in tx.query(DeliveryRow).order_by(DeliveryRow.id)]


def test_every_move_is_told_signed_and_in_order(settings: Settings, rules: Any, inbox: Inbox) -> None:
    with sending_city(settings, rules, inbox.url) as city:
        case = city.case(zone="门前")
        city.move("huan", case["id"], "accept")
        city.move("huan", case["id"], "feedback", text="已清理")
        city.move("wang", case["id"], "close")
        wait_until(lambda: len(inbox.got) == 6, what="6 webhooks")
    told = [event["type"].removeprefix("cn.gridhub.") for event in inbox.events()]
    assert told == [
        "alert.created", "alert.confirmed", "case.filed", "case.dispatched", "case.feedback", "case.closed",
    ]  # fmt: skip
    event = inbox.events()[-1]
    assert event["specversion"] == "1.0"
    assert event["source"] == "/hub/621002/cases"
    assert event["subject"] == case["number"]
    assert event["data"] == {
        "id": case["id"],
        "number": case["number"],
        "state": "closed",
        "kind": "garbage_exposed",
        "camera": "c1",
        "sensor": None,
        "preset": None,
        "zone": "门前",
        "department": "sanitation",
    }
    for headers, body in inbox.got:
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert headers["webhook-id"] == json.loads(body)["id"]


def test_the_standards_own_library_accepts_the_signature() -> None:
    import time

    body, stamp = b'{"type":"x"}', int(time.time())
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature(SECRET, "m1", stamp, body),
    }
    assert Receiver(SECRET).verify(body, headers) == {"type": "x"}
    with pytest.raises(WebhookVerificationError):
        Receiver(SECRET).verify(body + b" ", headers)


def test_what_the_receiver_gets_verifies(settings: Settings, rules: Any, inbox: Inbox) -> None:
    with sending_city(settings, rules, inbox.url, "cn.gridhub.alert.created") as city:
        city.clock.time = utc_now()
        city.case()
        wait_until(lambda: inbox.got, what="a webhook")
        wait_until(lambda: states(city) == ["sent"], what="its mark")
    headers, body = inbox.got[0]
    assert Receiver(SECRET).verify(body, headers)["type"] == "cn.gridhub.alert.created"
    assert len(inbox.got) == 1, "only the type it asked for"


def test_a_receiver_that_is_away_is_tried_again_over_a_restart(settings: Settings, rules: Any, inbox: Inbox) -> None:
    inbox.answers = [(503, {}), (500, {"Retry-After": "600"})]
    hooked = replace(
        settings, webhooks=(Webhook(inbox.url, SECRET, ("cn.gridhub.alert.created",)),), webhook_allow=LOCAL
    )
    with serving_city(hooked, rules) as city:
        city.post_finding(city.finding())
        wait_until(lambda: tries(city) == [1], what="the first try, noted before the clock goes on")
        city.clock.forward(seconds=7)  # 5 s and its jitter
        city.hub.house.wake_outbox()
        wait_until(lambda: tries(city) == [2], what="the second try")
        city.clock.forward(seconds=400)  # the schedule says 300 s, the receiver 600 s
        city.hub.house.wake_outbox()
        wait_until(lambda: states(city) == ["pending"], what="the mark of the second try")
    clock = Clock(MONDAY + timedelta(hours=1))
    again = build_hub(hooked, rules=rules, now=clock)
    again.start()
    wait_until(lambda: len(inbox.got) == 3, what="the third try, after the restart")
    again.stop()
    assert len({headers["webhook-id"] for headers, _body in inbox.got}) == 1


def test_a_receiver_that_hangs_holds_up_no_other(settings: Settings, rules: Any, inbox: Inbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # accepts, and never answers
        hanging = f"http://127.0.0.1:{deaf.getsockname()[1]}/hook"
        hooks = tuple(Webhook(url, SECRET, ("cn.gridhub.alert.created",)) for url in (hanging, inbox.url))
        with serving_city(replace(settings, webhooks=hooks, webhook_allow=LOCAL), rules) as city:
            for camera in ("c1", "c2"):
                city.post_finding(city.finding(camera=camera))
            wait_until(lambda: len(inbox.got) == 2, what="what goes to the other receiver")
            assert sum(tries(city)) <= 2, "the first try of the deaf one is still in hand"
            deaf.close()


def test_410_ends_it(settings: Settings, rules: Any, inbox: Inbox) -> None:
    inbox.answers = [(410, {})]
    with sending_city(settings, rules, inbox.url) as city:
        city.post_finding(city.finding())
        wait_until(lambda: states(city) == ["disabled"], what="the webhook's end")
        city.post_finding(city.finding(camera="c2"))
        assert states(city) == ["disabled"]
        assert "webhook-disabled" in city.who("boss").get("/api/audit").text
    assert len(inbox.got) == 1


def test_a_private_address_is_refused_unless_it_is_allowed(settings: Settings, rules: Any, inbox: Inbox) -> None:
    hooked = replace(settings, webhooks=(Webhook(inbox.url, SECRET),))
    with serving_city(hooked, rules) as city:
        city.post_finding(city.finding())

        def refused() -> bool:
            with city.hub.house.db.read() as tx:
                return "not in webhook_allow" in tx.query(DeliveryRow).one().last_error

        wait_until(refused, what="the refusal")
    assert inbox.got == []


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://10.1.2.3/", "http://[::1]/", "http://169.254.169.254/x", "http://[::ffff:10.0.0.1]/"],
)
def test_addresses_inside_are_known(url: str) -> None:
    with pytest.raises(AddressRefused):
        checked_address(url, ())
    assert checked_address(url, ("127.0.0.0/8", "10.0.0.0/8", "::1", "169.254.0.0/16", "::ffff:0:0/96"))


def test_the_schedule_of_tries() -> None:
    away = Answer(503)
    waits = []
    for attempts in range(1, len(RETRY_AFTER_S)):
        state, at = after_try(attempts, away, MONDAY, 0.0)
        assert state == "pending"
        waits.append((at - MONDAY).total_seconds())
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert after_try(10, away, MONDAY, 0.0)[0] == "dead"
    assert after_try(1, Answer(204), MONDAY, 0.0)[0] == "sent"
    assert after_try(1, Answer(302), MONDAY, 0.0)[0] == "pending"
    assert after_try(1, away, MONDAY, 1.0)[1] - MONDAY == timedelta(seconds=6)
    assert after_try(1, Answer(429, "", 60.0), MONDAY, -1.0)[1] - MONDAY == timedelta(seconds=60)
