"""OpenCV's VideoCapture, a thread a camera: it decodes everything; a look takes the newest picture."""

from __future__ import annotations

import os

import cv2

from .child import serve
from .threads import ThreadPerCamera


class OpencvThreads(ThreadPerCamera):
    """See the module."""

    def read(self, camera: int, url: str) -> None:
        """See ThreadPerCamera."""
        capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
        while True:
            there, picture = capture.read()
            if not there:
                raise OSError("the stream ended")
            if self.due(camera):
                self.looks.saw(camera, picture)


if __name__ == "__main__":
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    cv2.setNumThreads(1)
    serve(OpencvThreads)
