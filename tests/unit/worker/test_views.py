"""What cameras are used to survives the worker, and is never given to another camera's picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hub.worker.views import Views
from ingest.device import Camera

A = Camera("a", "A", "rtsp://admin:old@10.0.0.7/1", preset="north")
B = Camera("b", "B", "rtsp://10.0.0.8/1")


def kept(folder: Path, *cameras: Camera, **memories: bytes) -> Views:
    views = Views(folder)
    views.assign(cameras)
    views.save(memories)
    again = Views(folder)
    again.assign(cameras)
    return again


def test_a_memory_is_given_back_once(tmp_path: Path) -> None:
    views = kept(tmp_path, A, B, a=b"edges")
    assert views.memory("a") == b"edges"
    assert views.memory("a") is None
    assert views.memory("b") is None


def test_a_new_password_is_the_same_camera_another_stream_or_preset_is_not(tmp_path: Path) -> None:
    for changed, same in (
        (replace(A, url="rtsp://admin:new@10.0.0.7/1", name="new name"), True),
        (replace(A, url="rtsp://admin:old@10.0.0.7/2"), False),
        (replace(A, preset="south"), False),
        (replace(A, view="2026-11-28T05:00:00+00:00"), False),
    ):
        views = kept(tmp_path, A, a=b"edges")
        views.assign([changed])
        assert (views.memory("a") is not None) == same


def test_cameras_that_left_are_forgotten_those_not_learnt_yet_are_not(tmp_path: Path) -> None:
    kept(tmp_path, A, B, a=b"1", b=b"2").save({"a": b"3"})
    views = Views(tmp_path)
    views.assign([A, B])
    assert (views.memory("a"), views.memory("b")) == (b"3", b"2")
    kept(tmp_path, A, a=b"4")
    views = Views(tmp_path)
    views.assign([A, B])
    assert (views.memory("a"), views.memory("b")) == (b"4", None)


def test_a_broken_file_costs_the_memory_only(tmp_path: Path) -> None:
    (tmp_path / "views.sqlite").write_bytes(b"not a database, and long enough to be looked at as one" * 40)
    views = kept(tmp_path, A, a=b"edges")
    assert views.memory("a") == b"edges"


def test_no_password_is_written(tmp_path: Path) -> None:
    kept(tmp_path, A, a=b"edges")
    assert all(b"old" not in path.read_bytes() for path in tmp_path.iterdir())
