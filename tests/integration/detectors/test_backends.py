"""One contract, kept by every runtime, on the shipped model; and that none of them talks to anybody."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.backends import BACKENDS, Backend, Pixels, open_backend
from detectors.backends.onnxruntime import OnnxRuntime
from detectors.backends.openvino import PART, OpenVino, parts
from detectors.catalog import Catalog
from detectors.errors import ModelError
from tests.peers.rendered import rendered_pictures

MODELS = Path(__file__).resolve().parents[3] / "models"
CARD = Catalog(MODELS).card("street")
SIDE = CARD.form.width


def batch(count: int, height: int = SIDE, width: int = SIDE) -> NDArray[np.uint8]:
    """Noise without fine grain, as pictures are."""
    chance = np.random.default_rng(count)
    coarse = chance.integers(0, 256, (count, height // 16, width // 16, 3), dtype=np.uint8)
    return np.stack([cv2.resize(picture, (width, height)) for picture in coarse])


@pytest.fixture(scope="module", params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "openvino":
        return OpenVino(CARD.file, threads=2, exact=True)
    return open_backend(request.param, CARD.file, threads=2)


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_batch_of_any_size_is_answered_in_order(backend: Backend, count: int) -> None:
    pictures = batch(count)
    answer = backend.infer(pictures)
    assert answer.dtype == np.float32
    assert answer.shape[:2] == (count, 4 + len(CARD.labels))
    for index in range(count):
        alone = backend.infer(pictures[index : index + 1])
        np.testing.assert_allclose(answer[index], alone[0], rtol=1e-3, atol=1e-3)


def test_several_threads_may_ask(backend: Backend) -> None:
    pictures = batch(4)
    expected = backend.infer(pictures)
    answers: dict[int, NDArray[np.float32]] = {}
    threads = [
        threading.Thread(target=lambda i=i: answers.update({i: backend.infer(pictures[i : i + 1])})) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for index in range(4):
        np.testing.assert_allclose(answers[index][0], expected[index], rtol=1e-3, atol=1e-3)


def test_a_batch_of_another_shape_is_refused(backend: Backend) -> None:
    for shape in ((1, SIDE, SIDE, 4), (1, SIDE - 8, SIDE, 3)):
        with pytest.raises(ModelError, match=r"street.*onnx"):
            backend.infer(np.zeros(shape, np.uint8))
    assert len(backend.infer(batch(1))) == 1


@pytest.mark.parametrize(("height", "width"), [(224, 416), (256, 416), (416, 224), (416, 416)])
def test_the_runtimes_agree_on_every_canvas(height: int, width: int) -> None:
    pictures = batch(2, height, width)
    one, other = OnnxRuntime(CARD.file).infer(pictures), OpenVino(CARD.file, exact=True).infer(pictures)
    assert one.shape == (2, 4 + len(CARD.labels), height * width * 21 // 1024)
    np.testing.assert_allclose(one[:, :4], other[:, :4], atol=0.05)
    np.testing.assert_allclose(one[:, 4:], other[:, 4:], atol=1e-4)


def test_colour_order_and_scale_are_as_told(backend: Backend) -> None:
    pictures = batch(1)
    wanted = backend.infer(pictures)
    runtime = type(backend)
    mirrored = runtime(CARD.file, Pixels(color="BGR"), threads=2).infer(pictures[..., ::-1].copy())
    np.testing.assert_allclose(mirrored[:, 4:], wanted[:, 4:], atol=0.1)
    darker = runtime(CARD.file, Pixels(scale=1 / 510), threads=2).infer(pictures)
    assert np.abs(darker - wanted).max() > 1


def test_more_shapes_than_are_kept_are_still_answered() -> None:
    network = OpenVino(CARD.file, threads=1, streams=1, most_shapes=2)
    shapes = [(32, 32), (32, 64), (64, 32), (64, 64)]
    answers = {shape: network.infer(batch(1, *shape)) for shape in shapes}
    for shape in shapes:
        np.testing.assert_array_equal(network.infer(batch(1, *shape)), answers[shape])


@pytest.mark.parametrize("streams", [1, 2, 16])
def test_a_batch_is_cut_without_gap_and_no_stream_is_idle(streams: int) -> None:
    for count in range(1, 40):
        cut = parts(count, streams)
        assert [n for start, end in cut for n in range(start, end)] == list(range(count))
        assert len(cut) >= min(count, streams)
        assert {end - start for start, end in cut} <= {1, PART}


def test_the_runtimes_see_the_same_in_a_street() -> None:
    """As they are used: OpenVINO with whatever arithmetic is fastest here."""
    (street,) = rendered_pictures("garbage", seconds=0.2)
    seen = {runtime: Catalog(MODELS).open("street", runtime).detect([street], 0.1)[0] for runtime in BACKENDS}
    for here, there in itertools.permutations(seen.values()):
        for box, score, label in here:
            alike = [abs(score - s) for b, s, name in there if name == label and np.abs(b - box).max() < 0.02]
            assert score < 0.3 or min(alike, default=1) < 0.1, (label, score)
    assert max(seen["openvino"].scores, default=0) > 0.3


@pytest.mark.parametrize("shape", [(2160, 3840, 3), (48, 64, 3), (700, 300, 3), (360, 640)])
def test_pictures_of_any_size_are_looked_at(shape: tuple[int, ...]) -> None:
    (found,) = Catalog(MODELS).open("street", streams=1).detect([np.full(shape, 128, np.uint8)])
    assert ((found.boxes >= 0) & (found.boxes <= 1)).all()


def test_openvino_has_nothing_to_report_home_with() -> None:
    """Its reporting package is kept out, and loading and running opens no socket."""
    program = f"""
import socket, sys
def no(*_): raise AssertionError("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = no
from pathlib import Path
from detectors.catalog import Catalog
import numpy as np
Catalog(Path({str(MODELS)!r})).open("street").detect([np.zeros((90, 160, 3), np.uint8)])
loaded = [name for name in sys.modules if name.startswith("openvino_telemetry") and sys.modules[name] is not None]
assert not loaded, loaded
"""
    root = MODELS.parent
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
