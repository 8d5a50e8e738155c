"""Everything FFmpeg does for us, and the only importer of `av`: open, read packets, decode one keyframe, remux to MP4.

Nothing here decodes more than the keyframe that a look asked for. Decoders are pooled by codec and size, because one
decoder a camera would cost megabytes each (a 1080p H.265 one: 20 MB).
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast
from urllib.parse import urlsplit

import av
import av.error
from av.bitstream import BitStreamFilterContext
from av.codec.context import CodecContext
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from .errors import Lost, NotFound, NotVideo, SignInRefused, Silent, SourceError, Unreachable
from .frame import Image

_ANNEXB = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_START_CODE = b"\x00\x00\x01"
_LAST_SLICE_H264, _LAST_SLICE_H265, _SEI_H265 = 5, 31, 39

LIVE_OPTIONS: Mapping[str, str] = {
    "fflags": "nobuffer",
    "analyzeduration": "0",
    "probesize": "5000",
    "fpsprobesize": "0",
}
"""Open in a tenth of a second in place of two to four: nothing is probed that the first keyframe says anyway."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How a stream is coded: FFmpeg's codec name, parameter sets out of band, pixels (0 = not said yet)."""

    codec: str
    extradata: bytes = b""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture, H.264 and H.265 in Annex-B form. Times are seconds on the stream's own clock."""

    data: bytes
    pts_s: float
    dts_s: float
    duration_s: float
    key: bool
    corrupt: bool = False


class Stream:
    """An opened input. Not thread-safe: one thread reads it and closes it."""

    def __init__(self, container: InputContainer, video: VideoStream, shown: str, timeout_s: float) -> None:
        self._container = container
        self._video = video
        self._shown = shown
        self._timeout_s = timeout_s
        context = video.codec_context
        self.coding = Coding(context.name, bytes(context.extradata or b""), context.width or 0, context.height or 0)
        length_prefixed = self.coding.codec in _ANNEXB and self.coding.extradata[:1] == b"\x01"
        self._to_annexb = BitStreamFilterContext(_ANNEXB[self.coding.codec], video) if length_prefixed else None

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
            raise NotVideo(f"{self._shown}: cannot seek to {at_s:.1f} s ({_words(error)})") from None

    def decode_at(self, at_s: float) -> tuple[Image, int]:
        """The picture shown at `at_s` of a file, and its coded size in bytes. Decodes from the keyframe before it."""
        self.seek(at_s)
        sizes: dict[int | None, int] = {}
        try:
            newest = self._shown_at(at_s, sizes)
        except av.error.FFmpegError as error:
            raise NotVideo(f"{self._shown}: cannot be decoded at {at_s:.1f} s ({_words(error)})") from None
        if newest is None:
            raise NotVideo(f"{self._shown}: no picture at {at_s:.1f} s")
        return cast(Image, newest.to_ndarray(format="bgr24")), sizes.get(newest.pts, 0)

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
    url: str, shown: str, timeout_s: float = 10.0, options: Mapping[str, str] | None = None, form: str | None = None
) -> Stream:
    """Open `url` for reading; messages call it `shown` (the URL without credentials).

    `timeout_s` bounds each wait on the network (FFmpeg may wait twice). `form` forces FFmpeg's input format. Raises
    Unreachable, SignInRefused, NotFound, NotVideo or Silent.
    """
    started = time.monotonic()
    container = None
    try:
        container = av.open(url, format=form, options=dict(options or {}), timeout=None, metadata_errors="ignore")
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


def _words(error: Exception) -> str:
    """What FFmpeg says, without the URL it adds."""
    return str(getattr(error, "strerror", None) or type(error).__name__)


def _while_opening(error: Exception, url: str, shown: str, took_s: float, timeout_s: float) -> SourceError:
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return SignInRefused(f"{shown}: user or password refused ({_words(error)})")
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
        return NotVideo(f"{shown}: what came is no video ({_words(error)})")
    if isinstance(error, av.error.ProtocolNotFoundError):
        return NotVideo(f"{shown}: FFmpeg knows no such protocol")
    if isinstance(error, OSError):
        return Lost(f"{shown}: the connection ended while opening ({_words(error)})")
    return NotVideo(f"{shown}: {_words(error)}")


