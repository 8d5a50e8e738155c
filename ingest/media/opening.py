"""Inputs that FFmpeg opens: their packets as they come, and why one could not be opened or broke."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, cast
from urllib.parse import urlsplit

import av
import av.error
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.stream import VideoStream

from ..errors import Lost, NotFound, NotVideo, SignInRefused, Silent, SourceError, Unreachable
from ..frame import Picture
from .coding import ANNEXB, Coding, Packet
from .picture import decoded

LIVE_OPTIONS: Mapping[str, str] = {
    "fflags": "nobuffer",
    "analyzeduration": "0",
    "probesize": "5000",
    "fpsprobesize": "0",
}
"""Open in a tenth of a second in place of two to four: nothing is probed that the first keyframe says anyway."""


class Stream:
    """An opened input. Not thread-safe: one thread reads it and closes it."""

    def __init__(self, container: InputContainer, video: VideoStream, shown: str, timeout_s: float) -> None:
        self._container = container
        self._video = video
        self._shown = shown
        self._timeout_s = timeout_s
        context = video.codec_context
        self.coding = Coding(context.name, bytes(context.extradata or b""), context.width or 0, context.height or 0)
        length_prefixed = self.coding.codec in ANNEXB and self.coding.extradata[:1] == b"\x01"
        self._to_annexb = BitStreamFilterContext(ANNEXB[self.coding.codec], video) if length_prefixed else None

    @property
    def duration_s(self) -> float:
        """Length of a file; 0 where the input does not say."""
        if self._video.duration and self._video.time_base:
            return float(self._video.duration * self._video.time_base)
        return float(self._container.duration or 0) / av.time_base

    @property
    def frame_s(self) -> float:
        """Nominal time between pictures; 0.04 where the input does not say."""
        rate = self._video.average_rate or self._video.guessed_rate
        return 1 / float(rate) if rate and 0.01 < rate < 1000 else 0.04

    def packets(self) -> Iterator[Packet]:
        """Coded pictures as they come. Ends at the end of the input; raises SourceError where it breaks."""
        base = self._video.time_base or Fraction(1, 90000)
        started = time.monotonic()
        try:
            for packet in self._container.demux(self._video):
                if packet.size:
                    yield from self._convert(packet, base)
                started = time.monotonic()
        except av.error.FFmpegError as error:
            raise _while_reading(error, self._shown, time.monotonic() - started) from None

    def _convert(self, packet: av.Packet[VideoStream], base: Fraction) -> Iterator[Packet]:
        key, corrupt = bool(packet.is_keyframe), bool(packet.is_corrupt)
        for part in self._to_annexb.filter(cast(Any, packet)) if self._to_annexb else [packet]:
            pts = part.pts if part.pts is not None else part.dts
            dts = part.dts if part.dts is not None else part.pts
            duration = float((part.duration or 0) * base)
            yield Packet(bytes(part), float((pts or 0) * base), float((dts or 0) * base), duration, key, corrupt)

    def seek(self, at_s: float) -> None:
        """Go to the keyframe at or before `at_s` (files)."""
        base = self._video.time_base or Fraction(1, 90000)
        try:
            self._container.seek(int(at_s / base), backward=True, stream=self._video)
        except av.error.FFmpegError as error:
            raise NotVideo(f"{self._shown}: cannot seek to {at_s:.1f} s ({words(error)})") from None

    def decode_at(self, at_s: float) -> tuple[Picture, int]:
        """The picture shown at `at_s` of a file, and its coded size in bytes. Decodes from the keyframe before it."""
        self.seek(at_s)
        sizes: dict[int | None, int] = {}
        try:
            newest = self._shown_at(at_s, sizes)
        except av.error.FFmpegError as error:
            raise NotVideo(f"{self._shown}: cannot be decoded at {at_s:.1f} s ({words(error)})") from None
        if newest is None:
            raise NotVideo(f"{self._shown}: no picture at {at_s:.1f} s")
        return decoded(newest), sizes.get(newest.pts, 0)

    def _shown_at(self, at_s: float, sizes: dict[int | None, int]) -> av.VideoFrame | None:
        """The last frame that is not after `at_s` (or the first there is); notes each packet's size by its time."""
        newest = None
        for packet in self._container.demux(self._video):
            sizes[packet.pts] = packet.size
            for frame in packet.decode():
                if newest is not None and float(frame.time or 0.0) > at_s + 1e-6:
                    return newest
                newest = frame
        return newest

    def close(self) -> None:
        """Let go of the connection or file."""
        self._container.close()


