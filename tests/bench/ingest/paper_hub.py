"""A hub that only assigns: it takes whatever a worker sends, and counts it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from detectors.kinds import load_kinds

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("garbage_exposed", "open_burning")
"""What is looked for where detection is wanted: both by the shipped street model, anywhere in the picture."""


def number_of(camera_id: str) -> int:
    """Position in the job of the camera with that id."""
    return int(camera_id[1:])


class PaperHub:
    """`with PaperHub(urls, "stay", 10.0, detect=True) as hub: hub.url`. `counts`: requests by what they were about."""

    def __init__(
        self, urls: Sequence[str], watch: str, every_s: float, detect: bool, looking: dict[str, Any] | None = None
    ) -> None:
        tasks = [{"kind": kind, "zone": None, "dwell_s": None} for kind in KINDS] if detect else []
        kinds = load_kinds(ROOT / "configs" / "kinds")
        limits = {"platforms": {}, "per_host": len(urls), "visits_at_once": 512, "decode_threads": 0}
        self._assignment = {
            "version": "1",
            "kinds": {kind.id: kind.to_wire() for kind in kinds.values()},
            "profiles": {},
            "broker": None,
            "looking": limits | (looking or {}),
            "cameras": [_camera(n, url, watch, every_s, tasks) for n, url in enumerate(urls)],
            "sensors": [],
            "rechecks": [],
        }
        self.counts: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        assignment, counts = json.dumps(self._assignment).encode(), self.counts

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("ETag", '"1"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                counts["assignment"] += 1
                known = self.headers.get("If-None-Match") == '"1"'
                self.answer(304 if known else 200, b"" if known else assignment)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                counts[self.path.rsplit("/", 1)[-1]] += 1
                self.answer(200, b'{"ok": true, "full": false}')

            def do_PUT(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def __enter__(self) -> PaperHub:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _camera(n: int, url: str, watch: str, every_s: float, tasks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"c{n:04d}", "name": f"c{n:04d}", "url": url, "watch": watch, "every_s": every_s, "priority": 0,
        "preset": None, "place": None, "clip": False, "platform": "", "goto": "", "settle_s": 4.0, "tasks": tasks,
    }  # fmt: skip