def _while_reading(error: Exception, shown: str, waited_s: float) -> SourceError:
    if isinstance(error, TimeoutError | av.error.ExitError):
        return Silent(f"{shown}: nothing came for {waited_s:.0f} s")
    if isinstance(error, av.error.InvalidDataError):
        return NotVideo(f"{shown}: garbage in the stream ({_words(error)})")
    return Lost(f"{shown}: the stream broke ({_words(error)})")


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
    except socket.gaierror:
        return f"host name {parts.hostname!r} is unknown"
    except TimeoutError:
        return "no answer to the connection"
    except OSError as error:
        return error.strerror or "no connection"
    return None


class Decoders:
    """A bounded pool of decoders, shared by every camera of the process. Thread-safe.

    `decode` takes one keyframe with what belongs to it, and gives BGR. A decoder is lent to one thread at a time and
    flushed before it goes back, so that no picture of one camera can come out for another.
    """

    def __init__(self, idle_most: int = 12) -> None:
        self._idle: OrderedDict[tuple[Coding, int], _Decoder] = OrderedDict()
        self._idle_most = idle_most
        self._lock = threading.Lock()

    def decode(self, coding: Coding, packet: Packet, shown: str) -> Image:
        """H x W x 3 BGR. Raises NotVideo where the keyframe is damaged: half a picture is no picture."""
        if packet.corrupt:
            raise NotVideo(f"{shown}: the keyframe came damaged")
        data = _without_sei(coding, _with_parameter_sets(coding, packet.data))
        kind = _pooled_as(coding)
        decoder = self._borrow(kind)
        try:
            image = decoder.decode(data)
        except av.error.FFmpegError as error:
            raise NotVideo(f"{shown}: the keyframe cannot be decoded ({_words(error)})") from None
        if image is None:
            raise NotVideo(f"{shown}: the keyframe is damaged")
        self._give_back(kind, decoder)
        return image

    def _borrow(self, kind: Coding) -> _Decoder:
        with self._lock:
            for name in self._idle:
                if name[0] == kind:
                    return self._idle.pop(name)
        return _Decoder(kind)

    def _give_back(self, kind: Coding, decoder: _Decoder) -> None:
        with self._lock:
            self._idle[(kind, id(decoder))] = decoder
            while len(self._idle) > self._idle_most:
                self._idle.popitem(last=False)


class _Decoder:
    """One libavcodec context that decodes single keyframes."""

    def __init__(self, kind: Coding) -> None:
        self._context = cast(Any, CodecContext.create(kind.codec, "r"))
        if kind.extradata:
            self._context.extradata = kind.extradata
        self._context.thread_count = 1
        if kind.codec == "hevc":
            # The H.265 decoder flags no damage on the picture; it only says so when asked to fail.
            self._context.options = {"err_detect": "explode"}
        self._to_bgr = VideoReformatter()

    def decode(self, data: bytes) -> Image | None:
        """BGR, or None where FFmpeg made no picture or flagged it as corrupt. Raises FFmpegError."""
        frames = self._context.decode(av.Packet(data)) + self._context.decode(None)
        self._context.flush_buffers()
        if not frames or frames[0].is_corrupt:
            return None
        return cast(Image, self._to_bgr.reformat(frames[0], format="bgr24", threads=1).to_ndarray())


def _pooled_as(coding: Coding) -> Coding:
    """H.264 and H.265 carry their parameter sets in the keyframe, so only codec and size tell decoders apart."""
    if coding.codec in _ANNEXB:
        return Coding(coding.codec, b"", coding.width, coding.height)
    return coding


def _with_parameter_sets(coding: Coding, data: bytes) -> bytes:
    if coding.codec not in _ANNEXB or not coding.extradata or has_parameter_sets(coding.codec, data):
        return data
    return coding.extradata + data if coding.extradata[:1] != b"\x01" else data


