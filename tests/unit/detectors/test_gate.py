"""What counts as a change: things do; noise, exposure and a soft change of light do not."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.gate import LEAST_DIFFERENCE, Passed, Thumb, changed, lets_through
from ingest.frame import Pixels

from .made import NOON, Image, after, lit, noisy, street, with_box

STREET = street(width=1920, height=1080)


def grey(image: Image) -> Thumb:
    return Pixels(image).grey


def gradient(image: Image, strength: float) -> Image:
    ramp = np.linspace(-strength, strength, image.shape[1], dtype=np.float32)[None, :, None]
    return np.clip(image + ramp, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "same",
    [
        STREET,
        noisy(STREET, 1, 6),
        lit(STREET, 1.15),
        lit(STREET, 0.8, 10),
        gradient(STREET, 12),
        noisy(lit(STREET, 0.9), 2, 5),
    ],
    ids=["equal", "noise", "brighter", "darker", "soft gradient", "darker and noisy"],
)
def test_light_and_noise_are_no_change(same: Image) -> None:
    assert not changed(grey(noisy(STREET, 9, 3)), grey(same))


@pytest.mark.parametrize("size", [0.02, 0.05, 0.2])
def test_a_thing_is_a_change(size: float) -> None:
    there = with_box(noisy(STREET, 5), (0.6, 0.6, 0.6 + size, 0.6 + size), (40, 60, 200))
    assert changed(grey(noisy(STREET, 6)), grey(there))


@pytest.mark.parametrize("off", [-30.0, 0.0, 30.0])
@pytest.mark.parametrize(("step", "is_one"), [(0.8, False), (2.0, True)])
def test_how_much_a_spot_must_differ_whatever_the_light_did(step: float, off: float, is_one: bool) -> None:
    """Also where the spot and the light move against each other, each by less than what counts."""
    before = grey(STREET)
    now = before + off
    now[40:46, 70:76] -= step * LEAST_DIFFERENCE
    assert changed(before, now) is is_one


def test_half_a_step_of_light_hides_no_spot() -> None:
    before = grey(STREET)
    now = before + 0.49 * LEAST_DIFFERENCE
    now[40:52, 70:82] -= 1.4 * LEAST_DIFFERENCE
    assert changed(before, now)


def test_another_thumbnail_size_is_a_change() -> None:
    assert changed(grey(STREET), grey(STREET)[::2, ::2])


def test_the_first_the_changed_and_the_due_picture_pass() -> None:
    thumb = grey(STREET)
    last = Passed(NOON, thumb)
    assert lets_through(None, NOON, thumb, 60)
    assert not lets_through(last, after(59), thumb, 60)
    assert lets_through(last, after(60), thumb, 60)
    assert lets_through(last, after(1), grey(with_box(STREET, (0.1, 0.6, 0.2, 0.8), (0, 0, 250))), 60)
