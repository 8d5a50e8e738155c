"""Who may speak to the broker: passwords, a CA of our own, certificates of ours; what does not fit is named."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import yaml

from hub.config import ConfigError, load
from ingest.sensors.mqtt import Broker, MqttListener
from ingest.supervisor import Backoff
from tests.peers import wait_until
from tests.peers.mosquitto import Mosquitto, Papers

from .test_mqtt import Store


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers")).issue()


def configured(folder: Path, **keys: object) -> Broker:
    """From hub.yaml, by the way a worker gets it."""
    path = folder / "hub.yaml"
    path.write_text(yaml.safe_dump(keys))
    return Broker.from_wire(load(path).broker.to_wire({}))


def listener(broker: Broker, store: Store) -> MqttListener:
    return MqttListener(broker, {"city/#": "json"}, "worker-1", store, backoff=Backoff(0.05, 0.2))


def hears(broker: Mosquitto, access: Broker) -> None:
    store = Store()
    listening = listener(access, store)
    listening.start()
    wait_until(lambda: listening.connected)
    broker.publish("city/x", '{"n": 1}')
    wait_until(lambda: store.values == {1})
    broker.kill()
    wait_until(lambda: not listening.connected)
    broker.start()
    wait_until(lambda: listening.connected)
    for n in range(3):
        broker.publish("city/x", json.dumps({"n": n}) + " " * 40_000)
    wait_until(lambda: store.values == {0, 1, 2})
    listening.stop()


def refused(access: Broker, caplog: pytest.LogCaptureFixture) -> str:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "ingest"):
        listening = listener(access, Store())
        listening.start()
        wait_until(lambda: listening.counters.get("failures", 0) >= 1)
        listening.stop()
    assert not listening.connected
    return caplog.text


def test_user_and_password_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(user="hub", password="right horse") as broker:
        url = f"mqtt://127.0.0.1:{broker.port}"
        (tmp_path / "password").write_text("right horse\n")
        hears(broker, configured(tmp_path, broker=url, broker_user="hub", broker_password_file="password"))
        monkeypatch.setenv("OUR_BROKER", "right horse")
        hears(broker, configured(tmp_path, broker=url, broker_user="hub", broker_password_env="OUR_BROKER"))
        monkeypatch.setenv("GRIDHUB_BROKER_USER", "hub")
        monkeypatch.setenv("GRIDHUB_BROKER_PASSWORD", "wrong horse")
        said = refused(configured(tmp_path, broker=url), caplog)
        assert str(broker.port) in said
        assert "horse" not in said


def test_tls_with_a_ca_of_our_own(tmp_path: Path, papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    with Mosquitto(papers=papers) as broker:
        hears(broker, configured(tmp_path, broker=broker.url, broker_ca=str(papers.ca)))
        assert "certificate verify failed" in refused(configured(tmp_path, broker=broker.url), caplog)
        wrong_name = broker.url.replace("127.0.0.1", "localhost")
        said = refused(configured(tmp_path, broker=wrong_name, broker_ca=str(papers.ca)), caplog)
        assert "certificate verify failed" in said


def test_a_certificate_of_ours(tmp_path: Path, papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    ours = {"broker_certificate": str(papers.our_certificate), "broker_key": str(papers.our_key)}
    with Mosquitto(papers=Papers(papers.folder, wants_ours=True)) as broker:
        hears(broker, configured(tmp_path, broker=broker.url, broker_ca=str(papers.ca), **ours))
        assert refused(configured(tmp_path, broker=broker.url, broker_ca=str(papers.ca)), caplog)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"broker": "mqtt://h", "broker_ca": "ca.pem"}, "broker_ca: needs a broker of mqtts://"),
        ({"broker": "mqtts://h", "broker_certificate": "hub.pem"}, "broker_certificate: stands alone"),
        ({"broker": "mqtts://h", "broker_key": "hub.key"}, "broker_key: stands alone"),
        ({"broker": "mqtts://h", "broker_ca": "hub.key"}, "broker_ca: "),
        ({"broker": "mqtts://h", "broker_certificate": "ca.pem", "broker_key": "hub.key"}, "broker_certificate: "),
        ({"broker": "mqtts://h", "broker_ca": "nowhere.pem"}, "broker_ca: 'nowhere.pem' is not a path that exists"),
        ({"broker": "mqtt://hub:hunter2@h"}, "broker_password_file"),
        ({"broker_password_file": "nowhere"}, "broker_password_file: 'nowhere' is not a readable file"),
        ({"broker_password_env": "NOT_SET_AT_ALL"}, "broker_password_env: 'NOT_SET_AT_ALL' is not an environment"),
        ({"broker": "mqtt://h?protocol=3.1.1", "broker_share": "g"}, "broker_share: needs MQTT 5"),
        ({"broker": "mqtt://h", "broker_share": "a/b"}, "broker_share: 'a/b' is not"),
        ({"broker_session_s": -1}, "broker_session_s: -1 is not a whole number from 0"),
        ({"device_readings_per_s": "many"}, "device_readings_per_s: 'many' is not readings a second"),
        ({"keep_readings_days": 0}, "keep_readings_days: 0 is not a whole number from 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(papers: Papers, keys: dict[str, object], said: str) -> None:
    path = papers.folder / "hub.yaml"
    path.write_text(yaml.safe_dump(keys))
    with pytest.raises(ConfigError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}: ")
    assert said in problem
    assert "hunter2" not in problem
