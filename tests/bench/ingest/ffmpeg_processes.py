"""An ffmpeg process a camera: everything decoded, scaled to 640 x 360, five raw pictures a second on a pipe.

Pictures are stamped by the wall clock, as NVRs that work this way do: by a stream's own time, FFmpeg 5.1 now and then
begins with a jump of 2^32 ticks, and fills it up with 238,000 pictures.
"""

from __future__ import annotations

import subprocess

import numpy as np

from .child import serve
from .threads import ThreadPerCamera

WIDTH_PX, HEIGHT_PX, FPS = 640, 360, 5


class FfmpegProcesses(ThreadPerCamera):
    """See the module."""

    def read(self, camera: int, url: str) -> None:
        """See ThreadPerCamera."""
        size = WIDTH_PX * HEIGHT_PX * 3 // 2
        asked = ["-hide_banner", "-loglevel", "quiet", "-nostdin", "-threads", "2", "-rtsp_transport", "tcp"]
        asked += ["-avoid_negative_ts", "make_zero", "-fflags", "+genpts+discardcorrupt", "-timeout", "10000000"]
        asked += ["-use_wallclock_as_timestamps", "1", "-i", url]
        asked += ["-r", str(FPS), "-vf", f"fps={FPS},scale={WIDTH_PX}:{HEIGHT_PX}"]
        asked += ["-threads", "2", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:"]
        with subprocess.Popen(["ffmpeg", *asked], stdout=subprocess.PIPE) as process:
            assert process.stdout
            while len(data := process.stdout.read(size)) == size:
                if self.due(camera):
                    planes = np.frombuffer(data, np.uint8).reshape(HEIGHT_PX * 3 // 2, WIDTH_PX)
                    self.looks.saw(camera, planes[:HEIGHT_PX])
        raise OSError("ffmpeg ended")


if __name__ == "__main__":
    serve(FfmpegProcesses)
