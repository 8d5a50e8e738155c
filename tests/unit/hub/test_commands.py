"""What people type wrong at `gridhub`: each is told in a sentence, with an exit status, never by a traceback."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import yaml

from detectors.catalog import Catalog
from hub.cli import main
from tests.unit.detectors.test_catalog import catalog

GBK = "name: 环卫".encode("gb18030")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hub.yaml"
    path.write_text(yaml.safe_dump({"data_dir": str(tmp_path / "data")}), encoding="utf-8")
    return path


def with_keys(path: Path, **keys: str) -> str:
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | keys), encoding="utf-8")
    return str(path)


def told(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().err


def test_files_that_are_no_utf8_are_named(config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As Notepad saves them in China."""
    bad = tmp_path / "gbk.yaml"
    bad.write_bytes(GBK)
    assert main(["check", "--config", str(bad)]) == 2
    assert f"{bad}: is not UTF-8 text" in told(capfd)
    assert main(["model", "train", str(bad), "--out", str(tmp_path / "out")]) == 2
    assert f"{bad}: not UTF-8 text" in told(capfd)
    assert main(["work", "--hub", "http://127.0.0.1:1", "--token-file", str(bad)]) == 2
    assert f"--token-file: {bad}: holds no token" in told(capfd)
    for key in ("departments", "routing", "calendar", "supervision"):
        assert main(["check", "--config", with_keys(config, **{key: str(bad)})]) == 2, key
        assert str(bad) in told(capfd), key


@pytest.mark.parametrize("holds", [b"", b"\xff\xfe", b"[1, 2]", b"{}"])
def test_grids_that_are_none_end_the_hub_with_a_sentence(
    config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], holds: bytes
) -> None:
    (tmp_path / "grids.json").write_bytes(holds)
    path = with_keys(config, grids=str(tmp_path / "grids.json"))
    config.write_text(config.read_text(encoding="utf-8") + "listen_port: 18731\n", encoding="utf-8")
    assert main(["run", "--config", path]) == 2
    assert f"{tmp_path / 'grids.json'}: " in told(capfd)


def test_a_database_that_cannot_be_used_is_told(
    config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.sqlite").write_text("this is a text, and no database at all" * 9)
    config.write_text(config.read_text(encoding="utf-8") + "listen_port: 18733\n", encoding="utf-8")
    for url, why in (
        (f"sqlite:///{tmp_path / 'text.sqlite'}", "file is not a database"),
        (f"sqlite:///{tmp_path}", "unable to open database file"),
        ("postgresql://u:s3cret@127.0.0.1:1/x", "Connection refused"),
    ):
        for words in (["camera", "list"], ["run"]):
            assert main([*words, "--config", with_keys(config, database=url)]) == 1
            said = told(capfd)
            assert said.startswith("gridhub: database ")
            assert why in said
            assert "s3cret" not in said


def test_a_database_that_may_only_be_read_is_told(
    config: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["camera", "list", "--config", str(config)]) == 0
    capfd.readouterr()

    def locked(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    # Tests may run as root, whom no mode of a file keeps from writing.
    monkeypatch.setattr("hub.store.database._write_ahead", locked)
    assert main(["camera", "list", "--config", str(config)]) == 1
    assert "attempt to write a readonly database" in told(capfd)


def test_a_folder_that_is_a_file_is_named(config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    (tmp_path / "token").write_text("t")
    for words in (
        ["camera", "list", "--config", with_keys(config, data_dir=str(file / "below"))],
        ["district", "make", "--out", str(file)],
        ["demo", "--data", str(file), "--port", "18732"],
        ["work", "--hub", "http://127.0.0.1:1", "--token-file", str(tmp_path / "token"), "--data", str(file)],
    ):
        assert main(words) == 1, words
        assert told(capfd).splitlines()[-1].startswith(f"gridhub: {file}"), words


@pytest.mark.parametrize(
    "words",
    [
        ["kinds", "precision", "--days", "nan"],
        ["kinds", "precision", "--days", "1e12"],
        ["kinds", "precision", "--days=-5"],
        ["kinds", "advise", "garbage_exposed", "--days", "inf"],
        ["kinds", "what-if", "garbage_exposed", "--score", "file"],
        ["kinds", "what-if", "garbage_exposed", "--dwell", "nan"],
        ["kinds", "set", "garbage_exposed", "--on", "--off"],
        ["work", "--hub", "http://127.0.0.1:1", "--timezone", "Mars/Olympus"],
        ["work", "--hub", "http://127.0.0.1:1", "--timezone", "../../etc/passwd"],
        ["look", "rtsp://127.0.0.1:1/x", "--timeout", "inf"],
    ],
)
def test_values_that_cannot_be_are_bad_usage(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error: argument" in told(capfd)


def test_hours_that_are_none_are_bad_usage(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["kinds", "set", "garbage_exposed", "--hours", "Mo-Fr/08:00-20:00", "--config", str(config)]) == 2
    assert "--hours: 'Mo-Fr/08:00-20:00'" in told(capfd)


def test_a_model_that_cannot_be_copied_whole_is_not_there(
    config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What was left behind was no model, and stood in the way of adding it again."""
    models, brought = tmp_path / "models", tmp_path / "brought"
    models.mkdir()
    catalog(brought)
    extra = brought / "small" / "record.json"
    extra.symlink_to(tmp_path / "another disk")
    words = ["model", "add", str(brought / "small"), "--config", with_keys(config, models=str(models))]
    assert main(words) == 1
    assert f"gridhub: {extra}: cannot be copied, so the model is not added: " in told(capfd)
    assert list(models.iterdir()) == []
    (tmp_path / "another disk").write_text("{}")
    assert main(words) == 0
    assert [card.name for card in Catalog(models).cards()] == ["small"]
    assert (models / "small" / "record.json").read_text() == "{}"
    assert main(words) == 1
    assert "is there already" in told(capfd)
    assert [path.name for path in models.iterdir()] == ["small"]


def test_check_and_the_hub_say_the_same_of_grids(
    config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The hub called it no JSON, and both named the file on the first line at most."""
    grids = tmp_path / "grids.geojson"
    feature = {"type": "Feature", "geometry": None, "properties": {"id": "a/b", "name": "", "level": "street"}}
    grids.write_text(json.dumps({"type": "FeatureCollection", "features": [feature] * 2}), encoding="utf-8-sig")
    path = with_keys(config, grids=str(grids))
    config.write_text(config.read_text(encoding="utf-8") + "listen_port: 18733\n", encoding="utf-8")
    assert main(["check", "--config", path]) == 2
    checked = [line.removeprefix("gridhub: ") for line in told(capfd).splitlines() if "features[" in line]
    assert main(["run", "--config", path]) == 2
    run = [line.removeprefix("gridhub: ") for line in told(capfd).splitlines() if "features[" in line]
    assert run == checked
    assert len(run) >= 2
    assert all(line.startswith(f"{grids}: features[") for line in run)
