"""What leaves the house: CloudEvents in Standard Webhooks envelopes, written with the move they tell of, then sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import logging
import random
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from .config import Webhook
from .house import House
from .store import Transaction
from .store import delivery_queries as ask
from .store.rows import DeliveryRow, EndpointRow

log = logging.getLogger("hub.outbox")

PREFIX = "cn.gridhub."
RETRY_AFTER_S = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Waits before each try (Standard Webhooks' schedule, domain.md §7.3); after the last one the delivery is given up."""
_JITTER = 0.2
_TIMEOUT_S = 20.0
_AT_ONCE = 50
_PAUSE_S = 5.0
"""After a fault of the database."""


def announce(tx: Transaction, house: House, component: str, what: str, subject: str, data: dict[str, Any]) -> None:
    """Write event `what` ("case.filed") for every webhook that wants it; sent after the commit."""
    hooks = [h for h in house.settings.webhooks if not h.types or PREFIX + what in h.types]
    if not hooks:
        return
    now, event_id = house.now(), uuid4().hex
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/hub/{house.settings.district_code}/{component}",
        "type": PREFIX + what,
        "time": now.isoformat(),
        "subject": subject,
        "datacontenttype": "application/json",
        "data": data,
    }
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    gone = ask.disabled(tx)
    for url in dict.fromkeys(h.url for h in hooks):
        if url not in gone:
            tx.add(
                DeliveryRow(
                    event_id=event_id,
                    url=url,
                    type=PREFIX + what,
                    body=body,
                    created_at=now,
                    state="pending",
                    next_at=now,
                )
            )
    tx.after(house.wake_outbox)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` + base64 of HMAC-SHA256 over "id.timestamp.body" (Standard Webhooks); `secret` is whsec_ + base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class AddressRefused(Exception):
    """A webhook that points into a private network it is not allowed to reach."""


def checked_address(url: str, allow: Sequence[str]) -> str:
    """The IP address to call for `url`: public, or in one of `allow` (networks, addresses or host names).

    The address that was checked is the one that is called, so that a name that resolves twice cannot slip through.
    Raises AddressRefused, OSError (the name does not resolve).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = str(info[4][0]).split("%")[0]
        if host in allow or _public(address) or _within(address, allow):
            return address
    raise AddressRefused(f"{host} is a private address and not in webhook_allow")


def _public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast


def _within(address: str, allow: Sequence[str]) -> bool:
    ip = ipaddress.ip_address(address)
    for item in allow:
        try:
            if ip in ipaddress.ip_network(item, strict=False):
                return True
        except ValueError:
            continue  # a host name, compared by the caller
    return False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try: `status` is 0 when nothing answered; `retry_after_s` is what the receiver asks for."""

    status: int
    error: str = ""
    retry_after_s: float | None = None


Send = Callable[[DeliveryRow, Webhook, datetime], Answer]


class Post:
    """Sends one delivery over HTTP."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._allow = allow
        self._http = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __call__(self, row: DeliveryRow, hook: Webhook, now: datetime) -> Answer:
        """One try; never raises for what the network or the receiver does."""
        body, stamp = row.body.encode(), int(now.timestamp())
        parts = urlsplit(hook.url)
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "gridhub",
            "Host": parts.netloc.rsplit("@", 1)[-1],
            "webhook-id": row.event_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(hook.secret, row.event_id, stamp, body),
        }
        try:
            address = checked_address(hook.url, self._allow)
            target = httpx.URL(hook.url).copy_with(host=address)
            extensions = {"sni_hostname": parts.hostname} if parts.scheme == "https" else {}
            answer = self._http.post(target, content=body, headers=headers, extensions=extensions)
        except AddressRefused as error:
            return Answer(0, str(error))
        except (httpx.TransportError, OSError) as error:
            return Answer(0, f"{type(error).__name__}: {error}")
        return Answer(answer.status_code, f"HTTP {answer.status_code}", _retry_after_s(answer, now))


def _retry_after_s(answer: httpx.Response, now: datetime) -> float | None:
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return min(float(value), 86400.0)
    try:
        return min(max((parsedate_to_datetime(value) - now).total_seconds(), 0.0), 86400.0) if value else None
    except (ValueError, TypeError):
        return None


def after_try(attempts: int, answer: Answer, now: datetime, jitter: float) -> tuple[str, datetime]:
    """(state, next time) after try number `attempts`; `jitter` is -1 to 1. Any 2xx arrived, 410 means never again."""
    if 200 <= answer.status < 300:
        return "sent", now
    if answer.status == 410:
        return "disabled", now
    if attempts >= len(RETRY_AFTER_S):
        return "dead", now
    wait_s = RETRY_AFTER_S[attempts] * (1 + _JITTER * jitter)
    return "pending", now + timedelta(seconds=max(wait_s, answer.retry_after_s or 0.0))


class Outbox(threading.Thread):
    """Delivers what is due; what is not delivered stays in the database over a restart.

    Each webhook has a line of its own, so that one that hangs until the time-out holds up no other.
    """

    def __init__(self, house: House, send: Send, wake: threading.Event) -> None:
        super().__init__(name="outbox", daemon=True)
        self._house, self._send, self._wake = house, send, wake
        self._hooks = {hook.url: hook for hook in house.settings.webhooks}
        self._ended = threading.Event()

    def end(self) -> None:
        """Stop after the deliveries in hand."""
        self._ended.set()
        self._wake.set()

    def run(self) -> None:
        """Until `end`: wakes the lines when something was announced."""
        urls = self._urls()
        lines = [_Line(self._house, self._send, url, self._hooks.get(url), self._ended) for url in sorted(urls)]
        for line in lines:
            line.start()
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            for line in lines:
                line.wake.set()
        for line in lines:
            line.join()

    def _urls(self) -> set[str]:
        """Webhooks that are configured, and those for which something waits from before."""
        while not self._ended.is_set():
            try:
                with self._house.db.read() as tx:
                    return {*self._hooks, *ask.pending_urls(tx)}
            except Exception:  # the thread must outlive a database that is away for a while
                log.exception("outbox: will try again")
                self._ended.wait(_PAUSE_S)
        return set()


class _Line(threading.Thread):
    """The deliveries to one webhook (None: one that is not configured any more), oldest first."""

    def __init__(self, house: House, send: Send, url: str, hook: Webhook | None, ended: threading.Event) -> None:
        super().__init__(name="outbox-line", daemon=True)
        self._house, self._send, self._url, self._hook, self._ended = house, send, url, hook, ended
        self.wake = threading.Event()

    def run(self) -> None:
        """Until the end; a database that is away is tried again."""
        while not self._ended.is_set():
            self.wake.clear()
            try:
                wait_s = 0.0 if self.send_due() else self._idle_s()
            except Exception:  # the thread must outlive a database that is away for a while
                log.exception("outbox: will try again")
                wait_s = _PAUSE_S
            if wait_s and not self._ended.is_set():
                self.wake.wait(wait_s)

    def send_due(self) -> int:
        """Try everything that is due; how many tries that were."""
        with self._house.db.read() as tx:
            rows = ask.due(tx, self._url, self._house.now(), _AT_ONCE)
            tx.expunge_all()
        for row in rows:
            if self._ended.is_set():
                break
            if self._hook is None:
                self._settle(row, Answer(0, "no webhook of this address is configured"))
            else:
                self._settle(row, self._send(row, self._hook, self._house.now()))
        return len(rows)

    def _settle(self, row: DeliveryRow, answer: Answer) -> None:
        now = self._house.now()
        with self._house.db.write() as tx:
            stored = tx.get(DeliveryRow, row.id)
            if stored is None or stored.state != "pending":
                return
            stored.attempts += 1
            stored.state, stored.next_at = after_try(stored.attempts, answer, now, random.uniform(-1, 1))
            stored.last_error = "" if stored.state == "sent" else answer.error[:500]
            self._house.tally.add("webhooks", stored.state if stored.state != "pending" else "failed")
            if stored.state == "disabled":
                tx.merge(EndpointRow(url=row.url, disabled_at=now, reason="410 Gone"))
                for other in ask.of_url(tx, row.url):
                    other.state = "disabled"
                tx.audit(now, "system", "webhook-disabled", _shown(row.url))
                log.warning("webhook %s answered 410: disabled", _shown(row.url))
            elif stored.state == "dead":
                log.warning("webhook %s: given up after %d tries: %s", _shown(row.url), stored.attempts, answer.error)

    def _idle_s(self) -> float:
        with self._house.db.read() as tx:
            due = ask.next_time(tx, self._url)
        if due is None:
            return 30.0
        return min(max((due - self._house.now()).total_seconds(), 0.05), 30.0)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
