"""ONNX files on OpenVINO (CPU): reads ONNX directly, sends nothing anywhere."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.errors import ModelError

# OpenVINO's converter, loaded with it, reports its use to its maker by this package; without it, it is silent.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402


class OpenVino:
    """One compiled network; a batch is spread over `streams` requests, one picture each.

    Measured on 2 cores, 416 px YOLOX-nano: 14.5 ms a picture with 2 streams, 16.4 ms with 1 (both cores on one
    picture), 15 to 16 ms for true batches of 4 or 8: streams win, and a single picture costs one core only.
    """

    def __init__(
        self, file: Path, *, threads: int | None = None, streams: int | None = None, exact: bool = False
    ) -> None:
        """`exact`: 32-bit arithmetic throughout, to compare runtimes; else what the processor does fastest."""
        cores = threads or os.cpu_count() or 1
        settings: dict[str, object] = {"NUM_STREAMS": str(streams or cores), "INFERENCE_NUM_THREADS": cores}
        if exact:
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        try:
            core = openvino.Core()
            network = core.read_model(str(file))
            shape = network.inputs[0].partial_shape
            if len(network.inputs) == 1 and shape.rank.is_static and shape.rank.get_length() == 4:
                shape[0] = 1
                network.reshape(shape)
            network = core.compile_model(network, "CPU", settings)
            self._queue = openvino.AsyncInferQueue(network, network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{file}: OpenVINO cannot compile it: {_first_line(error)}") from error
        self._one_at_a_time = threading.Lock()
        self._file = file

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Backend."""
        answers: dict[int, NDArray[np.float32]] = {}

        def keep(request: openvino.InferRequest, index: int) -> None:
            answers[index] = np.array(request.get_output_tensor(0).data, np.float32)

        try:
            with self._one_at_a_time:
                self._queue.set_callback(keep)
                for index in range(len(batch)):
                    self._queue.start_async([batch[index : index + 1]], userdata=index)
                self._queue.wait_all()
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self._file}: OpenVINO failed on {batch.shape}: {_first_line(error)}") from error
        return np.concatenate([answers[index] for index in range(len(batch))])


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
