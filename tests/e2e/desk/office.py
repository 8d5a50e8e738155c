"""A hub without workers, into which the test posts findings as a worker would: over HTTP, with the worker's token."""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import httpx
import numpy as np

from hub.jpeg import encode_jpeg
from ingest.media import picture_strip
from tests.e2e.city import City, Json

CAMERAS = ("cam-01", "cam-02", "cam-03", "cam-04")
PAVEMENT = [[0.05, 0.3], [0.95, 0.3], [0.95, 0.95], [0.05, 0.95]]


def picture(text: str, seed: int) -> bytes:
    """A JPEG of 1280 x 720 that differs for each seed and says `text`."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(40, 200, (9, 16, 3), dtype=np.uint8), (1280, 720), interpolation=cv2.INTER_CUBIC)
    cv2.putText(image, text, (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 3, (255, 255, 255), 6)
    return bytes(cv2.imencode(".jpg", image)[1].tobytes())


class Office(City):
    """`with Office(folder) as office:` starts the hub, with four cameras; `office.find(...)` raises an alert."""

    def __enter__(self) -> Office:
        self._spots = itertools.count(1)  # each finding is at a place of its own: nothing is absorbed or suppressed
        self.people: dict[str, httpx.Client] = {}
        self.start_hub()
        self.admin = self._first_sign_in()
        for number, camera in enumerate(CAMERAS):
            self.add("cameras", _camera(camera, number))
        self._worker = httpx.Client(base_url=self.url, timeout=20, headers={"Authorization": f"Bearer {self._token()}"})
        self._clients.append(self._worker)
        return self

    def _token(self) -> str:
        return (self.folder / "hub" / "worker.token").read_text().strip()

    def colleague(self, name: str, role: str, department: str | None = None) -> httpx.Client:
        """A new user of `role`, who is remembered in `people`."""
        self.people[name] = self.person(name, role, department)
        return self.people[name]

    def find(
        self,
        camera: str,
        kind: str = "garbage_exposed",
        minutes_ago: float = 12.0,
        before: bool = False,
        clip: bytes | None = None,
        **more: Any,
    ) -> Json:
        """Post a finding with its picture (and `clip`, MP4, as a worker would); returns {alert, outcome, …}.

        `more`: fields of the finding on the wire, in place of the usual ones.
        """
        seed = int(hashlib.sha256(f"{camera}{kind}{minutes_ago}".encode()).hexdigest()[:8], 16)
        pictures = {"frame": picture(camera, seed)} | ({"before": picture("before", seed + 1)} if before else {})
        if clip is not None:
            strip = picture_strip(clip)
            pictures |= {"clip": clip} | ({} if strip is None else {"strip": encode_jpeg(strip)})
        at = datetime.now(UTC)
        finding: dict[str, Any] = {
            "id": uuid.uuid4().hex,
            "kind": kind,
            "source": {"camera": camera, "preset": f"p{next(self._spots)}"},
            "at": at.isoformat(),
            "since": (at - timedelta(minutes=minutes_ago)).isoformat(),
            "score": 0.87,
            "boxes": [[0.3, 0.4, 0.6, 0.8]],
            "zone": "人行道",
            "model": {"name": "street", "version": "1"},
            "evidence": [
                {"role": role, "sha256": hashlib.sha256(jpeg).hexdigest(), "media_type": _media(role)}
                for role, jpeg in pictures.items()
            ],
        } | more
        files = [("finding", (None, json.dumps(finding), "application/json"))]
        for role, jpeg in pictures.items():
            digest = hashlib.sha256(jpeg).hexdigest()
            files.append((digest, (digest, jpeg, _media(role))))  # type: ignore[arg-type]
        answer = self._worker.post("/api/findings", files=files)
        assert answer.status_code == 201, answer.text
        body: Json = answer.json()
        assert body["outcome"] == "opened"
        return body

    def look(self, camera: str) -> None:
        """Say that the camera works, and put its newest look, as a worker does."""
        at = datetime.now(UTC).isoformat()
        status = {"worker": "test", "cameras": [{"id": camera, "state": "online", "since": at, "last_look_at": at}]}
        assert self._worker.post("/api/worker/status", json=status).status_code == 200
        headers = {"Content-Type": "image/jpeg", "X-Captured-At": at}
        answer = self._worker.put(f"/api/cameras/{camera}/look", content=picture("look", 1), headers=headers)
        assert answer.status_code == 200, answer.text

    def answer_recheck(self, case: str, present: bool) -> None:
        """Look again for that case as a worker would, as often as the hub wants it, each time with a picture."""
        wanted = self.until(lambda: self._recheck(case), 10, "the re-check is in the worker's assignment")
        for number in range(wanted["looks"]):
            jpeg = picture(f"look {number}", 100 + number)
            digest = hashlib.sha256(jpeg).hexdigest()
            look = {
                "captured_at": datetime.now(UTC).isoformat(),
                "present": present,
                "score": 0.0,
                "boxes": [],
                "why": "",
            }
            files = [("look", (None, json.dumps(look), "application/json")), (digest, (digest, jpeg, "image/jpeg"))]
            answer = self._worker.post(f"/api/rechecks/{wanted['id']}/looks", files=files)  # type: ignore[arg-type]
            assert answer.status_code in (200, 201), answer.text

    def _recheck(self, case: str) -> Json | None:
        assignment = self.get(self._worker, "worker/assignment", shard="0/1")
        return next((r for r in assignment["rechecks"] if r["case"] == case), None)


def _media(role: str) -> str:
    return "video/mp4" if role == "clip" else "image/jpeg"


def _camera(camera: str, number: int) -> Json:
    return {
        "id": camera,
        "name": f"北大街{number + 1}号杆",
        "url": f"rtsp://127.0.0.1:9/{camera}",
        "lon": 107.64 + number * 0.002,
        "lat": 35.73,
        "address": f"北大街{number * 10 + 1}号",
        "tasks": [{"kind": "garbage_exposed", "zone": {"name": "人行道", "points": PAVEMENT}}],
    }
