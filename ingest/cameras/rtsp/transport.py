"""The Transport field of SETUP (RFC 2326 §12.39): what we ask for, and what cameras make of it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tcp:
    """Packets interleaved with RTSP on its own connection."""

    channels: tuple[int, int] = (0, 1)

    @property
    def asked(self) -> str:
        """As the field says it."""
        return f"RTP/AVP/TCP;unicast;interleaved={self.channels[0]}-{self.channels[1]}"


@dataclass(frozen=True, slots=True)
class Udp:
    """Packets as datagrams to two ports of ours."""

    client_rtp_port: int
    client_rtcp_port: int

    @property
    def asked(self) -> str:
        """As the field says it."""
        return f"RTP/AVP;unicast;client_port={self.client_rtp_port}-{self.client_rtcp_port}"


@dataclass(frozen=True, slots=True)
class Granted:
    """An answered Transport field; None where it doesn't say."""

    over_tcp: bool
    multicast: bool
    channels: tuple[int, int] | None
    server_ports: tuple[int, int] | None
    source: str | None
    ssrc: int | None


def parse(value: str) -> Granted:
    """The first transport of the field; what cannot be read is as if it weren't said."""
    protocol, *parts = [part.strip() for part in value.split(",")[0].split(";")]
    told = {name.strip().lower(): text.strip().strip('"') for name, _, text in (part.partition("=") for part in parts)}
    channels = _pair(told.get("interleaved", ""), 255)
    source = told.get("source", "")
    ssrc = told.get("ssrc", "").removeprefix("0x")
    return Granted(
        over_tcp=channels is not None or protocol.upper().endswith("/TCP"),
        multicast="multicast" in told,
        channels=channels,
        server_ports=_pair(told.get("server_port", ""), 65535),
        source=source if re.fullmatch(r"[0-9A-Fa-f.:]{2,45}", source) else None,
        ssrc=int(ssrc, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,8}", ssrc) else None,
    )


def _pair(text: str, most: int) -> tuple[int, int] | None:
    """`a-b`, or `a` alone, whose pair is the next."""
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    if not found:
        return None
    first = int(found[1])
    second = int(found[2]) if found[2] else first + 1
    return (first, second) if max(first, second) <= most else None
