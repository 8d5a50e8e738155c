"""file: a video file or a folder of pictures as a camera; plays on the wall clock and loops."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit

import cv2
import numpy as np

from ..clip import make_clip
from ..clock import utc_now
from ..device import Camera
from ..errors import InventoryError, Lost, NotFound, NotVideo, Stale
from ..frame import Frame, Image, Picture
from ..media import Packet, Stream, is_cut_short, open_stream

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


class FileSource:
    """`file:///path/clip.mp4` or `file:relative/folder`.

    At the time t the picture shown is that of second `t mod length`, counted from 1970, or from `?from=` (RFC 3339).
    A folder shows each picture, by name, for `?each=` seconds (the camera's `every_s`, unless said).
    """

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.via = "file"
        parts = urlsplit(camera.url)
        if parts.netloc not in ("", "localhost"):
            raise InventoryError(f"camera {camera.id}: url: {camera.safe_url}: a file has no host; write file:///PATH")
        self._path = Path(unquote(parts.path))
        query = parse_qs(parts.query)
        self._each_s = _number(camera, query, "each", camera.every_s)
        self._from_s = _time_s(camera, query)
        self._length_s: tuple[float, float] | None = None
        self._closed = threading.Event()

    def look(self, not_before: datetime, timeout_s: float) -> Frame:
        """What the file shows now. Raises NotFound or NotVideo."""
        wait_s = (not_before - utc_now()).total_seconds()
        if wait_s > timeout_s:
            raise Stale(f"{self.camera.safe_url}: the look is {wait_s:.1f} s ahead")
        if self._closed.wait(max(0.0, wait_s)):
            raise Lost(f"{self.camera.safe_url}: closed")
        now = max(utc_now(), not_before)
        image, codec, size = self._folder_at(now) if self._path.is_dir() else self._video_at(now)
        return Frame(self.camera.id, self.camera.preset, now, image, codec, size)

    def _folder_at(self, now: datetime) -> tuple[Image | Picture, str, int]:
        pictures = sorted(p for p in self._path.iterdir() if p.suffix.lower() in PICTURES)
        if not pictures:
            raise NotFound(f"{self._path}: no pictures ({', '.join(PICTURES)}) in this folder")
        turn = int((now.timestamp() - self._from_s) // self._each_s)
        chosen = pictures[turn % len(pictures)]
        data = chosen.read_bytes()
        return _decoded(data, str(chosen)), chosen.suffix[1:].lower(), len(data)

    def _video_at(self, now: datetime) -> tuple[Image | Picture, str, int]:
        if self._path.suffix.lower() in PICTURES and self._path.is_file():
            data = self._path.read_bytes()
            return _decoded(data, str(self._path)), self._path.suffix[1:].lower(), len(data)
        stream = self._open()
        try:
            position_s = (now.timestamp() - self._from_s) % self._length(stream)
            image, size = stream.decode_at(position_s)
            return image, stream.coding.codec, size
        finally:
            stream.close()

    def _open(self) -> Stream:
        if not self._path.is_file():
            raise NotFound(f"{self._path}: no such file")
        return open_stream(str(self._path), str(self._path))

    def _length(self, stream: Stream) -> float:
        """Seconds; learnt again when the file changes."""
        changed_s = self._path.stat().st_mtime
        if self._length_s is None or self._length_s[0] != changed_s:
            length_s = stream.duration_s or max((p.pts_s for p in stream.packets()), default=0.0)
            if length_s <= 0:
                raise NotVideo(f"{self._path}: no pictures in it")
            self._length_s = (changed_s, length_s)
        return self._length_s[1]

    def clip(self, since: datetime, until: datetime) -> bytes | None:
        """MP4 of what the file showed in that time, up to its loop point; None for pictures and other codecs."""
        if not self._path.is_file() or self._path.suffix.lower() in PICTURES:
            return None
        stream = self._open()
        try:
            if stream.coding.codec not in ("h264", "hevc"):
                return None
            begin_s = (since.timestamp() - self._from_s) % self._length(stream)
            end_s = begin_s + (until - since).total_seconds()
            stream.seek(begin_s)
            packets: list[Packet] = []
            for packet in stream.packets():
                if packet.dts_s > end_s:
                    break
                packets.append(packet)
            return make_clip(stream.coding, packets)
        finally:
            stream.close()

    def close(self) -> None:
        """End a look that waits."""
        self._closed.set()


def _number(camera: Camera, query: dict[str, list[str]], key: str, default: float) -> float:
    text = query.get(key, [str(default)])[0]
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 86400:
        raise InventoryError(f"camera {camera.id}: url: ?{key}={text} is not a number of seconds from 0.01 to 86400")
    return value


def _time_s(camera: Camera, query: dict[str, list[str]]) -> float:
    text = query.get("from", [""])[0]
    if not text:
        return 0.0
    try:
        time = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise InventoryError(f"camera {camera.id}: url: ?from={text} is not an RFC 3339 time with an offset")
    return time.timestamp()


def _decoded(data: bytes, shown: str) -> Image:
    """H x W x 3 BGR of any of PICTURES; raises NotVideo where it is none, or was cut short."""
    if is_cut_short(data):
        raise NotVideo(f"{shown}: the picture was cut short after {len(data)} bytes")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise NotVideo(f"{shown}: {len(data)} bytes that are no picture")
    return cast(Image, image)
