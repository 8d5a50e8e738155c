"""The command line as other programs rely on it: JSON on standard output, exit statuses, errors without tracebacks."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from tests.e2e.desk.office import Office
from tests.peers import free_port
from tests.peers.clips import encode, scene
from tests.peers.rendered import rendered_clip

ROOT = Path(__file__).resolve().parents[2]


def gridhub(*arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub.cli", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


# ── look ──


def test_look_prints_one_object(tmp_path: Path) -> None:
    clip = encode(scene(20), tmp_path / "street.mp4")
    done = gridhub("look", clip, "--json", "--out", tmp_path / "look.jpg")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert set(seen) == {"url", "width", "height", "codec", "captured_at", "latency_ms", "bytes"}
    assert (seen["width"], seen["height"], seen["codec"]) == (640, 360, "h264")
    assert datetime.fromisoformat(seen["captured_at"]).tzinfo is not None
    assert seen["bytes"] > 0
    assert (tmp_path / "look.jpg").read_bytes().startswith(b"\xff\xd8")


def test_a_dead_host_is_named_without_its_password() -> None:
    done = gridhub("look", f"rtsp://admin:hunter2@127.0.0.1:{free_port()}/stream", "--timeout", "5", "--json")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "unreachable" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_a_camera_that_says_nothing_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        done = gridhub("look", f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x", "--timeout", "3")
        assert done.returncode == 1
        assert time.monotonic() - started < 15


def test_an_unknown_scheme_is_bad_usage() -> None:
    done = gridhub("look", "gopher://127.0.0.1/x")
    assert done.returncode == 2
    assert "gopher" in done.stderr
    assert "rtsp" in done.stderr, "the error names what is allowed"


@pytest.mark.parametrize(
    "arguments", [("look",), ("dance",), ("demo", "--port", "0"), ("work", "--hub", "x", "--shard", "3/2")]
)
def test_bad_usage(arguments: tuple[str, ...]) -> None:
    assert gridhub(*arguments).returncode == 2


# ── replay ──


def test_replay_finds_rendered_garbage_on_the_footage_s_own_clock(tmp_path: Path) -> None:
    clip = rendered_clip(tmp_path / "dirty.mp4", "garbage")
    arguments = ("replay", clip, "--kinds", "garbage_exposed", "--every", "1", "--dwell", "3", "--json")
    done = gridhub(*arguments, "--start", "2026-11-23T10:00:00+08:00")
    assert done.returncode == 0, done.stderr
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert findings
    first = findings[0]
    assert {"kind", "category", "at", "since", "t", "t_since", "score", "boxes", "zone"} <= set(first)
    assert first["kind"] == "garbage_exposed"
    assert first["category"] == "06010"
    assert first["at"].startswith("2026-11-23")
    assert 3 <= first["t"] <= 15
    assert all(0 <= v <= 1 for box in first["boxes"] for v in box)
    again = gridhub(*arguments, "--start", "2026-11-23T10:00:00+08:00")
    assert again.stdout == done.stdout, "the same footage gives the same findings"


def test_replay_finds_nothing_in_a_clean_street(tmp_path: Path) -> None:
    clip = rendered_clip(tmp_path / "clean.mp4", None)
    done = gridhub("replay", clip, "--kinds", "garbage_exposed", "--every", "1", "--dwell", "3")
    assert (done.returncode, done.stdout) == (0, "")


def test_replay_names_its_mistakes(tmp_path: Path) -> None:
    assert gridhub("replay", tmp_path / "nothing.mp4").returncode == 1
    clip = encode(scene(10), tmp_path / "street.mp4")
    done = gridhub("replay", clip, "--kinds", "unicorn")
    assert done.returncode == 2
    assert "unicorn" in done.stderr
    assert "garbage_exposed" in done.stderr


def test_a_site_s_own_stanza_finds_parked_cars_with_another_model(tmp_path: Path) -> None:
    """The way of docs/engineers.md: only `vehicle` is in the site's models, so nothing else can have found it."""
    shutil.copytree(ROOT / "configs" / "kinds", tmp_path / "kinds")
    file = tmp_path / "kinds" / "vehicle_parking.yaml"
    stanza = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert stanza["look_for"]["model"] == "street"
    stanza["look_for"] |= {"model": "vehicle"}
    file.write_text(yaml.safe_dump(stanza, allow_unicode=True), encoding="utf-8")
    shutil.copytree(ROOT / "models" / "vehicle", tmp_path / "models" / "vehicle")
    config = tmp_path / "hub.yaml"
    config.write_text("kinds: kinds\nmodels: models\n")
    (tmp_path / "lane.json").write_text('{"name": "lane", "points": [[0, 0.96], [0, 0.7], [1, 0.5], [1, 0.72]]}')
    arguments = ("--config", config, "--kinds", "vehicle_parking", "--zone", tmp_path / "lane.json")

    def replayed(clip: Path) -> list[dict[str, object]]:
        done = gridhub("replay", clip, *arguments, "--every", "1", "--dwell", "5")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    found = replayed(rendered_clip(tmp_path / "parked.mp4", "vehicle", view_name="v24"))
    assert [(f["kind"], f["category"], f["zone"]) for f in found] == [("vehicle_parking", "09009", "lane")]
    assert replayed(rendered_clip(tmp_path / "passing.mp4", None, view_name="v24")) == []
    stanza["look_for"] |= {"model": "street"}
    file.write_text(yaml.safe_dump(stanza, allow_unicode=True), encoding="utf-8")
    done = gridhub("replay", tmp_path / "parked.mp4", *arguments)
    assert done.returncode != 0
    assert "'street' is not in" in done.stderr


