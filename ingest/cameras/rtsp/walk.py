"""Walks what an RTSP/TCP connection brought (RFC 2326 §10.12): frames of RTP and RTCP, and RTSP text between them.

The hottest loop of the product: 2,000 streams bring 100,000 packets a second. A packet that can be no part of a
keyframe is passed over after one `unpack_from`, and nothing of it is copied. So the loop keeps to local names and
calls nothing else.
"""

from __future__ import annotations

import re
from functools import cache
from struct import Struct

from . import rtcp
from .collect import Collector
from .collect import Key as Key
from .nal import CODECS
from .nal import Track as Track

MOST_TEXT_BYTES = 16384
MOST_TEXTS = 16
LARGEST_FRAME_BYTES = 4 + 0xFFFF
"""A buffer must hold this much behind `$`, or a frame may never be whole."""

_DOLLAR = 36
_FIRST_BYTES = {"h264": Struct(">HHH10xBB"), "hevc": Struct(">HHH10xBxB")}
"""`$` and channel, size; RTP's first two bytes; the first payload byte and the one that is the FU header, if any."""
_LOOKS_BYTES = 19
_TIME_SSRC = Struct(">II").unpack_from
_SURE = Struct(">HHHHII").unpack_from
_SURE_BYTES = 24
_MOST_CHANNELS = 32
"""What else a camera sends on the connection is on channels below this; above, `$` was no beginning of a frame."""
_STARTS = frozenset(b"$\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ")
_MAYBE_FRAME = re.compile(rb"\$|RTSP/[12]\.")
_TEXT = re.compile(rb"RTSP/\d\.\d \d{3}|[A-Z_]{3,16} (?:rtsps?:|\*)")
_TEXT_SO_FAR = re.compile(rb"[A-Z][ -~]*")
_NO_TEXT = re.compile(rb"[^\t\r\n -~\x80-\xff]")
_CONTENT_LENGTH = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d{1,9})")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_BETWEEN = b"\r\n"


@cache
def _skipping(codec: str) -> list[list[int]]:
    return CODECS[codec].skipping()


_NOTHING_SKIPPED = [[1] * 256] * 256


