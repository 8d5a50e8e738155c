"""A Sparkplug edge node whose births were missed: a person asks, the worker passes it on, the node tells everything."""

from __future__ import annotations

import time
from pathlib import Path

from tests.e2e.city import City, Json
from tests.peers import wait_until
from tests.peers.mosquitto import Mosquitto
from tests.peers.sparkplug_node import edge_node

DEVICE = {"id": "well-1", "name": "1 号井", "device": "xifeng/pump-st-02/level1", "profile": "well_level"}
ROW = DEVICE | {"every_s": 600, "lon": 107.63, "lat": 35.73, "settings": {"crown_cm": 100.0}}


def test_births_are_asked_for_by_a_person(tmp_path: Path) -> None:
    with Mosquitto() as broker, edge_node(broker.port, "pump-st-02") as (_client, say):
        time.sleep(2)  # its births go by while nobody listens: the broker keeps none
        with City(tmp_path, broker.url, inside=True, broker_topics={"spBv1.0/#": "sparkplug"}) as city:
            city.add("sensors", ROW)
            city.until(lambda: city.worker.said("assigned 0 cameras, 1 sensors"), 30, "the worker knows the sensor")
            city.listening()
            engineer, clerk = city.person("zhao", "engineer"), city.person("li", "department", "sanitation")

            def rebirth() -> Json | None:
                made: Json | None = city.get(engineer, "sensors/well-1/events")["rebirth"]
                return made

            assert rebirth() is None
            refused = engineer.post("/api/sensors/well-1/rebirth")
            assert refused.status_code == 422
            assert "births are missing" in refused.text

            say.write("60\n")
            say.flush()
            wait_until(rebirth, 30, "the hub knows that births are missing")
            time.sleep(4)
            said = rebirth()
            assert said is not None
            assert (said["node"], said["asked_at"]) == ("xifeng/pump-st-02", None)
            assert not city.worker.said("asked for its births"), "nobody asked yet"

            assert clerk.post("/api/sensors/well-1/rebirth").status_code == 403
            answer = engineer.post("/api/sensors/well-1/rebirth")
            assert answer.status_code == 202
            assert answer.json()["asked_at"]
            wait_until(lambda: (rebirth() or {}).get("sent_at"), 30, "the worker passed it on")
            wait_until(lambda: city.worker.said(r"edge node xifeng/pump-st-02: asked for its births"), 5)

            def level() -> float | None:
                values: Json = city.get(engineer, "sensors/well-1")["values"] or {}
                return values.get("level_cm")

            wait_until(lambda: level() is not None, 30, "the births came, and the value with them")
            say.write("61.5\n")
            say.flush()
            wait_until(lambda: level() == 61.5, 30, "data by alias are understood again")
            time.sleep(4)
            assert len([line for line in city.worker.lines if "asked for its births" in line]) == 1, "asked once"
