"""The load server: every camera shows its own number and the right time, to a reader that is not ours."""

from __future__ import annotations

import time

import av
import numpy as np
import pytest

from tests.peers.many_cameras import ManyCameras
from tests.peers.marks import NUMBERS, POSITIONS, Mark, draw_mark, read_mark
from tests.peers.shown import FORMS, Form

SMALL = Form("h264", 640, 360, 5, 120)


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("mark", [Mark(0, 0), Mark(NUMBERS - 1, POSITIONS - 1), Mark(11, 599)])
def test_a_mark_is_read_as_it_was_drawn_at_any_size(mark: Mark, scale: int) -> None:
    luma = np.full((360 * scale, 640 * scale), 128, np.uint8)
    draw_mark(luma, mark)
    assert read_mark(luma) == mark
    assert read_mark(luma[..., None].repeat(3, axis=2)) == mark


@pytest.mark.parametrize("seed", range(40))
def test_what_is_no_mark_is_not_read(seed: int) -> None:
    rng = np.random.default_rng(seed)
    luma = rng.integers(0, 255, (360, 640), dtype=np.uint8)
    assert read_mark(luma) is None
    draw_mark(luma, Mark(3, 77))
    luma[8:16, 32:48] = 255 - luma[8:16, 32:48]
    assert read_mark(luma) is None, "a cell that turned to its opposite fails the check"


def test_a_mark_too_large_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers below 512"):
        draw_mark(np.zeros((360, 640), np.uint8), Mark(NUMBERS, 0))


@pytest.mark.parametrize("form", [SMALL, Form("h265", 640, 360, 5, 120)], ids=lambda form: form.codec)
def test_each_camera_shows_its_own_number_and_the_time(form: Form) -> None:
    with ManyCameras(2, form) as server:
        for camera, url in enumerate(server.urls):
            shown = server.showing(camera)
            for mark, came_s in pictures(url, 4):
                assert mark is not None
                assert mark.number == shown.number == camera
                assert shown.age_s(mark, came_s) < 2.5


def test_cameras_of_one_pipeline_show_the_same_and_neighbours_do_not() -> None:
    with ManyCameras(26, SMALL) as server:
        assert server.showing(25) == server.showing(1) != server.showing(13)
        assert server.showing(13).number == 1
        (mark, came_s) = pictures(server.urls[13], 1)[0]
        assert mark is not None
        assert server.showing(13).age_s(mark, came_s) < 3
        assert server.showing(1).age_s(mark, came_s) > 10, "the same clip half a loop away is told by its time"


def test_after_a_restart_the_times_are_new_and_right() -> None:
    with ManyCameras(2, SMALL) as server:
        before = server.showing(0)
        server.kill()
        server.start_again()
        assert server.showing(0) != before
        (mark, came_s) = pictures(server.urls[0], 1)[0]
        assert mark is not None
        assert server.showing(0).age_s(mark, came_s) < 3


def pictures(url: str, count: int) -> list[tuple[Mark | None, float]]:
    """Marks of the first pictures that FFmpeg decodes, and when each was there (wall clock)."""
    found: list[tuple[Mark | None, float]] = []
    quick = {"fflags": "nobuffer", "analyzeduration": "0", "probesize": "5000", "fpsprobesize": "0"}
    options = {"rtsp_transport": "tcp", "timeout": "10000000", **quick}
    with av.open(url, options=options, timeout=None) as container:
        for frame in container.decode(video=0):
            found.append((read_mark(frame.to_ndarray(format="gray")), time.time()))
            if len(found) == count:
                break
    return found


def test_the_forms_fit_the_mark() -> None:
    for form in FORMS.values():
        assert form.pictures <= POSITIONS
