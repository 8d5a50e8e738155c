"""How a scripted RTSP camera misbehaves: each fault is one field, and all of them can be changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from .payload import Header


@dataclass(frozen=True, slots=True)
class Script:
    """How the camera behaves. Each can be changed while clients are connected."""

    # Answers.
    tcp: bool = True
    """False: SETUP over TCP is answered 461."""
    udp: bool = True
    public: str = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
    """What it says it knows; GET_PARAMETER is answered 405 where it is not among them."""
    channels: tuple[int, int] | None = None
    """Interleaved channels that it uses in place of those asked for."""
    session_s: int = 60
    """The session's time-out, as it tells it; 0: it tells none."""
    drops_idle: bool = False
    """Whether it ends the connection of a client that sent no request for `session_s`."""
    most_sessions: int = 1000
    """More are answered 453, as a recorder does."""
    redirect_to: str = ""
    """DESCRIBE is answered 302 with this address."""
    refuses_sign_in: bool = False
    """Refuse even the right password."""
    describe_length_off: int = 0
    """Added to the Content-Length of the SDP."""
    answer_length_off: int = 0
    """Content-Length of answers that have no body."""
    early_media: bool = False
    """The first picture is sent before the answer to PLAY."""
    aggregate_control: bool = True
    """False: the SDP names the track by an absolute address, and gives none for the whole."""
    cseq: bool = True
    """False: answers bear no CSeq."""

    # The stream.
    header: Header = field(default_factory=Header)
    mtu: int = 1400
    aggregate: bool = True
    """Join small NAL units in one packet."""
    markers: bool = True
    in_band: bool = True
    """False: the parameter sets stand in the SDP only."""
    sprop: bool = True
    """False: they stand in the stream only."""
    report_every_s: float = 1.0
    """RTCP sender reports; 0: none."""
    stamp_off_s: float = 0.0
    """Added to RTP time: change it, and the camera's clock jumps."""
    clock_off_s: float = 0.0
    """Added to the wall clock in sender reports."""
    odd_channel: int | None = None
    """Where packets of something else come in between."""

    # The connection.
    silent: bool = False
    """Neither picture nor answer comes, and the connection stays open: a peer that is gone without a word."""
    frozen: bool = False
    """Requests are answered, but no packet comes."""
    byte_every_s: float = 0.0
    """Each byte of the stream alone, this far apart; 0: as usual."""
    reset_in_key: bool = False
    """Half of the next keyframe, then a TCP reset."""
    lose_every: int = 0
    """Every n-th RTP packet is lost; 0: none."""
    swap_every: int = 0
    """Every n-th RTP packet comes behind its successor; 0: none."""
