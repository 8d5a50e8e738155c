"""`make soak`: a whole worker on N cameras for M minutes, every look checked, and what it uses sampled as it goes.

Writes soak.csv and soak.svg. With `--drop S` the server of all cameras but 50 goes away in mid-run for S seconds.
"""

from __future__ import annotations

import argparse
import csv
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.figures import figure
from tests.bench.ingest.job import Job, percentile
from tests.bench.ingest.paper_hub import PaperHub
from tests.bench.ingest.watched import Use, Watched
from tests.bench.plot import plot
from tests.peers.many_cameras import ManyCameras
from tests.peers.shown import FORMS, Shown

SAMPLE_S = 10.0
OTHERS = 50
"""Cameras of a second server, which nothing happens to."""
COLUMNS = (
    "minutes", "held", "rss_mb", "cpu_cores", "server_cores", "looks", "age_p50_s", "age_p99_s", "gap_p50_s",
    "gap_p95_s", "wrong", "stale", "unreadable", "misdated", "inferred_share", "sees",
)  # fmt: skip


def main() -> None:
    asked = _arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-"))
        server = stack.enter_context(ManyCameras(asked.cameras, FORMS[asked.size]))
        others = stack.enter_context(ManyCameras(OTHERS, FORMS[asked.size])) if asked.drop else None
        urls = server.urls + (others.urls if others else [])
        hub = stack.enter_context(PaperHub(urls, asked.watch, asked.every, asked.detect or asked.infer_all))
        options = {"hub": hub.url, "data": folder, "apart": asked.cameras, "infer_all": asked.infer_all}
        job = Job(urls, shown(server, others), asked.every, open_s=180.0, options=options)
        child = stack.enter_context(Watched("tests.bench.ingest.worker", job))
        run = Run(child, server, asked.out / "soak.csv")
        figure("soak", "all looked at first after", child.opened["opened_s"], "s")
        if others:
            run.go_on(asked.minutes * 30)
            dropped_and_let_back(run, server, others, asked.drop)
            run.go_on(asked.minutes * 30)
        else:
            run.go_on(asked.minutes * 60)
    what = f"{len(urls)} cameras {asked.size}, {asked.watch}, " + ("detection" if asked.detect else "reading only")
    run.tell(what, asked.out / "soak.svg")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description=__doc__)
    parser.add_argument("--cameras", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--size", choices=FORMS, default="360p")
    parser.add_argument("--watch", choices=("stay", "patrol"), default="stay")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between looks at a camera (default: 10)")
    parser.add_argument("--detect", action="store_true", help="gate, model and rules on every look")
    parser.add_argument("--infer-all", action="store_true", help="the model sees every look, changed or not")
    parser.add_argument("--drop", type=float, default=0.0, help="seconds that the server is away in mid-run")
    parser.add_argument("--out", type=Path, default=Path(".make/soak"), help="folder of soak.csv and soak.svg")
    return parser.parse_args()


def shown(server: ManyCameras, others: ManyCameras | None) -> list[Shown]:
    """What each camera of the job shows."""
    every = [server.showing(n) for n in range(server.count)]
    return every + ([others.showing(n) for n in range(others.count)] if others else [])


@dataclass
class Run:
    """The samples of one run, in memory and in a CSV file."""

    child: Watched
    server: ManyCameras
    csv_path: Path
    rows: list[dict[str, float]] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    gaps_s: list[float] = field(default_factory=list)
    others_gaps_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began_s = time.monotonic()
        self.child.tell()
        self._use, self._server_use = self.child.use(), Use.of(self.server.pid)
        self._counters: dict[str, float] = {}
        with self.csv_path.open("w", newline="") as file:
            csv.writer(file).writerow(COLUMNS)

    def go_on(self, seconds: float) -> None:
        """Sample for that long."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(SAMPLE_S, left_s))
            self.sample()

    def sample(self, shown: list[Shown] | None = None) -> dict[str, Any]:
        """One row; gives back what the worker told."""
        told = self.child.tell(shown)
        use, server = self.child.use(), Use.of(self.server.pid)
        took_s = max(1e-6, use.at_s - self._use.at_s)
        counters = told["counters"]
        inferred = self._since(counters, "pipeline_looks") - self._since(counters, "pipeline_gated")
        row = {
            "minutes": (use.at_s - self._began_s) / 60,
            "held": told["held"],
            "rss_mb": use.rss / 1e6,
            "cpu_cores": (use.cpu_s - self._use.cpu_s - told["checking_s"]) / took_s,
            "server_cores": max(0.0, server.cpu_s - self._server_use.cpu_s) / took_s,
            "inferred_share": inferred / max(1.0, self._since(counters, "pipeline_looks")),
            "sees": told["states"].get("online", 0),
        }
        row |= {name: told[name] for name in ("looks", "wrong", "stale", "unreadable", "misdated")}
        for name, values in (("age", told["ages_s"]), ("gap", told["gaps_s"])):
            row |= {f"{name}_p{share}_s": percentile(values, share) for share in (50, 95, 99)}
        self.rows.append(row)
        self.ages_s += told["ages_s"]
        self.gaps_s += told["gaps_s"]
        self.others_gaps_s += told["apart_gaps_s"]
        self._use, self._server_use, self._counters = use, server, counters
        with self.csv_path.open("a", newline="") as file:
            csv.writer(file).writerow([round(row[name], 4) for name in COLUMNS])
        return told

    def _since(self, counters: dict[str, float], name: str) -> float:
        return counters.get(name, 0) - self._counters.get(name, 0)

    def tell(self, what: str, svg_path: Path) -> None:
        """Figures, and the plot."""
        minutes = [row["minutes"] for row in self.rows]
        names = ("rss_mb", "cpu_cores", "age_p99_s", "gap_p95_s", "held", "inferred_share")
        plot(svg_path, what, minutes, {name: [max(0.0, row[name]) for row in self.rows] for name in names})
        late = self.rows[len(self.rows) // 5 :]
        rss = [row["rss_mb"] for row in late]
        slope = float(np.polyfit([row["minutes"] / 60 for row in late], rss, 1)[0]) if len(late) > 2 else 0.0
        for name, value, unit in (
            ("minutes", minutes[-1], "min"),
            ("held at the end", self.rows[-1]["held"], "cameras"),
            ("CPU", float(np.mean([row["cpu_cores"] for row in self.rows])), "cores"),
            ("server CPU", float(np.mean([row["server_cores"] for row in self.rows])), "cores"),
            ("RSS at the end", rss[-1], "MB"),
            ("RSS most", max(row["rss_mb"] for row in self.rows), "MB"),
            ("RSS growth after the first fifth", slope, "MB/h"),
            ("look age p50", percentile(self.ages_s, 50), "s"),
            ("look age p99", percentile(self.ages_s, 99), "s"),
            ("interval p50", percentile(self.gaps_s, 50), "s"),
            ("interval p95", percentile(self.gaps_s, 95), "s"),
            ("interval p99", percentile(self.gaps_s, 99), "s"),
            ("share inferred", float(np.mean([row["inferred_share"] for row in late])), "of looks"),
        ):
            figure("soak", name, value, unit)
        for name in ("looks", "wrong", "stale", "unreadable", "misdated"):
            figure("soak", name, sum(row[name] for row in self.rows), "pictures")
        print(f"{what}: {self.csv_path}, {svg_path}")


def dropped_and_let_back(run: Run, server: ManyCameras, others: ManyCameras, away_s: float) -> None:
    """Every camera of `server` is lost at once and comes back `away_s` later: how soon is each looked at again?"""
    run.others_gaps_s.clear()
    server.kill()
    with Turnstile(server.port) as turnstile:
        run.go_on(away_s)
    server.start_again()
    back_s = time.time()
    run.sample(shown(server, others))
    told: dict[str, Any] = {"first_s": []}
    while len(told["first_s"]) < server.count + others.count and time.time() < back_s + 180:
        time.sleep(2.0)
        told = run.sample()
    again_s = [at - back_s for at in told["first_s"]]
    figure("soak", "dropped: away for", away_s, "s")
    figure("soak", "dropped: looked at again", len(again_s), f"of {server.count + others.count}")
    for share in (50, 95, 100):
        figure("soak", f"dropped: looked at again p{share}", percentile(again_s, share), "s")
    for share in (50, 99, 100):
        figure("soak", f"dropped: others' interval p{share}", percentile(run.others_gaps_s, share), "s")
    figure("soak", "dropped: attempts while away", len(turnstile.came_s), "connections")
    figure("soak", "dropped: attempts a second, most", turnstile.most_in(1.0), "connections")
    figure("soak", "dropped: attempts in 100 ms, most", turnstile.most_in(0.1), "connections")


class Turnstile:
    """Listens where the server was, counts who comes, and lets nobody in."""

    def __init__(self, port: int) -> None:
        self.came_s: list[float] = []
        self._server = socket.create_server(("127.0.0.1", port), backlog=4096)
        threading.Thread(target=self._turn_away, daemon=True).start()

    def _turn_away(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.came_s.append(time.monotonic())
                client.close()

    def most_in(self, span_s: float) -> int:
        """The most attempts within any such time."""
        return most_within(self.came_s, span_s)

    def __enter__(self) -> Turnstile:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def most_within(times_s: Sequence[float], span_s: float) -> int:
    """The most of these rising times that lie within any `span_s`."""
    most, first = 0, 0
    for n, at_s in enumerate(times_s):
        while at_s - times_s[first] > span_s:
            first += 1
        most = max(most, n - first + 1)
    return most


if __name__ == "__main__":
    main()
