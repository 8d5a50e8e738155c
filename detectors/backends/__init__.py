"""Where a network is run: one file a runtime, each the only importer of its library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.errors import CatalogError

Batch = NDArray[np.uint8]
"""N pictures of one size, N x H x W x 3, BGR, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """What a network takes a pixel as: its colour order (RGB or BGR), and what 0 to 255 is multiplied by."""

    color: str = "RGB"
    scale: float = 1 / 255


RGB = Pixels()
"""As Ultralytics' networks take them."""


class Backend(Protocol):
    """A compiled network. Safe to call from several threads."""

    def infer(self, batch: Batch) -> NDArray[np.float32]:
        """The first output for `batch`, its first axis the same N. Raises ModelError."""


def open_backend(
    runtime: str, file: Path, pixels: Pixels = RGB, threads: int | None = None, streams: int | None = None
) -> Backend:
    """`file` (ONNX, N x 3 x H x W of `pixels`) compiled by `runtime`; the library is loaded now, not before.

    `threads`: CPU threads in all (None: all cores). `streams`: how many parts of a batch are worked on at the same
    time (None: one a thread, the best throughput; 1: the best latency). Raises CatalogError for an unknown runtime,
    ModelError for a file that does not compile.
    """
    try:
        load = BACKENDS[runtime]
    except KeyError:
        raise CatalogError(f"backend: {runtime!r} is unknown; allowed: {', '.join(sorted(BACKENDS))}") from None
    return load()(file, pixels, threads=threads, streams=streams)


class _Opens(Protocol):
    def __call__(self, file: Path, pixels: Pixels, *, threads: int | None, streams: int | None) -> Backend: ...


def _openvino() -> _Opens:
    from .openvino import OpenVino

    return OpenVino


def _onnxruntime() -> _Opens:
    from .onnxruntime import OnnxRuntime

    return OnnxRuntime


BACKENDS: dict[str, Callable[[], _Opens]] = {"openvino": _openvino, "onnxruntime": _onnxruntime}
