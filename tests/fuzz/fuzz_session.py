"""A whole session against any camera: what is sent stays well-formed, bounded and free of the password."""

from __future__ import annotations

from ingest.cameras.rtsp.errors import RtspError
from ingest.cameras.rtsp.message import MessageReader, Request, parse_text
from ingest.cameras.rtsp.session import Playing, Send, Session, Tcp, Udp

from . import FIXTURES

SECRET = "pw-that-must-not-show"
MOST_SIGN_INS = 3
"""Times that one request may be sent with a sign-in: a fresh nonce, and a stale one."""


def seeds() -> list[bytes]:
    """Captured conversations; the first byte picks the transport and whether there is a user."""
    whole = [path.read_bytes() for path in sorted(FIXTURES.glob("*.rtsp"))]
    return [bytes((kind,)) + data for data in whole for kind in range(4)]


def one(data: bytes) -> None:
    """Answer after answer, whatever was asked."""
    kind = data[0] if data else 0
    way = Tcp() if kind & 1 else Udp(40000, 40001)
    user = ("admin", SECRET) if kind & 2 else (None, None)
    session, reader = Session(f"rtsp://admin:{SECRET}@10.0.0.7/cam?channel=1", *user, way), MessageReader()
    sent = [session.begin()]
    reader.feed(data[1:])
    try:
        for message in reader.messages():
            for event in session.receive(message):
                assert SECRET not in str(event)
                sent += [event.data] if isinstance(event, Send) else []
                sent += [session.keepalive()] if isinstance(event, Playing) else []
    except RtspError:
        pass
    sent.append(session.teardown())
    assert 0 < session.keepalive_every_s <= 30
    _well_formed(sent)


def _well_formed(sent: list[bytes]) -> None:
    tries: dict[tuple[str, str], int] = {}
    for data in sent:
        found = parse_text(data, 0, len(data))
        assert found is not None
        assert found[1] == len(data)
        assert SECRET.encode() not in data
        message = found[0]
        if isinstance(message, Request):
            assert message.url.startswith("rtsp://10.0.0.7")
            assert len(message.headers.get_all("CSeq")) == 1
            key = (message.method, message.url)
            tries[key] = tries.get(key, 0) + len(message.headers.get_all("Authorization"))
    assert all(n <= 2 * MOST_SIGN_INS for (method, _), n in tries.items() if method in ("DESCRIBE", "SETUP"))
