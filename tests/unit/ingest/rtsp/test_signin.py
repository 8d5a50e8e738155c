"""Sign-in against the examples of the RFCs, and against what cameras write."""

from __future__ import annotations

import hashlib
import re

import pytest

from ingest.cameras.rtsp.signin import Basic, Digest, choose, parse


def fields(header: str) -> dict[str, str]:
    return {
        name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))', header)
    }


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


EXAMPLE = (
    'realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, response: str) -> None:
    """RFC 7616 §3.9.1."""
    challenge = "Digest " + EXAMPLE.format(algorithm)
    found = choose([challenge], "Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    assert found is not None
    said = fields(found.header("GET", "/dir/index.html"))
    assert said["response"] == response
    assert said["nc"] == "00000001"
    assert said["opaque"] == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def test_the_example_of_rfc_2617() -> None:
    """RFC 2617 §3.5."""
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    found = choose([challenge], "Mufasa", "Circle Of Life", "0a4f113b")
    assert found is not None
    assert fields(found.header("GET", "/dir/index.html"))["response"] == "6629fae49393a05397450978507c4ef1"


def test_digest_without_qop_as_most_cameras_do_it() -> None:
    found = choose(
        ['Digest realm="IP Camera(23435)", nonce="3b27a446bfa49b0c48c3edb83139543d", stale="FALSE"'], "u", "p"
    )
    assert found is not None
    said = fields(found.header("DESCRIBE", "rtsp://h/cam"))
    proof = md5(f"{md5('u:IP Camera(23435):p')}:3b27a446bfa49b0c48c3edb83139543d:{md5('DESCRIBE:rtsp://h/cam')}")
    assert said["response"] == proof
    assert not {"qop", "nc", "cnonce", "algorithm", "opaque"} & set(said)


def test_a_session_digest_and_integrity() -> None:
    found = choose(['Digest realm="r", nonce="n", algorithm="md5-sess", qop="auth-int"'], "u", "p", "c")
    assert found is not None
    said = fields(found.header("PLAY", "rtsp://h/", b"body"))
    own = md5(f"{md5('u:r:p')}:n:c")
    assert said["response"] == md5(f"{own}:n:00000001:c:auth-int:{md5('PLAY:rtsp://h/:' + md5('body'))}")
    assert said["algorithm"] == "md5-sess"


def test_each_use_of_a_nonce_is_counted() -> None:
    found = choose(['Digest realm="r", nonce="n", qop="auth"'], "u", "p")
    assert found is not None
    answers = [fields(found.header("OPTIONS", "*")) for _ in range(3)]
    assert [answer["nc"] for answer in answers] == ["00000001", "00000002", "00000003"]
    assert len({answer["response"] for answer in answers}) == 3


MD5 = 'Digest realm="r", nonce="n"'
SHA = 'Digest realm="r", nonce="n2", algorithm=SHA-256'
BASIC = 'Basic realm="r"'


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ([BASIC], "Basic"),
        ([BASIC, MD5], "n"),
        ([MD5, BASIC], "n"),
        ([MD5, SHA, BASIC], "n2"),
        ([f"{BASIC}, {MD5}, {SHA}"], "n2"),
        (['Digest algorithm=MD5, realm="r", nonce=n'], "n"),
        (["digest REALM=r,NONCE=n,ALGORITHM=md5"], "n"),
        (['Digest realm="r", nonce="x", algorithm=SHA-512-256', MD5], "n"),
        (["Digest realm=r", BASIC], "Basic"),
        (["Digest realm=r, nonce=n, algorithm=basic", BASIC], "Basic"),
        (["NTLM", 'Bearer realm="r"', MD5], "n"),
    ],
)
def test_the_strongest_of_what_is_offered(offered: list[str], taken: str) -> None:
    found = choose(offered, "u", "p")
    assert found is not None
    header = found.header("OPTIONS", "*")
    assert (header.split()[0] if isinstance(found, Basic) else fields(header)["nonce"]) == taken


@pytest.mark.parametrize("offered", [[], [""], ["NTLM"], ["Digest realm=r"], ['realm="r", nonce="n"'], [",,, = ="]])
def test_nothing_that_we_know(offered: list[str]) -> None:
    assert choose(offered, "u", "p") is None


@pytest.mark.parametrize(
    ("realm", "plain"),
    [
        ('"Gate 4, north"', "Gate 4, north"),
        (r'"the \"big\" one"', 'the "big" one'),
        ('"Login to "Gate" 4"', 'Login to "Gate" 4'),
        (r'"DOMAIN\cam"', r"DOMAIN\cam"),
        ('""', ""),
        ('"a=b, c=d"', "a=b, c=d"),
        ("bare", "bare"),
        ('"摄像机"', "摄像机"),
    ],
)
def test_realms_of_all_sorts_are_hashed_plain_and_echoed_as_they_came(realm: str, plain: str) -> None:
    found = choose([f'Digest realm={realm}, nonce="n"'], "u", "p")
    assert isinstance(found, Digest)
    header = found.header("OPTIONS", "*")
    assert f'realm="{realm.strip(chr(34))}"' in header
    assert md5(f"{md5(f'u:{plain}:p')}:n:{md5('OPTIONS:*')}") in header


@pytest.mark.parametrize(
    ("told", "stale"), [("stale=true", True), ('stale="TRUE"', True), ("stale=false", False), ("", False)]
)
def test_whether_only_the_nonce_was_too_old(told: str, stale: bool) -> None:
    found = choose([f'Digest realm="r", nonce="n", {told}'], "u", "p")
    assert found is not None
    assert found.stale is stale


def test_basic_in_utf_8() -> None:
    found = choose([BASIC], "Aladdin", "open sesame")
    assert found is not None
    assert found.header("OPTIONS", "*") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_a_user_with_a_quote_cannot_break_out() -> None:
    found = choose([MD5], 'a"b\\', "p")
    assert found is not None
    assert r'username="a\"b\\"' in found.header("OPTIONS", "*")


def test_challenges_are_bounded() -> None:
    assert len(parse([", ".join(["Basic"] * 1000)] * 1000)) <= 64
