"""One coded keyframe to one picture: a bounded pool of decoders for all cameras, which refuses what is damaged."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast

import av
import av.error
from av.codec import Codec
from av.codec.context import CodecContext
from av.codec.hwaccel import HWAccel, hwdevices_available

from ..errors import NotVideo
from ..frame import MOST_PIXELS, Picture
from .coding import ANNEXB, Coding, Packet, is_sound, only_slices, with_parameter_sets
from .opening import words
from .picture import decoded, has_holes

SKIP_LOOP_FILTER = {"none": (), "h264": ("h264",), "all": ("h264", "hevc")}
"""For which codecs the smoothing of block edges may be left out. It costs a tenth of the decoding. Left out, what the
street model scores moves as much as it does when a picture is scaled another way for H.264 (AP50 by -0.2 ± 0.3 points
over four qualities), and falls by about a point for H.265, whose blocks are larger: `h264` is the default.
"""


class Decoders:
    """A bounded pool of decoders, shared by every camera of the process. Thread-safe.

    `decode` takes one keyframe with what belongs to it. Decoders are pooled by codec and size, because one a camera
    would cost megabytes each (a 1080p H.265 one: 20 MB). One is lent to one thread at a time and flushed before it
    goes back, so that no picture of one camera can come out for another; one that met damage is thrown away.
    """

    def __init__(self, idle_most: int = 12) -> None:
        self._idle: OrderedDict[tuple[Coding, int], _Decoder] = OrderedDict()
        self._idle_most = idle_most
        self._lock = threading.Lock()
        self._how = _How()

    def use(self, skip_loop_filter: str = "h264", hardware: str = "") -> None:
        """How to decode from now on.

        `skip_loop_filter`: a key of SKIP_LOOP_FILTER. `hardware` names a device type of FFmpeg ("vaapi", "cuda" …;
        empty: none); pictures are copied back from it. It has been run on no such device yet. Raises ValueError for
        other keys, and where this FFmpeg or this machine lacks the hardware.
        """
        if skip_loop_filter not in SKIP_LOOP_FILTER:
            raise ValueError(f"skip_loop_filter: {skip_loop_filter!r}; allowed: {', '.join(SKIP_LOOP_FILTER)}")
        if hardware:
            _check_hardware(hardware)
        with self._lock:
            self._how = _How(skip_loop_filter, hardware)
            self._idle.clear()

    def decode(self, coding: Coding, packet: Packet, shown: str) -> Picture:
        """The picture, converted to its thumbnail only. Raises NotVideo where it is damaged: half a picture is none."""
        data = with_parameter_sets(coding, packet.data)
        if packet.corrupt or (coding.codec in ANNEXB and not is_sound(data)):
            raise NotVideo(f"{shown}: the keyframe came damaged")
        kind = _pooled_as(coding)
        decoder = self._borrow(kind)
        try:
            frame = decoder.decode(only_slices(data) if coding.codec == "hevc" else data)
        except av.error.FFmpegError as error:
            raise NotVideo(f"{shown}: the keyframe cannot be decoded ({words(error)})") from None
        if frame is None:
            raise NotVideo(f"{shown}: the keyframe is damaged")
        self._give_back(kind, decoder)
        return decoded(frame, lent=frame if decoder.leaves_holes else None)

    def _borrow(self, kind: Coding) -> _Decoder:
        with self._lock:
            # The one used last: what it works with is still in the processor's cache.
            for name in reversed(self._idle):
                if name[0] == kind:
                    return self._idle.pop(name)
            how = self._how
        return _Decoder(kind, how)

    def _give_back(self, kind: Coding, decoder: _Decoder) -> None:
        with self._lock:
            if decoder.how != self._how:
                return
            self._idle[(kind, id(decoder))] = decoder
            while len(self._idle) > self._idle_most:
                self._idle.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _How:
    """See Decoders.use."""

    skip_loop_filter: str = "h264"
    hardware: str = ""


class _Decoder:
    """One libavcodec context that decodes single keyframes."""

    def __init__(self, kind: Coding, how: _How) -> None:
        self.how = how
        self.leaves_holes = kind.codec == "hevc"
        """Lost slices are not told: what was never written must show. The H.264 decoder tells (and conceals)."""
        device = HWAccel(how.hardware, allow_software_fallback=False) if how.hardware else None
        self._context = cast(Any, CodecContext.create(kind.codec, "r", device))
        if kind.extradata:
            self._context.extradata = kind.extradata
        self._context.thread_count = 1
        # `explode`: fail on damage. The H.265 decoder flags none on the picture.
        options = {"err_detect": "explode", "max_pixels": str(MOST_PIXELS)}
        skips = kind.codec in SKIP_LOOP_FILTER[how.skip_loop_filter]
        self._context.options = options | ({"skip_loop_filter": "all"} if skips else {})

    def decode(self, data: bytes) -> av.VideoFrame | None:
        """One picture, or None where there is none, more than one, or a damaged one. Raises FFmpegError."""
        # Most pictures come at once; a decoder that waits for a later one, to put them in order, is told of the end.
        frames = self._context.decode(av.Packet(data)) or self._context.decode(None)
        self._context.flush_buffers()
        if len(frames) != 1 or frames[0].is_corrupt or (self.leaves_holes and has_holes(frames[0])):
            return None
        return cast(av.VideoFrame, frames[0])


def _check_hardware(name: str) -> None:
    offered = hwdevices_available()
    if name not in offered:
        raise ValueError(f"hardware: {name!r}; this FFmpeg offers: {', '.join(offered) or 'none'}")
    try:
        HWAccel(name).create(Codec("h264", "r"))
    except (av.error.FFmpegError, NotImplementedError) as error:
        raise ValueError(f"hardware: {name!r}: this machine has none that decodes ({words(error)})") from None


def _pooled_as(coding: Coding) -> Coding:
    """H.264 and H.265 carry their parameter sets in the keyframe, so only codec and size tell decoders apart."""
    if coding.codec in ANNEXB:
        return Coding(coding.codec, b"", coding.width, coding.height)
    return coding


DECODERS = Decoders()
"""The pool that every source of the process uses."""
