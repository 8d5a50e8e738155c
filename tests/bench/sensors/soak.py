"""`make soak-sensors`: sensor messages at a steady rate for long: what waits where, how late alarms come, the cost.

Writes soak-sensors.csv and soak-sensors.svg, and the same as a PNG where Chromium is there.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.figures import figure
from tests.bench.ingest.job import percentile
from tests.bench.plot import plot

from .job import READINGS_A_MESSAGE, Job, Sample, told

SAMPLE_S = 5.0
ALARMS = 400
"""Smoke detectors that alarm in turn, one a second: each again only after its last alarm was long enough ago."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak-sensors ARGS=…", description=__doc__)
    parser.add_argument("--rate", type=float, default=5000, help="messages a second (default: 5000)")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--bins", type=int, default=1000, help="devices")
    parser.add_argument("--publishers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(".make/soak"), help="folder of the table and the plot")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-sensors-") as folder, Job(Path(folder), asked.bins, ALARMS) as job:
        run(job, asked)


def run(job: Job, asked: argparse.Namespace) -> None:
    table = asked.out / "soak-sensors.csv"
    first = job.sample()
    at_work, began_s = job.publish(asked.rate, asked.minutes * 60, asked.publishers, 1.0), time.time()
    rows: list[dict[str, float]] = []
    before = first
    while any(process.poll() is None for process in at_work):
        time.sleep(SAMPLE_S)
        now = job.sample()
        rows.append(row(first, before, now, began_s, asked.rate))
        before = now
        with table.open("w", newline="") as file:
            out = csv.DictWriter(file, list(rows[0]))
            out.writeheader()
            out.writerows(rows)
    ends = told(at_work)
    sent, alarms = (int(sum(end[name] for end in ends)) for name in ("acknowledged", "alarms"))
    readings = (sent - alarms) * READINGS_A_MESSAGE + alarms
    last = job.until_stored(first.stored + readings, 300)
    tell(job, first, last, rows, sent, readings)
    picture(f"{asked.rate:g} messages/s for {asked.minutes:g} min, {asked.bins} devices, SQLite", asked.out, rows)


def row(first: Sample, before: Sample, now: Sample, began_s: float, rate: float) -> dict[str, float]:
    """One line of the table."""
    took_s = now.at_s - before.at_s
    cores = {
        f"{name}_cores": (getattr(now, name).cpu_s - getattr(before, name).cpu_s) / took_s
        for name in ("worker", "hub", "broker")
    }
    behind = rate * (now.at_s - began_s) - (now.stored - first.stored) / READINGS_A_MESSAGE
    return {
        "minutes": (now.at_s - first.at_s) / 60,
        "stored_per_s": (now.stored - before.stored) / took_s / READINGS_A_MESSAGE,
        "lag_s": max(0.0, behind / rate),
        "spool_readings": now.waiting,
        "worker_mb": now.worker.rss / 1e6,
        "hub_mb": now.hub.rss / 1e6,
        "broker_mb": now.broker.rss / 1e6,
        **cores,
    }


def tell(job: Job, first: Sample, last: Sample, rows: list[dict[str, float]], sent: int, readings: int) -> None:
    figure("soak-sensors", "messages", sent, "messages")
    figure("soak-sensors", "lost", readings - job.distinct(), "readings")
    lags = [r["lag_s"] for r in rows]
    for share in (50, 99, 100):
        figure("soak-sensors", f"behind (sent to in the hub) p{share}", percentile(lags, share), "s")
    for what, delays in zip(("finding kept", "alert"), job.delays_s(), strict=True):
        for share in (50, 99, 100):
            figure("soak-sensors", f"publish to {what} p{share}", percentile(delays, share), f"s (of {len(delays)})")
    late = rows[len(rows) // 5 :]
    for name in ("worker", "hub", "broker"):
        memory = [r[f"{name}_mb"] for r in late]
        slope = float(np.polyfit([r["minutes"] / 60 for r in late], memory, 1)[0]) if len(late) > 2 else 0.0
        figure("soak-sensors", f"RSS of the {name}, end", memory[-1], "MB")
        figure("soak-sensors", f"RSS of the {name}, growth after the first fifth", slope, "MB/h")
        spent = getattr(last, name).cpu_s - getattr(first, name).cpu_s
        figure("soak-sensors", f"CPU of the {name}", spent / sent * 1e5, "s/100,000")


def picture(title: str, out: Path, rows: list[dict[str, float]]) -> None:
    """The plot, as SVG and PNG."""
    names = ("stored_per_s", "lag_s", "spool_readings", "worker_mb", "hub_mb", "broker_mb", "worker_cores", "hub_cores")
    minutes = [r["minutes"] for r in rows]
    svg = out / "soak-sensors.svg"
    plot(svg, title, minutes, {name: [r[name] for r in rows] for name in names})
    print(f"{title}: {out / 'soak-sensors.csv'}, {svg}")
    command: list[Any] = ["/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=920,1640"]
    png = out / "soak-sensors.png"
    if Path(command[0]).is_file():
        subprocess.run(
            [*command, f"--screenshot={png}", svg.resolve().as_uri()], check=False, capture_output=True, timeout=60
        )


if __name__ == "__main__":
    main()
