"""The disk of the hub is full, then that of the worker: what is not stored is not acknowledged; all goes on after."""

from __future__ import annotations

import json
import resource
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.e2e.city import City, Process
from tests.peers.mosquitto import Mosquitto


def no_file_may_grow(process: Process, most: int) -> None:
    """As on a full disk: Python ignores the signal, the write fails."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def stored(city: City) -> list[Any]:
    return [row["value"] for row in city.get(city.admin, "readings", sensor="bin-1", hours=1)["items"]]


def send(broker: Mosquitto, first: int, count: int) -> None:
    times = [datetime.now(UTC).isoformat() for _ in range(count)]
    lines = [json.dumps({"device": "bin-1", "fill_pct": n / 100, "time": at}) for n, at in enumerate(times, first)]
    broker.publish_lines("gridhub/bin-1", lines)


def test_a_full_disk_costs_nothing_but_time(tmp_path: Path) -> None:
    with Mosquitto() as broker, City(tmp_path, broker=broker.url) as city:
        city.add("sensors", {"id": "bin-1", "name": "桶", "device": "bin-1", "profile": "bin_level", "every_s": 600})
        city.until(lambda: city.worker.said("assigned 0 cameras, 1 sensors"), 60, "the worker is ready")
        city.listening()
        send(broker, 0, 50)
        city.until(lambda: len(stored(city)) == 50, 60, "the first are in the hub")

        no_file_may_grow(city.hub, 4096)
        send(broker, 50, 50)
        city.until(lambda: city.worker.said("hub away"), 60, "the worker says that the hub takes nothing")
        assert len(stored(city)) == 50, "and it can still be read"
        no_file_may_grow(city.hub, resource.RLIM_INFINITY)
        city.until(lambda: len(stored(city)) == 100, 60, "what waited is in the hub")

        no_file_may_grow(city.worker, 4096)
        send(broker, 100, 50)
        said = city.until(lambda: city.worker.said("could not be stored"), 60, "the worker says that it stores nothing")
        assert "OperationalError" in said.string
        city.until(lambda: city.figure("gridhub_store_failures_total") >= 1, 30, "and so do the metrics")
        no_file_may_grow(city.worker, resource.RLIM_INFINITY)
        city.until(lambda: len(stored(city)) == 150, 90, "what the broker kept is in the hub")
        assert sorted(stored(city)) == [n / 100 for n in range(150)], "each once"
