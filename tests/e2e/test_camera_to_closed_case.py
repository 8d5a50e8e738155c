"""From a camera on a real RTSP server to a closed case: every step by the processes and people that do it in a city."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np

from tests.e2e.city import City, Json
from tests.peers import footage
from tests.peers.clips import Image, encode, pictures_of
from tests.peers.rendered import rendered_clip
from tests.peers.rtsp_server import RtspServer


def confirmed(city: City, kind: str, unit: str) -> tuple[httpx.Client, httpx.Client, Json]:
    """Wait for the alert, look at its evidence, confirm it. Returns (staff, the department's clerk, the case)."""
    staff = city.person("zhang", "staff")
    clerk = city.person("li", "department", unit)
    alert = city.until(lambda: pending(city, staff, kind), 90, f"an alert of kind {kind}")
    assert alert["camera"] == "corner"
    picture = next(e for e in alert["evidence"] if e["role"] == "frame")
    content = city.evidence(staff, picture)
    assert hashlib.sha256(content).hexdigest() == picture["sha256"]
    assert alert["boxes"]
    assert alert["model"]["name"] == "street"

    case = city.do(staff, f"alerts/{alert['id']}/confirm")["case"]
    assert case["state"] == "dispatched", "a kind with one responsible unit is dispatched by itself"
    assert case["department"]["id"] == unit
    assert datetime.fromisoformat(case["deadline"]) > datetime.fromisoformat(case["opened_at"])
    again = staff.post(f"/api/alerts/{alert['id']}/confirm", json={})
    assert again.status_code == 409

    return staff, clerk, case


def walk(city: City, server: RtspServer, mount: str, clean: Path, kind: str, unit: str) -> Json:
    """Found, confirmed, answered too early, sent back by the re-check, handled, closed. Returns the case."""
    staff, clerk, case = confirmed(city, kind, unit)
    city.do(clerk, f"cases/{case['id']}/accept")
    city.do(clerk, f"cases/{case['id']}/feedback", {"text": "已清理（其实还没有）"})
    still_there = city.until(lambda: proposal(city, staff, case["id"]), 60, "the first re-check")
    assert still_there == "rework"
    city.do(staff, f"cases/{case['id']}/rework", {"reason": "复查画面中问题仍在"})

    server.play(mount, clean)  # the street really is cleaned now
    city.do(clerk, f"cases/{case['id']}/accept")
    city.do(clerk, f"cases/{case['id']}/feedback", {"text": "已清理"})
    assert city.until(lambda: proposal(city, staff, case["id"]), 60, "the second re-check") == "close"
    city.do(staff, f"cases/{case['id']}/close")
    closed = city.get(staff, f"cases/{case['id']}")
    assert closed["state"] == "closed"
    assert closed["rework_count"] == 1
    return closed


def pending(city: City, staff: httpx.Client, kind: str) -> Json | None:
    alerts = city.get(staff, "alerts", state="pending_review", kind=kind)["items"]
    return alerts[0] if alerts else None


def proposal(city: City, staff: httpx.Client, case: str) -> str | None:
    recheck = city.get(staff, f"cases/{case}")["recheck"]
    return recheck["proposal"] if recheck and recheck["state"] == "done" else None


def corner(city: City, url: str, kind: str, dwell_s: float, zone: Json | None = None) -> None:
    city.add(
        "cameras",
        {
            "id": "corner",
            "name": "南大街路口",
            "url": url,
            "watch": "stay",
            "every_s": 1,
            "lon": 107.63,
            "lat": 35.73,
            "clip": True,
            "tasks": [{"kind": kind, "dwell_s": dwell_s, "zone": zone}],
        },
    )


def test_rendered_garbage(tmp_path: Path) -> None:
    dirty, clean = rendered_clip(tmp_path / "dirty.mp4", "garbage"), rendered_clip(tmp_path / "clean.mp4", None)
    with RtspServer(auth=("digest", "admin", "s3cret-pw")) as server, City(tmp_path) as city:
        corner(city, server.play("/corner", dirty), "garbage_exposed", dwell_s=3)
        case = walk(city, server, "/corner", clean, "garbage_exposed", "sanitation")
        roles = {e["role"] for e in case["evidence"]}
        assert {"frame", "clip", "after"} <= roles
        shown = city.get(city.admin, "cameras")["items"][0]
        assert "s3cret-pw" not in str(shown)
        assert "s3cret-pw" not in city.tail()
    actions = [step["action"] for step in case["history"]]
    assert actions.count("feedback") == 2
    assert actions[-1] == "close"


def standing(picture: Image, seconds: float = 6.0, fps: int = 5) -> Iterator[Image]:
    """A fixed camera that sees `picture` for a while: the same street, with a sensor's noise."""
    rng = np.random.default_rng(7)
    for _ in range(int(seconds * fps)):
        yield np.clip(picture + rng.normal(0, 2.0, picture.shape), 0, 255).astype(np.uint8)


def test_a_real_car_in_a_no_parking_zone(tmp_path: Path) -> None:
    """Two moments of one real camera: a car in the lane, and the lane empty; each held, as if the car had stopped."""
    pictures = list(pictures_of(footage("intel_car-detection.mp4"), 12, 640, 2))
    parked = encode(standing(pictures[13]), tmp_path / "parked.mp4", fps=5, gop=5)
    empty = encode(standing(pictures[20]), tmp_path / "empty.mp4", fps=5, gop=5)
    lane = {"name": "lane", "points": [[0.25, 0.0], [0.7, 0.0], [0.7, 1.0], [0.25, 1.0]]}
    with RtspServer() as server, City(tmp_path, inside=True) as city:
        corner(city, server.play("/corner", empty), "vehicle_parking", dwell_s=5, zone=lane)
        city.until(
            lambda: city.get(city.admin, "cameras")["items"][0]["state"] == "online", 30, "the empty lane is seen"
        )
        server.play("/corner", parked)
        walk(city, server, "/corner", empty, "vehicle_parking", "traffic")


def test_a_real_fire_and_a_camera_that_is_turned_away(tmp_path: Path) -> None:
    fire = encode(pictures_of(footage("furg_house6.mp4"), 20, 640, 5), tmp_path / "fire.mp4", fps=5, gop=5)
    elsewhere = encode(pictures_of(footage("towncentre_bxc_302f.mp4"), 8, 640, 5), tmp_path / "else.mp4", fps=5, gop=5)
    with RtspServer() as server, City(tmp_path, inside=True) as city:
        corner(city, server.play("/corner", fire), "open_burning", dwell_s=3)
        staff, clerk, case = confirmed(city, "open_burning", "enforcement")
        city.do(clerk, f"cases/{case['id']}/accept")
        server.play("/corner", elsewhere)
        camera_state = lambda: city.get(staff, "cameras")["items"][0]["state"]  # noqa: E731
        city.until(lambda: camera_state() == "moved", 30, "the camera is seen to be turned")
        city.do(clerk, f"cases/{case['id']}/feedback", {"text": "已扑灭"})
        looked = city.get(staff, "cameras")["items"][0]["last_look_at"]
        city.until(lambda: city.get(staff, "cameras")["items"][0]["last_look_at"] > looked, 30, "a later look")
        recheck = city.get(staff, f"cases/{case['id']}")["recheck"]
        assert recheck["looks"] == [], "a camera that looks elsewhere proves nothing"
        city.do(staff, f"cases/{case['id']}/close", {"note": "现场核实已扑灭"})
        assert city.get(staff, f"cases/{case['id']}")["state"] == "closed", "a person may close all the same"
