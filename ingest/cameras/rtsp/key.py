"""A coded keyframe of a camera, with the clock that dates it and the way to its picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ...device import Camera
from ...frame import Frame
from ...media import DECODERS, Coding, Packet
from .clock import RtpClock
from .collect import Key


@dataclass(slots=True)
class TakenKey:
    """See Caught and Dated. `shown`: the camera's URL without credentials; `size`: the last picture's width and height,
    to find a decoder that fits."""

    camera: Camera
    shown: str
    key: Key
    clock: RtpClock
    size: tuple[int, int] = (0, 0)

    @property
    def spent(self) -> bool:
        """See Dated."""
        return self.key.spent

    @property
    def captured_s(self) -> float:
        """Seconds since 1970 (UTC), as well as the stream's clock is known by now."""
        return self.clock.taken_s(self.key.rtp_time, self.key.arrived_s)

    def captured_at(self) -> datetime:
        """The same as a time."""
        return datetime.fromtimestamp(self.captured_s, UTC)

    def frame(self, captured_at: datetime) -> Frame:
        """The picture; raises NotVideo where it is damaged."""
        data = self.key.data
        coding = Coding(self.key.codec, b"", *self.size)
        packet = Packet(data, 0.0, 0.0, 0.0, True)
        picture = DECODERS.decode(coding, packet, self.shown)
        return Frame(self.camera.id, self.camera.preset, captured_at, picture, self.key.codec, len(data))
