"""Challenges: never an exception; the answer is one line and holds no password, but for Basic."""

from __future__ import annotations

from ingest.cameras.rtsp.signin import Digest, choose

SECRET = "pw-that-must-not-show"


def seeds() -> list[bytes]:
    """One challenge a line, as cameras of several makers write them."""
    return [
        b'Digest realm="GStreamer RTSP Server", nonce="fc6fb48a29376ab4"',
        b'Digest realm="IP Camera(23435)", nonce="3b27", stale="FALSE"\nBasic realm="IP Camera(23435)"',
        b'Basic realm="a, b", Digest realm="x \\"y\\"",qop="auth,auth-int",algorithm=SHA-256,nonce="n",opaque="o"',
        b'Digest realm="Login to "Gate" 4", algorithm="MD5-sess", nonce=abc, stale=true, qop=auth-int',
    ]


def one(data: bytes) -> None:
    """As the reader gives them: no line breaks within a value."""
    found = choose(data.decode("utf-8", "replace").splitlines(), "admin", SECRET, "c")
    if found is None:
        return
    for _ in range(2):
        answer = found.header("DESCRIBE", "rtsp://10.0.0.7/cam", b"body")
        assert len(answer.splitlines()) == 1
        assert not isinstance(found, Digest) or SECRET not in answer