class Walker:
    """One video track on a connection.

    `key` is the newest whole keyframe, `newest_time` the RTP time of the newest packet, `report` the camera's clock:
    (UTC seconds, RTP time, when it arrived). `texts` are whole RTSP messages, for the session to take out. Counters:
    `packets` (of the track), `bytes` (of all), `resyncs` (the framing was lost and found), `texts_dropped`; what keys
    there were is counted by `collector`. `bye`: the sender said that it ends.
    """

    def __init__(
        self, track: Track, rtp_channel: int = 0, rtcp_channel: int = 1, collector: Collector | None = None
    ) -> None:
        self.collector = collector or Collector(track)
        self.newest_time: int | None = None
        self.report: tuple[float, int, float] | None = None
        self.texts: list[bytes] = []
        self.packets = self.bytes = self.resyncs = self.texts_dropped = 0
        self.bye = False
        self._rtp, self._rtcp = rtp_channel, rtcp_channel
        self._plain = 0x8000 | track.payload_type
        self._unpack = _FIRST_BYTES[track.codec].unpack_from
        self._fu_at = track.coding.head_bytes
        self._skipping = _NOTHING_SKIPPED if self.collector.every else _skipping(track.codec)
        self._lost_sync = self._holed = False
        self._doubt_at = -1
        self._before_doubt: Key | None = None

    @property
    def key(self) -> Key | None:
        """The newest whole keyframe."""
        return self.collector.key

    @property
    def at_rest(self) -> bool:
        """Whether nothing has begun that what comes next must end: no keyframe, no doubt about the newest one."""
        return not self.collector.open and self._doubt_at < 0

    def missed(self, now_s: float) -> None:
        """Bytes were left out on purpose, up to now: what comes next begins anywhere."""
        self._lost_sync = True
        self.collector.missed(now_s)

    @property
    def keys(self) -> int:
        """Whole keyframes so far."""
        return self.collector.keys

    @property
    def lost(self) -> int:
        """Keyframes refused for a hole in them."""
        return self.collector.lost

    def walk(self, buf: bytearray, end: int, arrived_s: float) -> int:
        """Take the whole frames at the front of `buf[:end]`; returns how many bytes. The rest comes again, in front."""
        collector, unpack, skipping, fu_at = self.collector, self._unpack, self._skipping, self._fu_at
        wanted = _NOTHING_SKIPPED if collector.open else skipping
        magic, plain = _DOLLAR << 8 | self._rtp, self._plain
        marked = plain | 0x80
        at = packets = 0
        last = -1
        began = collector.sequence
        # The first packet of a connection goes the long way, so that the count of packets has where to begin.
        stop = end - _LOOKS_BYTES if began >= 0 else -1
        while True:
            while at <= stop:
                sync, size, head, first, fu = unpack(buf, at)
                after = at + size + 4
                if sync != magic or after > end:
                    break
                if head != plain and head != marked:
                    if head & 0xC07F != plain:
                        break
                    # Padding, an extension or contributing sources: the payload may stand elsewhere.
                    payload = at + 16 + ((head & 0x0F00) >> 6)
                    if head & 0x1000:
                        payload += 4 + 4 * (buf[payload + 2] << 8 | buf[payload + 3]) if payload + 4 <= after else size
                    if payload + fu_at >= after:
                        break
                    first, fu = buf[payload], buf[payload + fu_at]
                if wanted[first][fu]:
                    if last >= 0 and not collector.open:
                        collector.sequence = sequence = buf[last + 6] << 8 | buf[last + 7]
                        collector.holed = self._holed or (sequence - began - packets) & 0xFFFF != 0
                    before = collector.key
                    collector.packet(buf, at + 4, after, arrived_s)
                    if collector.key is not before:
                        self._doubt_at, self._before_doubt = after, before
                    if collector.fragment:
                        after, more, last = collector.run(buf, after, end, magic, at)
                        packets += more
                    else:
                        last = at
                    wanted = _NOTHING_SKIPPED if collector.open else skipping
                else:
                    last = at
                packets += 1
                at = after
            if last >= 0 and not collector.open:
                collector.sequence = buf[last + 6] << 8 | buf[last + 7]
            if at == end:
                break
            after = self._unusual(buf, at, end, arrived_s)
            if after == at:
                break
            at = after
            if began < 0:
                began = collector.sequence
                stop = end - _LOOKS_BYTES if began >= 0 else -1
            magic = _DOLLAR << 8 | self._rtp
            wanted = _NOTHING_SKIPPED if collector.open else skipping
        self.bytes += at
        # What the newest key ended with may yet turn out to have been no whole frame: see `_lost`.
        if self._doubt_at >= 0:
            self._doubt_at, self._before_doubt = (0, self._before_doubt) if self._doubt_at == at else (-1, None)
        if packets:
            self._walked(buf, last, packets, arrived_s)
            self._holed = collector.holed = (collector.sequence - began - packets) & 0xFFFF != 0
        return at

    def _walked(self, buf: bytearray, last: int, packets: int, arrived_s: float) -> None:
        """What a walk tells of the stream's clock: `last` is where the newest of its `packets` stands."""
        self.packets += packets
        time, ssrc = _TIME_SSRC(buf, last + 8)
        if ssrc == self.collector.ssrc or self.collector.follows(ssrc, arrived_s):
            self.collector.heard_s = arrived_s
            self.newest_time = time

    def _unusual(self, buf: bytearray, at: int, end: int, arrived_s: float) -> int:
        """One step over anything but a plain packet of the track. Returns where to go on; `at`: more must come."""
        if self._lost_sync:
            at = self._search(buf, at, end)
            if self._lost_sync:
                return at
        if buf[at] != _DOLLAR:
            return self._text(buf, at, end)
        if end - at < 6:
            return at
        channel, size = buf[at + 1], buf[at + 2] << 8 | buf[at + 3]
        after = at + 4 + size
        known = channel in (self._rtp, self._rtcp)
        looks = size >= 4 and buf[at + 4] >> 6 == 2
        if not looks and not self._foreign(buf, channel, after, end):
            return at if known and size < 4 and after > end else self._lost(buf, at, end)
        if after > end:
            return at
        if looks:
            self._frame(buf, at, after, arrived_s)
        return after

    def _foreign(self, buf: bytearray, channel: int, after: int, end: int) -> bool:
        """Whether a frame that is no RTP may still be one: on our channels, or the maker's own data on another."""
        known = channel in (self._rtp, self._rtcp)
        if after > end:
            return not known and channel < _MOST_CHANNELS
        if after == end:
            return known or channel < _MOST_CHANNELS
        if known or buf[after] != _DOLLAR:
            return buf[after] in _STARTS and (known or channel < _MOST_CHANNELS)
        return channel < _MOST_CHANNELS and (after + 1 == end or buf[after + 1] in (self._rtp, self._rtcp, channel))

    def _frame(self, buf: bytearray, at: int, after: int, arrived_s: float) -> None:
        """A whole frame with RTP or RTCP, on whichever channel."""
        channel, second = buf[at + 1], buf[at + 5]
        if second in rtcp.PACKET_TYPES:
            self._reports(buf, at + 4, after, arrived_s)
            return
        if second & 0x7F != self._plain & 0x7F or after - at < 16:
            return
        if channel != self._rtp and self.collector.sequence < 0:
            # Only one track was asked for: a camera that sends it on another channel than it said.
            self._rtp = channel
        if channel == self._rtp:
            before = self.collector.key
            self.collector.packet(buf, at + 4, after, arrived_s)
            self._walked(buf, at, 1, arrived_s)
            if self.collector.key is not before:
                self._doubt_at, self._before_doubt = after, before

    def _reports(self, buf: bytearray, start: int, end: int, arrived_s: float) -> None:
        ssrc = self.collector.ssrc
        for report in rtcp.parse(buf, start, end):
            if isinstance(report, rtcp.SenderReport) and ssrc in (report.ssrc, -1):
                if report.ntp_utc_s is not None:
                    self.report = report.ntp_utc_s, report.rtp_time, arrived_s
            elif isinstance(report, rtcp.Bye) and ssrc in report.ssrcs:
                self.bye = True
                self.collector.forget_sender()

    def _lost(self, buf: bytearray, at: int, end: int) -> int:
        """No frame begins at `at`: the last one was not what its length said, so what came of it is taken back."""
        self._lost_sync = True
        self.resyncs += 1
        self.collector.broken()
        if self._doubt_at == at:
            self.collector.key = self._before_doubt
            self.collector.lost += 1
        return self._search(buf, at + 1, end)

    def _search(self, buf: bytearray, at: int, end: int) -> int:
        """Where the next frame or text seems to begin; still lost: from where to search when more has come."""
        for found in _MAYBE_FRAME.finditer(buf, at, end):
            start = found.start()
            if buf[start] != _DOLLAR or self._plausible(buf, start, end):
                self._lost_sync = False
                return start
            if end - start < _SURE_BYTES:
                return start
        return max(at, end - 6)

    def _plausible(self, buf: bytearray, at: int, end: int) -> bool:
        """Whether what stands at `at` is most probably a frame of ours."""
        if end - at < _SURE_BYTES:
            return False
        sync, size, head, _, _, ssrc = _SURE(buf, at)
        after = at + 4 + size
        if sync >> 8 != _DOLLAR or (after < end and buf[after] not in _STARTS):
            return False
        if head >> 8 >> 6 == 2 and head & 0xFF in rtcp.PACKET_TYPES:
            return size >= 8 and sync & 0xFF in (self._rtp, self._rtcp)
        ours = sync & 0xFF == self._rtp and head & 0xC07F == self._plain and size > 12
        # Of a sender we don't know, only with another frame behind it.
        return ours and (self.collector.ssrc in (ssrc, -1) or (after < end and buf[after] == _DOLLAR))

    def _text(self, buf: bytearray, at: int, end: int) -> int:
        """RTSP between the frames: answers to keep-alives, requests of the camera."""
        if buf[at] in _BETWEEN:
            return at + 1
        most = min(end, at + MOST_TEXT_BYTES)
        if not _TEXT.match(buf, at, most):
            unsure = end - at < _SURE_BYTES and _TEXT_SO_FAR.fullmatch(buf, at, end)
            return at if unsure else self._lost(buf, at, end)
        head_end = _HEADER_END.search(buf, at, most)
        if _NO_TEXT.search(buf, at, head_end.start() if head_end else most):
            return self._lost(buf, at, end)
        if not head_end:
            return at if end - at < MOST_TEXT_BYTES else self._lost(buf, at, end)
        length = _CONTENT_LENGTH.search(buf, at, head_end.end())
        after = self._body_end(buf, head_end.end(), int(length[1]) if length else 0, end)
        if after > end:
            return at
        if len(self.texts) < MOST_TEXTS:
            self.texts.append(bytes(buf[at:after]))
        else:
            self.texts_dropped += 1
        return after

    def _body_end(self, buf: bytearray, body: int, length: int, end: int) -> int:
        """Where a body said to be `length` bytes ends; cameras count wrong, so a frame ends it too. > `end`: wait."""
        after = body + length
        if not length or (after <= end and (after == end or buf[after] in _STARTS) and buf[body] != _DOLLAR):
            return after
        for found in _MAYBE_FRAME.finditer(buf, body, end):
            if buf[found.start()] != _DOLLAR or self._plausible(buf, found.start(), end):
                return found.start()
        if after > end and length <= MOST_TEXT_BYTES:
            return end + 1
        return min(after, end) if length <= MOST_TEXT_BYTES else body