def open_stream(
    url: str,
    shown: str,
    timeout_s: float = 10.0,
    options: Mapping[str, str] | None = None,
    form: str | None = None,
    read_s: float | None = None,
) -> Stream:
    """Open `url` for reading; messages call it `shown` (the URL without credentials).

    `timeout_s` bounds each wait on the network where `options` say so (FFmpeg may wait twice); connecting, and finding
    out what is sent, end after twice as long each, and the wait for each packet after `read_s`, also where something
    comes that is no video: by RTSP over UDP reports alone would keep FFmpeg waiting for ever. (`read_s` costs the
    interpreter's lock at every poll.) `form` forces FFmpeg's input format. Raises Unreachable, SignInRefused, NotFound,
    NotVideo or Silent.
    """
    started = time.monotonic()
    container = None
    try:
        limits = (2 * timeout_s, read_s)
        container = av.open(url, format=form, options=dict(options or {}), timeout=limits, metadata_errors="ignore")
        if not container.streams.video:
            raise NotVideo(f"{shown}: no video in it")
        video = container.streams.video[0]
        if video.codec_context is None:
            raise NotVideo(f"{shown}: a video codec that cannot be decoded")
        return Stream(container, video, shown, timeout_s)
    except av.error.FFmpegError as error:
        raise _while_opening(error, url, shown, time.monotonic() - started, timeout_s) from None
    except (ValueError, UnicodeError) as error:
        raise NotVideo(f"{shown}: {type(error).__name__} while opening") from None
    except SourceError:
        if container is not None:
            container.close()
        raise


def rtsp_options(timeout_s: float) -> dict[str, str]:
    """RTSP over TCP, over UDP where the camera refuses TCP. The option `timeout` (µs) is the one that works."""
    return {**LIVE_OPTIONS, "rtsp_flags": "prefer_tcp", "timeout": str(int(timeout_s * 1e6))}


def words(error: Exception) -> str:
    """What FFmpeg says, without the URL it adds."""
    return str(getattr(error, "strerror", None) or type(error).__name__)


def _while_opening(error: Exception, url: str, shown: str, took_s: float, timeout_s: float) -> SourceError:
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return SignInRefused(f"{shown}: user or password refused ({words(error)})")
    if isinstance(error, av.error.HTTPNotFoundError):
        return NotFound(f"{shown}: no such stream (404)")
    if isinstance(error, av.error.FileNotFoundError):
        return NotFound(f"{shown}: no such file")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"{shown}: connection refused")
    cannot = _cannot_connect(url, min(timeout_s, 3.0))
    if cannot:
        return Unreachable(f"{shown}: {cannot}")
    if isinstance(error, TimeoutError) or took_s > 0.9 * timeout_s:
        return Silent(f"{shown}: accepted the connection, then said nothing for {took_s:.0f} s")
    if isinstance(error, av.error.InvalidDataError | av.error.DemuxerNotFoundError | av.error.DecoderNotFoundError):
        return NotVideo(f"{shown}: what came is no video ({words(error)})")
    if isinstance(error, av.error.ProtocolNotFoundError):
        return NotVideo(f"{shown}: FFmpeg knows no such protocol")
    if isinstance(error, OSError):
        return Lost(f"{shown}: the connection ended while opening ({words(error)})")
    return NotVideo(f"{shown}: {words(error)}")


def _while_reading(error: Exception, shown: str, waited_s: float) -> SourceError:
    if isinstance(error, TimeoutError | av.error.ExitError):
        return Silent(f"{shown}: nothing came for {waited_s:.0f} s")
    if isinstance(error, av.error.InvalidDataError):
        return NotVideo(f"{shown}: garbage in the stream ({words(error)})")
    return Lost(f"{shown}: the stream broke ({words(error)})")


def _cannot_connect(url: str, timeout_s: float) -> str | None:
    """Why no TCP connection can be made to the host of `url`; None where one can, or where it has no host."""
    try:
        parts = urlsplit(url)
        said = parts.port
    except ValueError:
        return "its port is no number"
    port = said or {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935}.get(parts.scheme)
    if not parts.hostname or not port or parts.scheme == "udp":
        return None
    try:
        socket.create_connection((parts.hostname, port), timeout=timeout_s).close()
    except (socket.gaierror, UnicodeError):  # a name of letters or dots that no host can have
        return f"host name {parts.hostname!r} is unknown"
    except TimeoutError:
        return "no answer to the connection"
    except OSError as error:
        return error.strerror or "no connection"
    return None
