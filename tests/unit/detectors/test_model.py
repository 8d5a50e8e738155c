"""Letterbox and suppression against hand-made network output."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.errors import ModelError, PictureError
from detectors.model import SQUEEZE, InputForm, YoloModel, as_bgr, letterboxed, placement

FORM = InputForm(416, 416)
FITTED = InputForm(416, 416, step=32)


class Answers:
    """A network that always says the same cells: (cx, cy, w, h, scores of each class) in input px."""

    def __init__(self, cells: list[list[float]], classes: int = 2) -> None:
        self.output = np.zeros((4 + classes, max(1, len(cells))), np.float32)
        for index, cell in enumerate(cells):
            self.output[:, index] = cell
        self.batches: list[NDArray[np.uint8]] = []

    def infer(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(batch)
        return np.repeat(self.output[None], len(batch), axis=0)


def model(cells: list[list[float]]) -> YoloModel:
    return YoloModel("m", "1", ("a", "b"), FORM, Answers(cells))


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_letterboxed_picture_fits_and_is_centred(width: int, height: int) -> None:
    place = placement(width, height, FORM)
    assert max(place.width_px, place.height_px) in (416, 415)
    assert 0 <= place.left_px <= 416 - place.width_px
    assert 0 <= place.top_px <= 416 - place.height_px
    assert abs(2 * place.left_px + place.width_px - 416) <= 1
    assert abs(2 * place.top_px + place.height_px - 416) <= 1


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_fitted_canvas_is_as_small_as_the_picture_allows(width: int, height: int) -> None:
    place, square = placement(width, height, FITTED), placement(width, height, FORM)
    for side, whole, of_canvas in (
        (place.width_px, square.width_px, place.canvas[0]),
        (place.height_px, square.height_px, place.canvas[1]),
    ):
        assert of_canvas % 32 == 0
        assert 0 <= of_canvas - side < 32
        assert whole * (1 - SQUEEZE) <= side <= whole


@pytest.mark.parametrize(
    ("size", "canvas"),
    [
        ((1920, 1080), (416, 256)),
        ((1080, 1920), (256, 416)),
        ((1280, 800), (416, 256)),
        ((640, 480), (416, 320)),
        ((704, 576), (416, 352)),
        ((300, 300), (416, 416)),
        ((5000, 1), (416, 32)),
    ],
)
def test_canvases_of_usual_cameras(size: tuple[int, int], canvas: tuple[int, int]) -> None:
    assert placement(*size, FITTED).canvas == canvas
    assert placement(*size, FORM).canvas == (416, 416)


def test_a_picture_lies_in_the_middle_of_the_padding() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:] = (255, 51, 0)
    place = placement(200, 100, FORM)
    (canvas,) = letterboxed([image], [place])
    assert (place.left_px, place.top_px, place.width_px, place.height_px) == (0, 104, 416, 208)
    assert canvas.shape == (416, 416, 3)
    assert (canvas[104:312] == (255, 51, 0)).all()
    assert (canvas[:104] == 114).all()
    assert (canvas[312:] == 114).all()
    (tall,) = letterboxed([image.transpose(1, 0, 2)], [placement(100, 200, FORM)])
    assert (tall == canvas.transpose(1, 0, 2)).all()


def test_pictures_of_one_shape_go_together_and_answers_keep_their_order() -> None:
    net = Answers([[208, 128, 104, 58.5, 0.9, 0]])
    pictures = [np.zeros((h, w, 3), np.uint8) for h, w in ((90, 160), (300, 300), (1080, 1920))]
    found = YoloModel("m", "1", ("a", "b"), FITTED, net).detect(pictures)
    assert [batch.shape for batch in net.batches] == [(2, 256, 416, 3), (1, 416, 416, 3)]
    np.testing.assert_allclose(found[0].boxes, [[0.375, 0.375, 0.625, 0.625]], atol=1e-6)
    np.testing.assert_allclose(found[1].boxes, [[0.375, 98.75 / 416, 0.625, 157.25 / 416]], atol=1e-6)
    np.testing.assert_allclose(found[2].boxes, found[0].boxes)


def test_boxes_come_back_in_shares_of_the_picture() -> None:
    (found,) = model([[208, 208, 104, 52, 0.1, 0.9]]).detect([np.zeros((100, 200, 3), np.uint8)])
    np.testing.assert_allclose(found.boxes, [[0.375, 0.375, 0.625, 0.625]], atol=1e-6)
    assert found.labels == ("b",)
    assert found.scores[0] == pytest.approx(0.9)


def test_suppression_is_by_class_and_keeps_the_best_first() -> None:
    cells = [
        [100, 100, 50, 50, 0.6, 0],
        [102, 101, 50, 50, 0.8, 0],
        [101, 100, 50, 50, 0, 0.7],
        [300, 300, 50, 50, 0.2, 0],
    ]
    (found,) = model(cells).detect([np.zeros((416, 416, 3), np.uint8)])
    assert found.labels == ("a", "b", "a")
    np.testing.assert_allclose(found.scores, [0.8, 0.7, 0.2], atol=1e-6)


@pytest.mark.parametrize(
    ("loose", "boxes", "scores"),
    [
        ({}, [[100, 100, 200, 200], [100, 100, 200, 150], [300, 300, 320, 320]], [0.8, 0.4, 0.3]),
        ({"b": 0.3}, [[100, 100, 200, 200], [100, 100, 200, 150], [300, 300, 320, 320]], [0.8, 0.4, 0.3]),
        # (0.8 * 200 + 0.4 * 150) / 1.2: the better box counts for more.
        ({"a": 0.45}, [[100, 100, 200, 183.333], [300, 300, 320, 320]], [0.8, 0.3]),
        ({"a": 0.55}, [[100, 100, 200, 200], [100, 100, 200, 150], [300, 300, 320, 320]], [0.8, 0.4, 0.3]),
    ],
)
def test_boxes_of_a_loose_label_that_share_enough_are_one_at_their_mean(
    loose: dict[str, float], boxes: list[list[float]], scores: list[float]
) -> None:
    cells = [[150, 150, 100, 100, 0.8, 0], [150, 125, 100, 50, 0.4, 0], [310, 310, 20, 20, 0.3, 0]]
    net = YoloModel("m", "1", ("a", "b"), FORM, Answers(cells), loose=loose)
    (found,) = net.detect([np.zeros((416, 416, 3), np.uint8)])
    np.testing.assert_allclose(found.boxes * 416, boxes, atol=1e-2)
    np.testing.assert_allclose(found.scores, scores, atol=1e-6)


def test_boxes_of_another_label_do_not_move_a_loose_one() -> None:
    cells = [[150, 150, 100, 100, 0.8, 0], [150, 125, 100, 50, 0, 0.7]]
    net = YoloModel("m", "1", ("a", "b"), FORM, Answers(cells), loose={"a": 0.3, "b": 0.3})
    (found,) = net.detect([np.zeros((416, 416, 3), np.uint8)])
    np.testing.assert_allclose(found.boxes * 416, [[100, 100, 200, 200], [100, 100, 200, 150]], atol=1e-3)


def test_weak_answers_are_nothing() -> None:
    (found,) = model([[100, 100, 50, 50, 0.04, 0.03]]).detect([np.zeros((416, 416, 3), np.uint8)])
    assert len(found) == 0


def test_a_batch_of_different_pictures_is_one_inference() -> None:
    net = Answers([[208, 208, 10, 10, 0.9, 0]])
    pictures = [np.zeros((h, w, 3), np.uint8) for h, w in ((100, 200), (2160, 3840), (50, 20))]
    found = YoloModel("m", "1", ("a", "b"), FORM, net).detect(pictures)
    assert len(found) == 3
    assert net.batches[0].shape == (3, 416, 416, 3)
    assert YoloModel("m", "1", ("a", "b"), FORM, net).detect([]) == []


def test_grey_and_bgra_are_read_and_other_arrays_are_refused() -> None:
    assert as_bgr(np.full((4, 5), 7, np.uint8)).shape == (4, 5, 3)
    assert as_bgr(np.full((4, 5, 1), 7, np.uint8)).tolist() == np.full((4, 5, 3), 7).tolist()
    assert as_bgr(np.zeros((4, 5, 4), np.uint8)).shape == (4, 5, 3)
    for wrong in (np.zeros((4, 5, 3), np.uint16), np.zeros((4, 5, 2), np.uint8), np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(PictureError, match="wanted uint8"):
            as_bgr(wrong)  # type: ignore[arg-type]


def test_an_output_of_another_shape_is_refused() -> None:
    wrong = YoloModel("m", "1", ("a", "b", "c"), FORM, Answers([[1, 1, 1, 1, 0.5, 0.5]]))
    with pytest.raises(ModelError, match=r"model m: output is \(1, 6, 1\), its card says 1 x 7 x cells"):
        wrong.detect([np.zeros((10, 10, 3), np.uint8)])
