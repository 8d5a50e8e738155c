"""What counts as a change: things do; noise, exposure and a soft change of light do not."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.gate import Passed, changed, lets_through, thumbnail

from .made import NOON, Image, after, lit, noisy, street, with_box

STREET = street(width=1920, height=1080)


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
    assert not changed(thumbnail(noisy(STREET, 9, 3)), thumbnail(same))


@pytest.mark.parametrize("size", [0.02, 0.05, 0.2])
def test_a_thing_is_a_change(size: float) -> None:
    there = with_box(noisy(STREET, 5), (0.6, 0.6, 0.6 + size, 0.6 + size), (40, 60, 200))
    assert changed(thumbnail(noisy(STREET, 6)), thumbnail(there))


def test_another_picture_size_is_a_change() -> None:
    assert changed(thumbnail(STREET), thumbnail(street(width=640, height=480)))


def test_the_first_the_changed_and_the_due_picture_pass() -> None:
    thumb = thumbnail(STREET)
    last = Passed(NOON, thumb)
    assert lets_through(None, NOON, thumb, 60)
    assert not lets_through(last, after(59), thumb, 60)
    assert lets_through(last, after(60), thumb, 60)
    assert lets_through(last, after(1), thumbnail(with_box(STREET, (0.1, 0.6, 0.2, 0.8), (0, 0, 250))), 60)
