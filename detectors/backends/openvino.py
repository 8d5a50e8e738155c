"""ONNX files on OpenVINO (CPU): reads ONNX directly, sends nothing anywhere."""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.backends import RGB, Batch, Pixels
from detectors.errors import ModelError

# OpenVINO's converter, loaded with it, reports its use to its maker by this package; without it, it is silent.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402
from openvino.preprocess import PrePostProcessor  # noqa: E402

PART = 4
"""Pictures in one request, where there are so many: 5 to 10 % cheaper than four requests of one."""
MOST_SHAPES = 16
"""Compiled networks kept, one a shape; the one not used for longest goes (about 15 MB each)."""

_Answers = dict[int, NDArray[np.float32]]


class OpenVino:
    """One network, compiled once for each shape that is asked for; a batch is spread over `streams` requests.

    A network that leaves its sides free is planned for each shape it meets, which takes 0.2 s once: 5 to 10 % cheaper
    than one plan for all. Colour order and scale are part of it, so that pictures go in as bytes.

    Measured on one thread of an EPYC with AVX512-BF16, YOLOX-nano in fours, CPU ms a picture, network alone:
    416 x 416 15.8 in 32 bit, 10.0 in bfloat16; 416 x 256 9.5 and 6.2. ONNX Runtime (32 bit, 416 x 256): 11.
    """

    def __init__(
        self,
        file: Path,
        pixels: Pixels = RGB,
        *,
        threads: int | None = None,
        streams: int | None = None,
        exact: bool = False,
        most_shapes: int = MOST_SHAPES,
    ) -> None:
        """`exact`: 32-bit arithmetic throughout, to compare runtimes; else what the processor does fastest."""
        cores = threads or os.cpu_count() or 1
        self._streams = streams or cores
        self._settings: dict[str, object] = {"NUM_STREAMS": str(self._streams), "INFERENCE_NUM_THREADS": cores}
        if exact:
            self._settings["INFERENCE_PRECISION_HINT"] = "f32"
        self._file = file
        self._most_shapes = most_shapes
        self._pixels = pixels
        self._one_at_a_time = threading.Lock()
        self._queues: OrderedDict[tuple[int, ...], openvino.AsyncInferQueue] = OrderedDict()
        try:
            self._core = openvino.Core()
            self._network = self._core.read_model(str(file))
            self._any_count = self._network.inputs[0].partial_shape[0].is_dynamic
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{file}: OpenVINO cannot read it: {_first_line(error)}") from error

    def infer(self, batch: Batch) -> NDArray[np.float32]:
        """See Backend."""
        answers: _Answers = {}
        try:
            with self._one_at_a_time:
                try:
                    for start, end in self._parts(len(batch)):
                        part = batch[start:end]
                        self._queue(part.shape).start_async([part], (answers, start), share_inputs=True)
                finally:  # requests read from `batch` itself
                    for queue in self._queues.values():
                        queue.wait_all()
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self._file}: OpenVINO failed on {batch.shape}: {_first_line(error)}") from error
        return np.concatenate([answers[start] for start in sorted(answers)])

    def _parts(self, count: int) -> list[tuple[int, int]]:
        return parts(count, self._streams) if self._any_count else [(start, start + 1) for start in range(count)]

    def _queue(self, shape: tuple[int, ...]) -> openvino.AsyncInferQueue:
        """Requests on the network compiled for a part of `shape` (N x H x W x 3)."""
        if shape not in self._queues:
            while len(self._queues) >= self._most_shapes:
                _, oldest = self._queues.popitem(last=False)
                oldest.wait_all()
            queue = openvino.AsyncInferQueue(self._compiled(shape), self._streams)
            queue.set_callback(_keep)
            self._queues[shape] = queue
        self._queues.move_to_end(shape)
        return self._queues[shape]

    def _compiled(self, shape: tuple[int, ...]) -> openvino.CompiledModel:
        network = self._network.clone()
        count, height, width, colors = shape
        network.reshape([count, colors, height, width])
        build = PrePostProcessor(network)
        pictures = build.input(0)
        pictures.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        pictures.model().set_layout(openvino.Layout("NCHW"))
        steps = pictures.preprocess().convert_element_type(openvino.Type.f32)
        if self._pixels.color == "RGB":
            steps = steps.reverse_channels()
        steps.scale(1 / self._pixels.scale)
        return self._core.compile_model(build.build(), "CPU", self._settings)


def arithmetic() -> str:
    """What this processor multiplies in at its fastest without losing what a network learned: bfloat16 or 32 bit."""
    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if "BF16" in able else "32 bit"


def _keep(request: openvino.InferRequest, told: tuple[_Answers, int]) -> None:
    answers, start = told
    answers[start] = np.array(request.get_output_tensor(0).data, np.float32)


def parts(count: int, streams: int) -> list[tuple[int, int]]:
    """Where to cut a batch of `count`: by PART while that leaves no stream idle, else (and the rest) one by one."""
    many = count // PART if count >= PART * streams else 0
    whole = [(start, start + PART) for start in range(0, many * PART, PART)]
    return whole + [(start, start + 1) for start in range(many * PART, count)]


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
