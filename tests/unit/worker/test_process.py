"""What a worker does when it cannot keep what it saw: it goes on looking."""

from __future__ import annotations

import copy
import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors.errors import CatalogError
from detectors.finding import Finding
from detectors.kinds import load_kinds
from detectors.pipeline import Binding, CameraTask, Found, Pipeline
from detectors.sensing import load_profiles
from hub.worker.process import Worker, WorkerSettings, _Worthy
from hub.worker.spool import SpoolFull
from ingest.clock import utc_now
from ingest.frame import Frame
from ingest.sensors.mqtt import Message
from tests.conftest import ROOT
from tests.peers import wait_until
from tests.unit.detectors.made import ColourModel, kind

CONFIGS = ROOT / "configs"
PICTURE = np.full((90, 160, 3), 120, np.uint8)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(WorkerSettings("http://127.0.0.1:9", "t", "0/1", tmp_path, tmp_path, ZoneInfo("UTC")))
    yield made
    for part in (made._uplink, made._posting, made._spool):
        part.close()


class Finds:
    """A pipeline that finds something in each look."""

    def judge(self, jobs: object) -> list[Found]:
        now = utc_now()
        return [Found(Finding("f", "garbage_exposed", now, now, 0.9, camera="c"), PICTURE, None)]

    def save(self) -> None:
        return