# ── check ──


def test_check_passes_what_ships() -> None:
    done = gridhub("check", "--config", "configs/hub.yaml", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert report["counts"]["kinds"] >= 8
    assert report["counts"]["models"] >= 1


def test_check_lists_every_error_with_its_place(tmp_path: Path) -> None:
    kinds, models = tmp_path / "kinds", tmp_path / "models"
    shutil.copytree(ROOT / "configs" / "kinds", kinds)
    stanza = yaml.safe_load((kinds / "garbage_exposed.yaml").read_text(encoding="utf-8"))
    (kinds / "garbage_exposed.yaml").write_text(
        yaml.safe_dump(stanza | {"dwel": 3}, allow_unicode=True), encoding="utf-8"
    )
    shutil.copytree(ROOT / "models" / "street", models / "street")
    with (models / "street" / "street.onnx").open("ab") as weights:
        weights.write(b"x")
    config = tmp_path / "hub.yaml"
    config.write_text("kinds: kinds\nmodels: models\nlisten_prot: 1\n")
    done = gridhub("check", "--config", config)
    assert done.returncode == 2
    assert "listen_prot" in done.stderr
    config.write_text("kinds: kinds\nmodels: models\n")
    done = gridhub("check", "--config", config)
    assert done.returncode == 2
    assert "dwel" in done.stderr
    assert "garbage_exposed.yaml" in done.stderr
    assert "street.onnx" in done.stderr


# ── model ──


def test_model_list() -> None:
    done = gridhub("model", "list", "--json")
    assert done.returncode == 0, done.stderr
    street = next(m for m in json.loads(done.stdout) if m["name"] == "street")
    assert {"name", "version", "task", "labels", "kinds", "sha256"} <= set(street)
    assert "garbage_exposed" in street["kinds"]


# ── user ──


def test_a_user_made_beside_the_running_hub_signs_in_with_the_password_that_was_printed(tmp_path: Path) -> None:
    with Office(tmp_path, inside=True) as office:
        made = gridhub("user", "li", "--role", "department", "--department", "sanitation", "--config", office.config)
        once = re.search(r"one-time password (\S+)", made.stdout)
        assert once, made.stdout + made.stderr
        li = office.client()
        assert li.post("/api/session", json={"user": "li", "password": once[1]}).json()["must_change_password"] is True
