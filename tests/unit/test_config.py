"""Settings: the shipped file is true, and every mistake is named with what is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hub.cli import main
from hub.config import _KEYS, ConfigError, default_settings, load


def test_the_shipped_file_holds_the_defaults(project: Path) -> None:
    path = project / "configs" / "hub.yaml"
    settings = load(path)
    assert settings == default_settings(settings.data_dir)


def test_the_shipped_file_names_every_key(project: Path) -> None:
    text = (project / "configs" / "hub.yaml").read_text(encoding="utf-8")
    assert [key for key in _KEYS if f"{key}:" not in text] == []


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "listen_prt": 80,
                "listen_port": 99999,
                "timezone": "Mars/Olympus",
                "district_code": 6210,
                "broker": "http://broker",
                "kinds": "nowhere",
                "recheck_every_s": 0,
            }
        )
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    text = str(caught.value)
    assert len(caught.value.problems) == 7
    named = ("'listen_prt'", "listen_port: 99999", "1 to 65535", "Mars/Olympus", "6210", "mqtt://", "nowhere")
    assert [part for part in (str(path), *named) if part not in text] == []


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("udp_ports", "46001-46100", "from an even port"),
        ("udp_ports", "46000", "a range such as"),
        ("udp_ports", [46000, 46010], "a range such as"),
        ("preroll_s", 90, "seconds from 0 to 60"),
        ("preroll_mb", -1, "a whole number from 0"),
    ],
)
def test_what_streams_may_use_is_bounded(tmp_path: Path, key: str, value: object, allowed: str) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(yaml.safe_dump({key: value}))
    with pytest.raises(ConfigError, match=key) as caught:
        load(path)
    assert allowed in str(caught.value)


@pytest.mark.parametrize(("text", "says"), [("a: [1", "line 1"), ("- 1", "list"), (None, "cannot be read")])
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "hub.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        load(path)


def test_a_webhook_secret_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\n")
    path = tmp_path / "hub.yaml"
    path.write_text("webhooks: [{url: 'https://example.invalid/in', secret_file: secret}]")
    settings = load(path)
    assert settings.webhooks[0].secret.startswith("whsec_c2V")
    assert "c2VjcmV0" not in repr(settings)
    (tmp_path / "secret").write_text("topsecret")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "topsecret" not in str(caught.value)


def test_platforms_have_sessions(tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text("platforms: {nvr-1: {sessions: 4}, cloud: {sessions: 200}}")
    assert load(path).platforms == {"nvr-1": 4, "cloud": 200}
    for wrong in ("4", "{nvr-1: 4}", "{nvr-1: {sessions: 0}}", "{nvr-1: {}}", "{nvr-1: {sessions: 4, x: 1}}"):
        path.write_text(f"platforms: {wrong}")
        with pytest.raises(ConfigError, match=r"sessions: a whole number from 1 to 10000"):
            load(path)


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        ({"a/#": "lorawan"}, ["broker_topics", "lorawan", "thethings", "mapping:NAME"]),
        ({"a/#": "mapping:nobody"}, ["broker_topics", "'mapping:nobody'", "mapping:ctwing_level"]),
        ({"a/#": {"id": "x", "device": "id"}}, ["broker_topics: a/#: device: 'id'", "a/#: readings"]),
        ("json", ["broker_topics", "topic filter"]),
    ],
)
def test_payload_formats_that_do_not_exist(tmp_path: Path, topics: object, words: list[str]) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(yaml.safe_dump({"broker_topics": topics}))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [word for word in (str(path), *words) if word not in str(caught.value)] == []


def test_mapping_profiles_travel_as_what_they_say(tmp_path: Path) -> None:
    stanza = {"id": "x", "device": 1, "readings": [{"prop": "depth_cm", "path": "$.d"}]}
    path = tmp_path / "hub.yaml"
    path.write_text(yaml.safe_dump({"broker_topics": {"a/#": "mapping:ctwing_level", "b/#": stanza, "c": "sparkplug"}}))
    topics = load(path).broker_topics
    assert json.loads(topics["a/#"])["id"] == "ctwing_level"
    assert json.loads(topics["b/#"]) == stanza
    assert topics["c"] == "sparkplug"


def test_sensor_try_shows_what_a_payload_says(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sample = tmp_path / "sample.json"
    sample.write_text('{"deviceId": "8620", "payload": {"level": "0.93"}}')
    assert main(["sensor", "try", "ctwing_level", str(sample), "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert (shown["said"], shown["device"], shown["prop"], shown["value"]) == ("Reading", "8620", "fill_pct", 93.0)
    assert main(["sensor", "try", "tasmota", str(sample), "--topic", "tele/x/LWT"]) == 1
    assert "neither Online nor Offline" in capfd.readouterr().err
    assert main(["sensor", "try", "nobody", str(sample)]) == 2
    assert "sparkplug" in capfd.readouterr().err