@pytest.mark.parametrize("where", ["_spool.add_finding", "_rechecks.on_frame", "_sights.on_frame"])
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), SpoolFull("20000 findings wait for the hub")]
)
def test_a_full_disk_or_spool_does_not_end_the_looking(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    """It ended the worker, and again with the next finding after each start."""

    def full(*_: object) -> None:
        raise error

    owner, name = where.split(".")
    monkeypatch.setattr(getattr(worker, owner), name, full)
    pipeline: Any = Finds()
    judging = threading.Thread(target=worker._infer, daemon=True)
    judging.start()
    for n in range(3):
        worker._worthy.put("c", _Worthy(Frame("c", None, utc_now(), PICTURE), pipeline, None), 5.0)
        wait_until(lambda n=n: worker.counters["dropped_spool"] > n, 5)  # type: ignore[misc]
    worker._worthy.close()
    judging.join(5)
    assert not judging.is_alive()


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("database or disk is full"), SpoolFull("20000 findings wait")]
)
def test_nor_does_it_end_what_time_does(worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A door that was opened ten minutes ago is tried again, second by second; cameras do not wait for it."""
    ticks: list[int] = []

    def full(*_: object) -> None:
        ticks.append(1)
        if len(ticks) == 2:
            worker.stop()
        raise error

    monkeypatch.setattr(worker._listening, "tick", full)
    monkeypatch.setattr(worker, "_close", lambda threads: (worker._worthy.close(), worker._looker.stop()))
    monkeypatch.setattr(worker._uplink, "assignment", lambda: None)
    monkeypatch.setattr(worker, "_report", lambda: None)
    worker.run()
    assert len(ticks) == 2
    worker._shown.close()
    worker._sender.end()


def assignment() -> dict[str, Any]:
    """What a hub with two kinds, a profile and a camera sends."""
    looking = {"platforms": {}, "per_host": 4, "visits_at_once": 8, "decode_threads": 1}
    camera = {"id": "c1", "name": "c1", "url": "file:///none", "watch": "snapshot", "every_s": 60.0, "tasks": []}
    return {
        "kinds": {name: load_kinds(CONFIGS / "kinds")[name].to_wire() for name in ("bin_overflow", "garbage_exposed")},
        "profiles": {"bin_level": load_profiles(CONFIGS / "sensors")["bin_level"].wire},
        "cameras": [camera], "sensors": [], "rechecks": [], "looking": looking, "sensing": {"readings_per_s": 5.0},
        "decoding": {"skip_loop_filter": "h264", "hardware": ""},
    }  # fmt: skip


def test_what_a_newer_hub_says_besides_is_left_out_and_told_once(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """It ended the worker at each start, until somebody brought it up to date."""
    wire = copy.deepcopy(assignment())
    wire["kinds"]["garbage_exposed"] |= {"hue": "red", "rule": {**wire["kinds"]["garbage_exposed"]["rule"], "gait": 1}}
    wire["profiles"]["bin_level"] |= {
        "mood": "calm",
        "rules": [{**wire["profiles"]["bin_level"]["rules"][0], "pace": 2}],
    }
    sensor = {"id": "s1", "name": "s1", "device": "d", "profile": "bin_level", "every_s": 60.0}
    wire["sensors"] = [sensor | {"shade": "blue"}]
    for part, key in (("looking", "luck"), ("sensing", "tact"), ("decoding", "taste")):
        wire[part][key] = 1
    wire["cameras"][0]["lens"] = "wide"
    for _ in range(2):
        worker._apply(json.loads(json.dumps(wire)))
    assert worker._pipeline is not None
    assert set(worker._pipeline.kinds) == {"bin_overflow", "garbage_exposed"}
    assert worker._listening._unjudged == frozenset()
    lines = [r.getMessage() for r in caplog.records if "the hub is newer than this worker" in r.getMessage()]
    assert len(lines) == len(set(lines)) == 7
    for said in (
        "kind garbage_exposed: hue: unknown key", "kind garbage_exposed: rule.gait: unknown key",
        "profile bin_level: mood: unknown key", "profile bin_level: rules[0].pace: unknown key",
        "looking: luck: unknown key", "sensing: tact: unknown key", "decoding: taste: unknown key",
    ):  # fmt: skip
        assert any(line.startswith(said) for line in lines), (said, lines)


def test_values_that_only_a_newer_hub_knows_leave_out_what_they_are_of(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of them ended the worker at each start, with all its cameras and sensors."""
    wire = assignment()
    kinds, bins, (camera,) = wire["kinds"], wire["profiles"]["bin_level"], wire["cameras"]
    wire["profiles"]["bin_level"] = bins = bins | {"rules": bins["rules"][:1]}
    kinds["crowd"] = kinds["garbage_exposed"] | {"id": "crowd", "rule": {"type": "crowd", "dwell_s": 60}}
    kinds["bin_overflow"] |= {"rule": {"type": "heap", "dwell_s": 60}, "look_for": {"model": "street", "labels": ["x"]}}
    kinds["odour"] = kinds["garbage_exposed"] | {"id": "odour", "category": {"GB/T 47678.5": "A-1"}}
    wire["profiles"] |= {
        "nose": bins | {"id": "nose", "supply": "fusion"},
        "both": bins | {"id": "both", "rules": [*bins["rules"], bins["rules"][0] | {"id": "o", "kind": "odour"}]},
    }
    row = {"device": "d", "name": "s", "every_s": 60.0}
    wire["sensors"] = [row | {"id": p, "profile": p, "device": f"d-{p}"} for p in wire["profiles"]]
    camera["tasks"] = [{"kind": name} for name in ("crowd", "bin_overflow", "odour")]
    wire["cameras"].append(camera | {"id": "c2", "watch": "hover"})
    asked = {"not_before": "2026-11-28T00:00:00+00:00", "looks": 3, "every_s": 10.0}
    sources = {"r1": ("crowd", "c1", None), "r2": ("bin_overflow", None, "both"), "r3": ("odour", None, "both")}
    wire["rechecks"] = [asked | {"id": i, "kind": k, "camera": c, "sensor": s} for i, (k, c, s) in sources.items()]
    wire["decoding"]["skip_loop_filter"] = "av2"

    for _ in range(2):
        worker._apply(json.loads(json.dumps(wire)))
    assert worker._pipeline is not None
    assert {key: kind.rule is None for key, kind in worker._pipeline.kinds.items()} == {
        "garbage_exposed": False, "bin_overflow": True, "crowd": True,
    }, "sensors find them still"  # fmt: skip
    assert [camera.id for camera in worker._looker.states()] == ["c1"]
    assert worker._listening._unjudged == {"nose"}
    assert worker._listening._rules is not None
    assert worker._listening._rules.finds("both") == {"bin_overflow"}
    assert set(worker._rechecks._open) == {"r2"}
    assert worker.counters["dropped_task"] == 0

    wanted = (
        "kind crowd: rule.type: 'crowd'; allowed: presence,",
        "kind bin_overflow: rule.type: 'heap'; allowed: presence,",
        "kind odour: category.GB/T 47678.5: 'A-1'; allowed:",
        "profile nose: supply: 'fusion'; allowed:",
        "profile both: a rule that finds odour",
        "camera c2: 'hover' is not a valid Watch",
        "decoding: skip_loop_filter: 'av2'; allowed:",
    )
    lines = [r.getMessage() for r in caplog.records if "the hub is newer than this worker" in r.getMessage()]
    told = worker._counts()["left_out"]
    for said in wanted:
        assert [line.startswith(said) for line in lines].count(True) == 1, (said, lines)
        assert [line.startswith(said) for line in told].count(True) == 1, (said, told)
    assert len(lines) == len(told) == len(wanted), lines
    assert caplog.text.count("sensor nose: profile: 'nose'") == 1


def test_a_sensor_that_is_not_judged_is_heard_while_somebody_waits_for_it(worker: Worker) -> None:
    """A re-check of a sensor whose profile was left out ended the thread that listens."""
    wire = assignment()
    wire["profiles"]["bin_level"] |= {"supply": "fusion"}
    wire["sensors"] = [{"id": "s1", "name": "s1", "device": "d", "profile": "bin_level", "every_s": 60.0}]
    asked = {"id": "r", "kind": "bin_overflow", "sensor": "s1", "not_before": "2026-11-28T00:00:00+00:00"}
    wire["rechecks"] = [asked | {"looks": 3, "every_s": 10.0}]
    worker._apply(wire)
    at = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
    payload = json.dumps({"device": "d", "fill_pct": 95, "ts": at.isoformat()}).encode()
    worker._listening.on_batch([Message("gridhub/d", payload, at, retained=False, format="json")])
    assert worker.counters["readings"] == 1


def test_a_kind_that_cannot_be_looked_for_leaves_the_others(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    """It ended the worker as soon as it was assigned, with all its cameras and sensors."""

    def model(name: str) -> ColourModel:
        if name != "colours":
            raise CatalogError(f"model {name}: not in the catalog")
        return ColourModel()

    asked = {"garbage": ("colours", "garbage"), "fire": ("colours", "fire"), "smoke": ("other", "smoke")}
    kinds = {
        name: kind({"type": "dwell", "dwell_s": 60}, {"model": model, "labels": [label]}, id=name)
        for name, (model, label) in asked.items()
    }
    pipeline = Pipeline(kinds, model, None, ZoneInfo("UTC"))
    asked_of_it = CameraTask("c1", None, tuple(Binding(name) for name in kinds))
    tasks = worker._sound_tasks([asked_of_it], pipeline)
    pipeline.set_tasks(tasks)
    assert [[b.kind_id for b in task.bindings] for task in tasks] == [["garbage"]]
    assert "kind fire is not looked for here: kind fire: look_for: 'fire'; model colours has" in caplog.text
    assert "kind smoke is not looked for here: model other: not in the catalog" in caplog.text
