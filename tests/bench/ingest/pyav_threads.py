"""PyAV, a thread a camera: packets read, and of the keyframes all decoded, or only those that a look is due for."""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from .child import serve
from .threads import ThreadPerCamera

OPTIONS = {
    "rtsp_transport": "tcp", "timeout": "10000000", "fflags": "nobuffer", "analyzeduration": "0",
    "probesize": "5000", "fpsprobesize": "0",
}  # fmt: skip
"""FFmpeg's own time-out in place of PyAV's, which takes the GIL at every poll: four times cheaper."""


class PyavThreads(ThreadPerCamera):
    """See the module. The job's option `every_key`: all keyframes are decoded, as `skip_frame = "NONKEY"` has it."""

    def read(self, camera: int, url: str) -> None:
        """See ThreadPerCamera."""
        every_key = bool((self.job.options or {}).get("every_key"))
        with av.open(url, options=OPTIONS, timeout=None) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for packet in container.demux(stream):
                if not packet.is_keyframe:
                    continue
                due = self.due(camera)
                if due or every_key:
                    frames = packet.decode() + stream.codec_context.decode(None)
                    stream.codec_context.flush_buffers()
                    if due and frames:
                        self.looks.saw(camera, luma(frames[-1]))


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Its brightness, as the decoder left it."""
    plane = frame.planes[0]
    return np.frombuffer(cast(Any, plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]


if __name__ == "__main__":
    serve(PyavThreads)
