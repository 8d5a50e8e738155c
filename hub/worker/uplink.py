"""The worker's line to the hub: fetches the assignment, sends what the spool holds, retries for as long as it takes."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from ingest.supervisor import Backoff

from ..batch import halves, request
from .spool import Outgoing, Spool

log = logging.getLogger("worker.uplink")

POST_EVERY_S = 1.0
"""Readings wait this long for others to go with them, unless they fill a request: for the hub, one large batch is a
fraction of many small ones."""
_REFUSED = frozenset({400, 404, 409, 410, 413, 422})
"""Answers that will not change when the same request is sent again."""


class HubAway(Exception):
    """The hub can't be reached, or can't answer now; try again later."""


class Refused(Exception):
    """The hub will never take this request."""


class Uplink:
    """HTTP with the hub's bearer token. Methods raise HubAway or Refused, nothing else."""

    def __init__(self, hub_url: str, token: str, shard: str, timeout_s: float = 15.0) -> None:
        self._url, self._shard = hub_url, shard
        self._http = httpx.Client(base_url=hub_url, timeout=timeout_s, headers={"Authorization": f"Bearer {token}"})
        self._etag = ""

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def assignment(self) -> dict[str, Any] | None:
        """What this shard has to do, or None while nothing changed since the last call."""
        answer = self._send(
            "GET", "/api/worker/assignment", params={"shard": self._shard}, headers={"If-None-Match": self._etag}
        )
        if answer.status_code == 304:
            return None
        self._etag = answer.headers.get("ETag", "")
        body: dict[str, Any] = answer.json()
        return body

    def status(self, body: dict[str, Any]) -> bool:
        """Report cameras, sensors and counters; whether the hub wants to be told everything next time."""
        answer = self._send("POST", "/api/worker/status", json=body).json()
        return bool(answer.get("full"))

    def heard(self, body: dict[str, Any]) -> list[str]:
        """Tell of strangers and of devices' health; which of the strangers are registered with another worker."""
        answer = self._send("POST", "/api/worker/heard", json=body).json()
        return list(answer.get("registered") or ())

    def reborn(self, nodes: Sequence[str]) -> None:
        """Tell which edge nodes were asked for their births."""
        self._send("POST", "/api/worker/heard", json={"reborn": list(nodes)})

    def last_look(self, camera: str, captured_at: datetime, jpeg: bytes) -> None:
        """Show the newest picture of a camera on the screens."""
        headers = {"Content-Type": "image/jpeg", "X-Captured-At": captured_at.isoformat()}
        self._send("PUT", f"/api/cameras/{quote(camera, safe='')}/look", content=jpeg, headers=headers)

    def scores(self, rows: list[dict[str, Any]]) -> None:
        """Tell how the scores were spread since the last time."""
        self._send("POST", "/api/worker/scores", json={"rows": rows})

    def model_file(self, model: str, what: str) -> bytes:
        """The card or the weights of a model of the hub."""
        return self._send("GET", f"/api/worker/models/{model}/{what}").content

    def evidence(self, sha256: str) -> bytes:
        """An evidence file of the hub."""
        return self._send("GET", f"/api/evidence/{sha256}").content

    def readings(self, batches: Sequence[bytes]) -> None:
        """Send packed readings (idempotent by their keys)."""
        headers = {"Content-Type": "application/json"}
        self._send("POST", "/api/worker/readings", content=request(batches), headers=headers)

    def send(self, item: Outgoing, read_file: Callable[[str], bytes]) -> None:
        """Send a finding or a re-check look with its files (idempotent)."""
        if not item.files:
            self._send("POST", item.path, json=item.body)
            return
        files = [(sha256, (sha256, read_file(sha256), media)) for sha256, media in item.files.items()]
        self._send("POST", item.path, data={item.field: json.dumps(item.body)}, files=files)

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise HubAway(f"{self._url}: {type(error).__name__}: {error}") from None
        if answer.status_code in _REFUSED:
            raise Refused(f"{path}: {answer.status_code}: {answer.text[:300]}")
        if answer.status_code >= 300 and answer.status_code != 304:
            raise HubAway(f"{self._url}{path}: answered {answer.status_code}: {answer.text[:200]}")
        return answer


class Sender(threading.Thread):
    """Empties the spool into the hub, oldest first; one thread, so the order is kept."""

    def __init__(self, spool: Spool, uplink: Uplink, counters: Counter[str]) -> None:
        super().__init__(name="sender", daemon=True)
        self._spool, self._uplink, self._counters = spool, uplink, counters
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._backoff = Backoff(first_s=0.5, most_s=15.0)
        self._said = self._posted_s = 0.0

    def wake(self) -> None:
        """Something new is in the spool."""
        self._wake.set()

    def end(self) -> None:
        """Stop soon; what is left stays in the spool."""
        self._ended.set()
        self._wake.set()

    def run(self) -> None:
        """Send until ended."""
        while not self._ended.is_set():
            try:
                while not self._ended.is_set() and self._send_one():
                    pass
                busy = self._readings_are_due() and self._send_readings()
                self._backoff.reset()
            except HubAway as error:
                self._say(error)
                self._ended.wait(self._backoff.next_s())
                continue
            if not busy:
                self._wake.wait(POST_EVERY_S)
                self._wake.clear()

    def _send_one(self) -> bool:
        item = self._spool.next_outgoing()
        if item is None:
            return False
        try:
            self._uplink.send(item, self._spool.read_file)
        except Refused as error:
            log.warning("kept aside, the hub refuses it: %s", error)
            self._counters["dropped_refused"] += 1
            self._spool.refused(item, str(error))
            return True
        self._spool.sent(item)
        return True

    def _readings_are_due(self) -> bool:
        return self._spool.fills_a_request() or time.monotonic() - self._posted_s >= POST_EVERY_S

    def _send_readings(self) -> bool:
        last, batches = self._spool.unposted()
        if not batches:
            return False
        self._posted_s = time.monotonic()
        self._post(batches)
        self._spool.posted(last)
        return True

    def _post(self, batches: list[bytes]) -> None:
        """Send batches; when the hub refuses them, halve them until the one bad reading stands alone."""
        try:
            self._uplink.readings(batches)
        except Refused as error:
            parts = halves(b",".join(batches))
            if parts is None:
                log.warning("a reading was dropped, the hub refuses it: %s", error)
                self._counters["dropped_refused"] += 1
                return
            for part in parts:
                self._post([part])

    def _say(self, error: HubAway) -> None:
        """At most one line a minute while the hub is away."""
        if time.monotonic() - self._said > 60.0:
            self._said = time.monotonic()
            waiting = self._spool.waiting()
            log.warning(
                "hub away (%s); %d findings and %d readings wait", error, waiting["outgoing"], waiting["readings"]
            )
