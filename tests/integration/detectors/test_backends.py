"""One contract, kept by every runtime, on the shipped model; and that none of them talks to anybody."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.backends import BACKENDS, Backend, open_backend
from detectors.catalog import Catalog
from detectors.errors import ModelError

MODELS = Path(__file__).resolve().parents[3] / "models"
CARD = Catalog(MODELS).card("street")
SIDE = CARD.form.width


def batch(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).random((count, 3, SIDE, SIDE), np.float32)


@pytest.fixture(scope="module", params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> Backend:
    return open_backend(request.param, CARD.file, threads=2)


@pytest.mark.parametrize("count", [1, 2, 5])
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
    with pytest.raises(ModelError, match=r"street.*onnx"):
        backend.infer(np.zeros((1, 4, SIDE, SIDE), np.float32))


def test_the_runtimes_agree() -> None:
    picture = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (540, 960, 3)).astype(np.uint8), (31, 31), 9)
    form = Catalog(MODELS)
    one, other = (form.open("street", runtime).detect([picture], 0.01)[0] for runtime in sorted(BACKENDS))
    assert one.labels == other.labels
    np.testing.assert_allclose(one.scores, other.scores, atol=0.02)
    np.testing.assert_allclose(one.boxes, other.boxes, atol=0.01)


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
