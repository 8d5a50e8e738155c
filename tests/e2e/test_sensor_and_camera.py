"""A sensor nobody registered, and the camera beside it: quarantine, adoption, a link, an alarm that asks for a look."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import httpx

from tests.e2e.city import City, Json
from tests.e2e.test_sensor_to_closed_case import Bin
from tests.peers.mosquitto import Mosquitto
from tests.peers.rendered import rendered_clip
from tests.peers.rtsp_server import RtspServer

DEVICE = "a84041ffff180001"


def alert_of(city: City, staff: httpx.Client, kind: str) -> Json | None:
    items = city.get(staff, "alerts", state="pending_review", kind=kind)["items"]
    return items[0] if items else None


def test_a_bin_and_the_camera_beside_it_agree(tmp_path: Path) -> None:
    dirty = rendered_clip(tmp_path / "dirty.mp4", "garbage")
    with Mosquitto() as broker, RtspServer() as server, City(tmp_path, broker.url, inside=True) as city:
        staff, engineer = city.person("zhang", "staff"), city.person("wu", "engineer")
        camera = {"id": "corner", "name": "路口", "url": server.play("/corner", dirty), "watch": "stay", "every_s": 1}
        task = {"kind": "garbage_exposed", "dwell_s": 86400}
        city.add("cameras", camera | {"lon": 107.63, "lat": 35.73, "clip": False, "tasks": [task]})
        city.until(lambda: city.worker.said("assigned 1 cameras, 0 sensors"), 60, "the worker knows the camera")
        city.listening()

        lid = Bin(broker.port)
        lid.says(20)
        (stranger,) = city.until(lambda: city.get(engineer, "quarantine")["items"], 60, "the device is in quarantine")
        assert (stranger["device"], stranger["suggested"], stranger["form"]) == (DEVICE, "bin_level", "chirpstack")
        assert json.loads(stranger["payload"])["object"]["fill_pct"] == 20
        adopted = {"id": "bin-457", "name": "457 号桶", "profile": "bin_level", "lon": 107.6301, "lat": 35.73}
        city.do(engineer, f"quarantine/{DEVICE}/adopt", adopted)
        city.until(lambda: city.worker.said("assigned 1 cameras, 1 sensors"), 30, "the worker knows the sensor")
        assert city.do(engineer, "links/propose")["proposed"] == 1
        city.do(engineer, "links/confirm", {"sensor": "bin-457", "camera": "corner"})

        trouble = {"deviceInfo": {"devEui": DEVICE}, "level": "ERROR", "code": "UPLINK_F_CNT_RESET"}
        lid.publish(f"application/a1/device/{DEVICE}/event/log", json.dumps(trouble).encode())
        lid.says(93)
        lid.says(94)
        alert = city.until(lambda: alert_of(city, staff, "bin_overflow"), 60, "the alert of the sensor")
        assert alert["why"] == "满溢度 94 % > 90 %，连续 2 次"
        assert alert["why_en"] == "Fill level 94 % > 90 % for 2 readings"
        assert [item["camera"] for item in alert["beside"]] == ["corner"]

        def looked() -> Json | None:
            shown = city.get(staff, f"alerts/{alert['id']}")
            return shown if shown["beside"][0]["state"] == "seen" else None

        alert = city.until(looked, 90, "the camera looked")
        (picture,) = [e for e in alert["evidence"] if e["role"] == "beside"]
        content = city.evidence(staff, picture)
        assert content[:2] == b"\xff\xd8"
        assert hashlib.sha256(content).hexdigest() == picture["sha256"]
        assert [seen["kind"] for seen in alert["beside"][0]["seen"]] == ["bin_overflow", "garbage_exposed"]
        assert alert["agreed"] is True

        # Now the camera finds it by itself: its alert shows what the sensor beside it says.
        city.admin.patch("/api/cameras/corner", json={"tasks": [task | {"dwell_s": 2}]}).raise_for_status()
        found = city.until(lambda: alert_of(city, staff, "garbage_exposed"), 90, "the alert of the camera")
        assert found["beside"][0]["sensor"] == "bin-457"
        assert found["beside"][0]["values"]["fill_pct"] == 94
        assert found["agreed"] is True
        events = city.until(lambda: city.get(engineer, "sensors/bin-457/events")["items"], 60, "the device's trouble")
        assert events[0]["code"] == "UPLINK_F_CNT_RESET"
