"""`make bench-sensors`: QoS 1 messages from a real Mosquitto through worker and hub into SQLite, and others beside it.

Each message holds two readings and is counted once the hub has it: received, decoded, judged by the rules, on the
worker's disk, acknowledged, posted, on the hub's disk. Meanwhile smoke detectors alarm, to be timed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import figure
from tests.bench.ingest.job import percentile
from tests.e2e.city import ROOT
from tests.peers.mosquitto import Mosquitto

from .consumers import CONSUMERS
from .job import READINGS_A_MESSAGE, Job, Sample, told

ALARMS = 400


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-sensors ARGS=…", description=__doc__)
    parser.add_argument("--rate", type=float, default=10_000, help="messages a second offered (default: 10000)")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bins", type=int, default=1000, help="devices")
    parser.add_argument("--publishers", type=int, default=2)
    parser.add_argument("--database", default="", help="of the hub: a PostgreSQL URL in place of SQLite")
    parser.add_argument("--away", type=int, default=100_000, help="messages that come while the worker is away")
    parser.add_argument("--no-peers", action="store_true")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-sensors-") as folder,
        Job(Path(folder), asked.bins, ALARMS, asked.database) as job,
    ):
        gridhub(job, asked.rate, asked.seconds, asked.publishers)
        if asked.away:
            backlog(job, asked.away)
    if not asked.no_peers:
        for name in CONSUMERS:
            peer(name, int(min(asked.rate * asked.seconds, 100_000)))


def gridhub(job: Job, rate: float, seconds: float, publishers: int) -> None:
    before = job.sample()
    at_work = job.publish(rate, seconds, publishers, 0.25)
    while any(process.poll() is None for process in at_work):
        time.sleep(1.0)
        job.sample()
    ends = told(at_work)
    sent, alarms = int(sum(end["acknowledged"] for end in ends)), int(sum(end["alarms"] for end in ends))
    readings = (sent - alarms) * READINGS_A_MESSAGE + alarms
    last = job.until_stored(before.stored + readings, 120)
    began_s = min(end["began_s"] for end in ends)
    offered_s = max(end["sent_s"] for end in ends)
    figure("sensors", "messages", sent, "messages")
    figure("sensors", "offered", sent / offered_s, "messages/s")
    figure("sensors", "stored and evaluated", sent / (last.at_s - began_s), "messages/s")
    figure("sensors", "behind at the end of sending", last.at_s - began_s - offered_s, "s")
    figure("sensors", "lost", readings - job.distinct() if not job.database else readings - last.stored, "readings")
    _costs(before, last, sent)
    publishing = sum(end["cpu_s"] for end in ends)
    figure("sensors", "CPU of the publishers", publishing / sent * 1e5, "s/100,000")
    if not job.database:
        for what, delays in zip(("finding kept", "alert"), job.delays_s(), strict=True):
            for share in (50, 99, 100):
                figure("sensors", f"publish to {what} p{share}", percentile(delays, share), f"s (of {len(delays)})")
    for name in ("worker", "hub"):
        rss = [getattr(sample, name).rss / 1e6 for sample in job.samples]
        figure("sensors", f"RSS of the {name}, begin", rss[0], "MB")
        figure("sensors", f"RSS of the {name}, half-way", rss[len(rss) // 2], "MB")
        figure("sensors", f"RSS of the {name}, end", rss[-1], "MB")


def backlog(job: Job, count: int) -> None:
    """The worker is away, the broker keeps what comes; then it is back."""
    job.city.worker.end()
    before = job.sample()
    job.publish_all(count)
    job.city.worker.start()
    began_s, readings = time.time(), count * READINGS_A_MESSAGE
    last = job.until_stored(before.stored + readings, 300)
    figure("sensors", "buffered while away", count, "messages")
    figure("sensors", "all in the hub after", last.at_s - began_s, "s")
    figure("sensors", "lost of them", readings - (last.stored - before.stored), "readings")
    figure("sensors", "RSS of the worker after", last.worker.rss / 1e6, "MB")


def _costs(before: Sample, last: Sample, sent: int) -> None:
    for name in ("worker", "hub", "broker"):
        spent = getattr(last, name).cpu_s - getattr(before, name).cpu_s
        figure("sensors", f"CPU of the {name}", spent / sent * 1e5, "s/100,000")


def peer(name: str, count: int) -> None:
    """One consumer of its own, as fast as it can."""
    with Mosquitto() as broker:
        command = [sys.executable, "-m", "tests.bench.sensors.consumers", name, str(broker.port), str(count)]
        consumer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert consumer.stdout
        assert consumer.stdout.readline() == "ready\n"
        load = ["--rate=1e6", "--seconds=100", f"--count={count}"]
        publisher = [sys.executable, "-m", "tests.bench.sensors.publisher", str(broker.port), *load]
        with subprocess.Popen(publisher, cwd=ROOT, stdout=subprocess.DEVNULL):
            said = json.loads(consumer.communicate(timeout=120)[0].splitlines()[-1])
    figure("sensors", "messages", said["messages"] / said["wall_s"], "messages/s", name)
    figure("sensors", "CPU", said["cpu_s"] / said["messages"] * 1e5, "s/100,000", name)


if __name__ == "__main__":
    main()
