"""ONNX files on ONNX Runtime: CUDA where the installed build has it, else CPU."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detectors.backends import RGB, Batch, Pixels
from detectors.errors import ModelError

_PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")


class OnnxRuntime:
    """One session; it runs true batches where the file allows them, else one picture after the other."""

    def __init__(
        self, file: Path, pixels: Pixels = RGB, *, threads: int | None = None, streams: int | None = None
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads:
            options.intra_op_num_threads = threads
        if streams and streams > 1:
            options.inter_op_num_threads = streams
        present = onnxruntime.get_available_providers()
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=[name for name in _PREFERRED if name in present]
            )
        except _FAILURES as error:
            raise ModelError(f"{file}: ONNX Runtime cannot load it: {error}") from error
        self._file = file
        self._pixels = pixels
        self._input = self._session.get_inputs()[0].name
        self._one_by_one = self._session.get_inputs()[0].shape[0] == 1

    def infer(self, batch: Batch) -> NDArray[np.float32]:
        """See Backend."""
        blob = cv2.dnn.blobFromImages(list(batch), self._pixels.scale, swapRB=self._pixels.color == "RGB")
        parts = [blob[i : i + 1] for i in range(len(blob))] if self._one_by_one else [blob]
        try:
            return np.concatenate([self._session.run(None, {self._input: part})[0] for part in parts])
        except _FAILURES as error:
            raise ModelError(f"{self._file}: ONNX Runtime failed on {batch.shape}: {error}") from error


def _failures() -> tuple[type[Exception], ...]:
    states = onnxruntime.capi.onnxruntime_pybind11_state
    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "RuntimeException",
        "NotImplemented",
    )
    return (ValueError, RuntimeError, *(getattr(states, name) for name in names if hasattr(states, name)))


_FAILURES = _failures()
