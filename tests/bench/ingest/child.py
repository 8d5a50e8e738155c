"""A reader's own process: the job comes in on standard input, figures go out on standard output, a JSON line each."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from .job import Job, Looks, shown_of

_SETTLE_S, _SETTLE_MOST_S = 5.0, 60.0


class Reader(Protocol):
    """One way of reading cameras."""

    def start(self) -> None:
        """Begin to open and to look; returns soon."""

    def tell(self) -> dict[str, Any]:
        """What else it knows of itself."""


def serve(make: Callable[[Job, Looks], Reader]) -> None:
    """Start the reader, say when its streams are open, then answer until standard input ends."""
    logging.basicConfig(level=logging.ERROR)  # what a worker has to say of thousands of cameras is in the figures
    job = Job.load(sys.stdin.readline())
    looks = Looks(job)
    looks.keep_checking()
    before = _rss_bytes()
    reader = make(job, looks)
    reader.start()
    deadline_s = time.monotonic() + job.open_s
    while looks.seen() < len(job.urls) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    opened_s = job.open_s - (deadline_s - time.monotonic())
    _settle(job, looks)
    _say({"opened_s": opened_s, "seen": looks.seen(), "rss_before": before})
    for line in sys.stdin:
        word = json.loads(line)
        if "shown" in word:
            looks.show(shown_of(word["shown"]))
        _say(looks.tell(job.every_s) | reader.tell())
    os._exit(0)


def _settle(job: Job, looks: Looks) -> None:
    """Until no look of a whole interval was stale: whoever is still catching up is not measured."""
    time.sleep(max(_SETTLE_S, job.every_s * (job.options or {}).get("settle_looks", 0)))
    until_s = time.monotonic() + _SETTLE_MOST_S
    looks.tell(job.every_s)
    while time.monotonic() < until_s:
        time.sleep(job.every_s)
        if not looks.tell(job.every_s)["stale"]:
            return


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


def _rss_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
