"""An unmodified Sparkplug client through a real broker: born, measured, let go, killed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from detectors.kinds import load_kinds
from detectors.profiles import load_profiles
from detectors.sensing import SensorRules
from hub.worker.rechecking import Rechecks
from hub.worker.sensing import Listening
from hub.worker.spool import Spool
from ingest.device import Sensor
from ingest.sensors.mqtt import MqttListener
from tests.peers import wait_until
from tests.peers.mosquitto import Mosquitto
from tests.peers.sparkplug_node import edge_node

CONFIGS = Path(__file__).resolve().parents[3] / "configs"


def test_born_measured_let_go_and_killed(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    rules = SensorRules(load_profiles(CONFIGS / "sensors"), load_kinds(CONFIGS / "kinds"))
    ear = Listening(spool, Rechecks(spool, lambda _: b"", lambda: None), Counter(), lambda: None)
    ear.assign([Sensor("pump", "", "xifeng/pump-st-02/level1", "well_level", settings=(("crown_cm", 100.0),))], rules)

    def pump() -> tuple[str, float | None]:
        (row,) = ear.states(datetime.now(UTC))
        return row["state"], row["values"].get("level_cm")

    with Mosquitto() as broker:
        listener = MqttListener(broker.url, {"spBv1.0/#": "sparkplug"}, "worker-1", ear.on_batch)
        listener.start()
        wait_until(lambda: listener.connected)
        with edge_node(broker.port, "pump-st-02") as (client, say):
            wait_until(lambda: pump() == ("online", 25.5), 30, "the birth of the device")
            say.write("97.25\n")
            say.flush()
            wait_until(lambda: pump() == ("online", 97.25), 30, "a reading by alias or name")
            say.write("bye\n")
            say.flush()
            wait_until(lambda: pump()[0] == "offline", 30, "the death of the device")
        with edge_node(broker.port, "pump-st-02") as (client, say):
            wait_until(lambda: pump() == ("online", 25.5), 30, "born again")
            client.kill()
            wait_until(lambda: pump()[0] == "gateway_lost", 30, "the will of a node that was killed")
        listener.stop()
    spool.close()