def _without_sei(coding: Coding, data: bytes) -> bytes:
    """H.265 without the SEI before its first slice: `explode` would take an odd one for damage."""
    if coding.codec != "hevc":
        return data
    kept, at = [], data.find(_START_CODE)
    while at >= 0 and at + 3 < len(data):
        kind = (data[at + 3] >> 1) & 0x3F
        if kind <= _LAST_SLICE_H265:
            kept.append(data[at:])
            break
        after = data.find(_START_CODE, at + 3)
        if kind != _SEI_H265:
            kept.append(data[at:after] if after >= 0 else data[at:])
        at = after
    return b"".join(kept)


def nal_types(codec: str, data: bytes, most: int = 16) -> list[int]:
    """Types of the first NAL units of an Annex-B access unit (ITU-T H.264 7.3.1, H.265 7.3.1.2)."""
    found: list[int] = []
    at = data.find(_START_CODE)
    while at >= 0 and at + 3 < len(data) and len(found) < most:
        head = data[at + 3]
        found.append((head >> 1) & 0x3F if codec == "hevc" else head & 0x1F)
        if found[-1] <= (_LAST_SLICE_H265 if codec == "hevc" else _LAST_SLICE_H264):
            break
        at = data.find(_START_CODE, at + 3)
    return found


def has_parameter_sets(codec: str, data: bytes) -> bool:
    """Whether the access unit brings its own SPS."""
    return (33 if codec == "hevc" else 7) in nal_types(codec, data)


def remux(coding: Coding, packets: Sequence[Packet]) -> bytes:
    """MP4 bytes of `packets` (the first one a keyframe), nothing transcoded; raises NotVideo for other codecs.

    The index stands in front (`moov_size` reserves room for it), and H.265 is tagged hvc1, so that browsers can play
    it at once.
    """
    if coding.codec not in _ANNEXB:
        raise NotVideo(f"a clip of {coding.codec} cannot be made without transcoding; only h264 and hevc")
    if not packets or not packets[0].key:
        raise ValueError("a clip begins with a keyframe")
    base = Fraction(1, 90000)
    target = io.BytesIO()
    with av.open(target, "w", format="mp4", options={"moov_size": str(4096 + 48 * len(packets))}) as output:
        stream = cast(Any, output.add_mux_stream(coding.codec, width=coding.width, height=coding.height))
        stream.time_base = base
        last_dts = None
        for packet in packets:
            # The muxer takes the parameter sets from the first packet.
            out = av.Packet(packet.data if last_dts is not None else _with_parameter_sets(coding, packet.data))
            dts = round((packet.dts_s - packets[0].dts_s) * 90000)
            dts = dts if last_dts is None else max(dts, last_dts + 1)
            out.dts, last_dts = dts, dts
            out.pts = max(dts, round((packet.pts_s - packets[0].dts_s) * 90000))
            out.time_base = base
            out.is_keyframe = packet.key
            out.duration = round(packet.duration_s * 90000)
            out.stream = stream
            output.mux_one(out)
    clip = target.getvalue()
    return clip.replace(b"hev1", b"hvc1", 1) if coding.codec == "hevc" else clip


class Encoder:
    """Pictures in, a live MPEG-TS stream with H.264 out: how a simulated camera sends video. Not thread-safe.

    `fps` is the pace at which pictures will come, a keyframe stands at the start and every `keyframe_s` seconds.
    """

    def __init__(self, width_px: int, height_px: int, fps: float, keyframe_s: float) -> None:
        self._sink = io.BytesIO()
        self._container = av.open(self._sink, "w", format="mpegts", options={"flush_packets": "1"})
        rate = Fraction(fps).limit_denominator(1000)
        self._stream = cast(Any, self._container.add_stream("libx264", rate=rate))
        self._stream.width, self._stream.height = width_px, height_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.gop_size = max(1, round(fps * keyframe_s))
        self._stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "25", "sc_threshold": "0"}
        self._tick = 1 / rate
        self._count = 0

    def add(self, image: Image) -> bytes:
        """The bytes that one more picture (H x W x 3 BGR, the size given at the start) makes."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = self._count, self._tick
        self._count += 1
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        return self._take()

    def end(self) -> bytes:
        """What is left in the encoder; nothing may be added afterwards."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        return self._take()

    def _take(self) -> bytes:
        made = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return made


DECODERS = Decoders()
"""The pool that every source of the process uses."""
