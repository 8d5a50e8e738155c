"""Replay on the footage's own clock, and what it says of footage it cannot use."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.errors import FootageError, KindsError
from detectors.geometry import Zone
from detectors.replay import START, as_json, findings, pictures, read_zone, replay

from .made import ColourModel, kind, noisy, painted, street

STREET = street(7, 320, 180)
DIRTY = painted(STREET, "garbage", (0.4, 0.6, 0.5, 0.75))
KINDS = {"thing": kind({"type": "dwell", "dwell_s": 600}, {"model": "colours", "labels": ["garbage"]})}


def folder_of(tmp_path: Path, count: int, dirty_from: int) -> Path:
    for index in range(count):
        image = noisy(DIRTY if index >= dirty_from else STREET, index)
        cv2.imwrite(str(tmp_path / f"{index:03}.png"), image)
    return tmp_path


def video_of(path: Path, count: int, dirty_from: int, rate: int = 10) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (320, 180))
    for index in range(count):
        writer.write(noisy(DIRTY if index >= dirty_from else STREET, index))
    writer.release()
    return path


def test_a_folder_is_replayed_on_its_own_clock(tmp_path: Path) -> None:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    (found,) = findings(folder_of(tmp_path, 20, 5), KINDS, lambda n: ColourModel(), every_s=2, dwell_s=10, start=start)
    line = as_json(found, KINDS, start)
    assert line["kind"] == "thing"
    assert line["category"] == "06010"
    assert (line["t_since"], line["t"]) == (10, 20)
    assert line["since"] == "2026-11-23T00:00:10+00:00"
    assert line["zone"] is None
    np.testing.assert_allclose(line["boxes"], [[0.4, 0.6, 0.5, 0.75]], atol=0.01)


def test_a_video_is_looked_at_every_so_often(tmp_path: Path) -> None:
    video = video_of(tmp_path / "clip.avi", 100, 30)
    times = [t for t, _ in pictures(video, 2.0)]
    np.testing.assert_allclose(times, [0, 2, 4, 6, 8], atol=0.06)
    (found,) = findings(video, KINDS, lambda n: ColourModel(), every_s=0.5, dwell_s=3)
    line = as_json(found, KINDS, START)
    assert line["t_since"] == pytest.approx(3.0, abs=0.06)
    assert line["t"] == pytest.approx(6.0, abs=0.06)


def test_the_zone_is_named_in_what_is_found(tmp_path: Path) -> None:
    zone = tmp_path / "zone.json"
    zone.write_text('{"name": "门前", "points": [[0.3, 0.5], [0.6, 0.5], [0.6, 0.9], [0.3, 0.9]]}', encoding="utf-8")
    (tmp_path / "p").mkdir()
    folder = folder_of(tmp_path / "p", 10, 0)
    (found,) = findings(folder, KINDS, lambda n: ColourModel(), read_zone(zone), 1, 3)
    assert found.finding.zone == "门前"
    away = Zone("away", ((0.7, 0.0), (1.0, 0.0), (1.0, 1.0)))
    assert list(findings(folder, KINDS, lambda n: ColourModel(), away, 1, 3)) == []


def test_16_bit_and_grey_pictures_are_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), DIRTY.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "b.png"), cv2.cvtColor(STREET, cv2.COLOR_BGR2GRAY))
    shapes = [(image.shape, image.dtype) for _, image in pictures(tmp_path, 1)]
    assert shapes == [((180, 320, 3), np.uint8)] * 2


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(content)
    with pytest.raises(FootageError, match=r"clip\.mp4"):
        list(pictures(file, 1))


def test_missing_and_empty_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="no such file or folder"):
        list(pictures(tmp_path / "nothing", 1))
    with pytest.raises(FootageError, match="no pictures in it"):
        list(pictures(tmp_path, 1))
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    with pytest.raises(FootageError, match=r"x\.jpg: is no picture"):
        list(pictures(tmp_path, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"name": "a"}', "points: None"),
        ('{"points": [[0, 0], [1, 0]]}', "2 points, wanted at least 3"),
        ("[[0, 0], [1, 0], [2, 2]]", "outside 0..1"),
        ('[["a", 0], [1, 0], [1, 1]]', "allowed: "),
    ],
)
def test_a_broken_zone_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "zone.json").write_text(text, encoding="utf-8")
    with pytest.raises(FootageError, match=r"zone\.json") as caught:
        read_zone(tmp_path / "zone.json")
    assert message in str(caught.value)


def test_unknown_kinds_are_named(tmp_path: Path, project: Path) -> None:
    with pytest.raises(KindsError, match="'litter'; allowed: banner, "):
        list(replay(tmp_path, kinds_dir=project / "configs/kinds", models_dir=project / "models", kinds=["litter"]))
    with pytest.raises(KindsError, match="none of them is found by cameras"):
        list(
            replay(tmp_path, kinds_dir=project / "configs/kinds", models_dir=project / "models", kinds=["smoke_alarm"])
        )
