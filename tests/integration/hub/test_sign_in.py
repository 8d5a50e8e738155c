"""Signing in with real passwords: the first administrator, sessions, CSRF, guessing, tokens."""

from __future__ import annotations

import queue
import stat
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub import people
from hub.bootstrap import build_hub
from hub.brake import Allowance, Brake
from hub.config import Settings
from hub.domain.role import Role
from hub.errors import Forbidden, HubError, Invalid, NotSignedIn, TooManyTries
from hub.house import SYSTEM, Actor, House
from hub.people import add_token, keep_token, token_hash
from hub.serving import Serving, claim_port
from hub.store.rows import SessionRow, UserRow

from .conftest import City, Clock

CSRF = {"X-Gridhub": "1"}
NEW = "correct horse battery"


@pytest.fixture
def browser(city: City) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, headers=CSRF, trust_env=False, timeout=30) as client:
        yield client


def sign_in(browser: httpx.Client, user: str, password: str) -> httpx.Response:
    return browser.post("/api/session", json={"user": user, "password": password})


def test_the_first_administrator_changes_the_one_time_password_first(city: City, browser: httpx.Client) -> None:
    once = city.hub.first_password
    assert once is not None
    answer = sign_in(browser, "admin", once)
    assert answer.json()["must_change_password"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    blocked = browser.get("/api/alerts")
    assert (blocked.status_code, blocked.json()["type"]) == (403, "password-change-required")
    assert browser.get("/api/session").json()["user"] == "admin"

    def change(old: str, new: str) -> httpx.Response:
        return browser.post("/api/session/password", json={"old": old, "new": new})

    assert change("wrong", NEW).status_code == 403
    for weak in ("short", "the admin himself", once):
        refused = change(once, weak)
        assert refused.status_code == 422
        assert weak not in refused.text
    assert change(once, NEW).status_code == 200
    assert browser.get("/api/alerts").status_code == 200
    assert sign_in(browser, "admin", once).status_code == 401
    assert sign_in(browser, "admin", NEW).status_code == 200


def test_no_password_or_token_lies_in_the_database(city: City) -> None:
    token = city.hub.worker_token_file.read_text()
    assert stat.S_IMODE(city.hub.worker_token_file.stat().st_mode) == 0o600
    with city.hub.house.db.read() as tx:
        row = tx.get(UserRow, "admin")
        assert row is not None
        assert row.password_hash.startswith("$argon2id$")
        assert city.hub.first_password not in row.password_hash
    assert len(token_hash(token)) == 64


def test_changes_need_the_header_that_other_sites_cannot_send(city: City) -> None:
    staff = city.who("wang")
    alert = city.post_finding(city.finding())["alert"]
    del staff.headers["X-Gridhub"]
    answer = staff.post(f"/api/alerts/{alert}/confirm", json={})
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert staff.get("/api/alerts").status_code == 200


@pytest.mark.parametrize("password", ['"\\ud800"', '"\\u0000"', '""', '"' + "x" * 100_000 + '"'])
def test_odd_passwords_are_wrong_passwords(city: City, browser: httpx.Client, password: str) -> None:
    head = {"Content-Type": "application/json"}
    answer = browser.post("/api/session", content=f'{{"user": "wang", "password": {password}}}', headers=head)
    assert answer.status_code == 401, answer.text
    once = people.reset_password(city.hub.house, SYSTEM, "wang")
    assert sign_in(browser, "wang", once).status_code == 200
    body = f'{{"old": "{once}", "new": "0123456789\\ud800"}}'
    assert browser.post("/api/session/password", content=body, headers=head).status_code == 422


def while_checked(house: House, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a password is checked from now on, an administrator resets it, or shuts wang out."""
    boss, fits = Actor("boss", "boss", Role.ADMIN), people._fits

    def meanwhile(stored: str, password: str) -> bool:
        good = fits(stored, password)
        if how == "reset":
            people.reset_password(house, boss, "wang")
        else:
            people.change_user(house, boss, "wang", {"active": False})
        return good

    monkeypatch.setattr(people, "_fits", meanwhile)


@pytest.mark.parametrize("how", ["reset", "shut out"])
def test_a_password_that_is_reset_while_it_is_checked_opens_no_session(
    city: City, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = city.hub.house
    once = people.reset_password(house, SYSTEM, "wang")
    while_checked(house, how, monkeypatch)
    with pytest.raises(NotSignedIn):
        people.sign_in(house, Brake(), "wang", once, "10.0.0.9")
    with house.db.read() as tx:
        assert list(tx.scalars(select(SessionRow).where(SessionRow.user_id == "wang"))) == []


@pytest.mark.parametrize("how", ["reset", "shut out"])
def test_a_password_that_is_reset_while_it_is_changed_stays_reset(
    city: City, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who had stolen it undid the reset, with a password of his own."""
    house, fits = city.hub.house, people._fits
    once = people.reset_password(house, SYSTEM, "wang")
    _cookie, wang = people.sign_in(house, Brake(), "wang", once, "10.0.0.9")
    while_checked(house, how, monkeypatch)
    with pytest.raises(Forbidden):
        people.change_password(house, Brake(), wang, once, NEW)
    with house.db.read() as tx:
        row = tx.get(UserRow, "wang")
        assert row is not None
        assert row.must_change_password
        assert not fits(row.password_hash, NEW)


def _endless(read: list[int]) -> Iterator[bytes]:
    yield b'{"user": "'
    for _ in range(640):
        read.append(1 << 16)
        yield b"x" * (1 << 16)


def test_a_stranger_cannot_fill_the_memory_with_a_body(city: City) -> None:
    """Bodies are read before anybody is known, so they are bounded, with or without a length."""
    head = {"Content-Type": "application/json"}
    for content in (b'{"user": "' + b"x" * (3 << 20), _endless([])):
        with httpx.Client(base_url=city.url, headers=CSRF, trust_env=False, timeout=30) as client:
            try:
                answer = client.post("/api/session", content=content, headers=head)
            except httpx.WriteError:
                continue  # the hub has closed the connection while we wrote
            assert (answer.status_code, answer.json()["type"]) == (413, "too-large"), answer.text[:200]


def test_a_body_without_a_length_is_bounded_for_people_too(city: City) -> None:
    def form() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="cameras.csv"; filename="cameras.csv"\r\n\r\n'
        for _ in range(1100):
            yield b"x" * (1 << 16)
        yield b"\r\n--x--\r\n"

    head = {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        answer = city.who("eng").post("/api/cameras/import", content=form(), headers=head)
    except httpx.WriteError:
        return
    assert (answer.status_code, answer.json()["type"]) == (413, "too-large"), answer.text[:200]
    assert "67108864" in answer.json()["detail"]


def test_guessing_is_slowed_down(city: City, browser: httpx.Client) -> None:
    good = city.hub.first_password or ""
    for _ in range(5):
        assert sign_in(browser, "admin", "guess").status_code == 401
    blocked = sign_in(browser, "admin", good)
    assert (blocked.status_code, blocked.json()["type"]) == (429, "too-many-tries")
    assert int(blocked.headers["retry-after"]) <= 6
    assert sign_in(browser, "someone-else", "guess").status_code == 401
    city.clock.forward(seconds=6)
    assert sign_in(browser, "admin", good).status_code == 200
    assert sign_in(browser, "admin", "guess").status_code == 401
    assert "gridhub_sign_in_failures_total 7" in browser.get("/metrics").text


@pytest.mark.parametrize("what", ["sign in", "change the password"])
def test_guesses_at_once_are_counted_before_they_are_checked(
    city: City, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, brake = city.hub.house, Brake()
    outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()
    all_came = threading.Event()

    def checking(stored: str, password: str) -> bool:
        outcomes.put("checked")
        all_came.wait(30)
        return False

    monkeypatch.setattr(people, "_fits", checking)
    wang = people.SignedIn(Actor("wang", "王", Role.STAFF), must_change_password=False, token_hash="")

    def guess(number: int) -> None:
        try:
            if what == "sign in":
                people.sign_in(house, brake, "admin", f"guess {number}", f"10.0.0.{number}")
            else:
                people.change_password(house, brake, wang, f"guess {number}", NEW)
        except TooManyTries:
            outcomes.put("refused")
        except HubError:
            pass

    guesses = [threading.Thread(target=guess, args=(number,)) for number in range(40)]
    for one in guesses:
        one.start()
    try:
        came = [outcomes.get(timeout=30) for _ in guesses]
    finally:
        all_came.set()
        for one in guesses:
            one.join()
    assert came.count("checked") == 5
    assert came.count("refused") == 35


def test_made_up_names_are_slowed_down_by_address(city: City, browser: httpx.Client) -> None:
    city.hub.app.state.brake = Brake(address=Allowance(most=6, per_s=1 / 10))
    good = city.hub.first_password or ""
    assert sign_in(browser, "admin", good).status_code == 200
    for number in range(6):
        assert sign_in(browser, f"made-up-{number}", "guess").status_code == 401
    refused = sign_in(browser, "made-up", "guess")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert sign_in(browser, "admin", good).status_code == 200, "has signed in from here before"
    city.clock.forward(seconds=10)
    assert sign_in(browser, "made-up", "guess").status_code == 401


def test_addresses_are_those_that_the_proxy_tells(city: City, browser: httpx.Client) -> None:
    """Tests come from 127.0.0.1, a proxy unless hub.yaml says otherwise; what a client has added counts nothing."""
    city.hub.app.state.brake = Brake(address=Allowance(most=3, per_s=1 / 10))

    def tried(user: str, forwarded: str) -> int:
        body = {"user": user, "password": "guess"}
        return browser.post("/api/session", json=body, headers={"X-Forwarded-For": forwarded}).status_code

    assert [tried(f"made-up-{n}", f"10.9.9.{n}, 10.0.0.5") for n in range(4)] == [401, 401, 401, 429]
    assert tried("made-up", "10.0.0.6") == 401


def test_nobody_but_a_proxy_says_whom_he_speaks_for(city: City) -> None:
    sock = claim_port("127.0.0.1", 0)
    serving = Serving(city.hub.app, sock, proxies=["10.0.0.1"])
    serving.start()
    city.hub.app.state.brake = Brake(address=Allowance(most=3, per_s=1 / 10))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/api/session"
    try:
        answers = [
            httpx.post(
                url, json={"user": f"u{n}", "password": "guess"}, headers={"X-Forwarded-For": f"10.0.0.{n}"}
            ).status_code
            for n in range(4)
        ]
    finally:
        serving.end()
    assert answers == [401, 401, 401, 429]


def test_a_session_ends_by_time_and_by_signing_out(city: City, browser: httpx.Client) -> None:
    once = city.hub.first_password or ""
    sign_in(browser, "admin", once)
    city.clock.forward(hours=11, minutes=59)
    assert browser.get("/api/session").status_code == 200
    city.clock.forward(minutes=2)
    assert browser.get("/api/session").status_code == 401
    sign_in(browser, "admin", once)
    stolen = dict(browser.cookies)
    assert browser.delete("/api/session").status_code == 204
    assert httpx.get(f"{city.url}/api/session", cookies=stolen).status_code == 401


def test_programs_need_a_valid_token(city: City) -> None:
    for scheme in ("Bearer wrong", "Basic YWRtaW46eA==", "Bearer"):
        answer = city.who("nobody").get("/api/worker/assignment", headers={"Authorization": scheme})
        assert (answer.status_code, answer.json()["type"]) == (401, "not-signed-in")


def test_a_programs_name_fits_what_holds_who_did_it(city: City) -> None:
    with pytest.raises(Invalid, match=r"name: .* is not allowed; allowed: 1 to 58 characters; this one has 59"):
        add_token(city.hub.house, "市" * 59, Role.CLIENT)
    assert reported(city, add_token(city.hub.house, "市" * 58, Role.CLIENT))["by"] == "token/" + "市" * 58


def test_programs_with_the_longer_names_of_older_hubs_still_work(city: City) -> None:
    names = ["市" * 63 + "东", "市" * 63 + "西"]
    with city.hub.house.db.write() as tx:
        for name in names:
            keep_token(tx, name, Role.CLIENT, f"token of {name[-1]}".encode().hex(), city.clock())
    moves = [reported(city, f"token of {name[-1]}".encode().hex()) for name in names]
    assert [move["by_name"] for move in moves] == names
    assert len({move["by"] for move in moves}) == 2
    assert all(move["by"].startswith("token/" + "市" * 40) for move in moves)


def reported(city: City, token: str) -> dict[str, Any]:
    """The first move of a case that a program reports."""
    body = {"channel": "grid_app", "category": "06010", "description": token, "address": "东大街5号"}
    answer = city.who("nobody").post("/api/cases", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 201, answer.text
    return dict(city.read(answer.json()["case"]["id"])["history"][0])


ROOMS = (
    ("wang", "GET", "/api/worker/assignment"),
    ("wang", "GET", "/api/audit"),
    ("wang", "POST", "/api/cameras"),
    ("eng", "POST", "/api/alerts/x/confirm"),
    ("huan", "GET", "/api/alerts"),
    ("huan", "GET", "/api/cameras"),
    ("huan", "GET", "/api/numbers"),
    ("worker", "GET", "/api/alerts"),
    ("worker", "GET", "/api/feed"),
    ("eng", "GET", "/api/users"),
)


def test_roles_keep_to_their_rooms(city: City) -> None:
    for user, method, path in ROOMS:
        body = {"id": "c9", "name": "c9", "url": "rtsp://x/1"} if path == "/api/cameras" and method == "POST" else None
        answer = city.who(user).request(method, path, json=body)
        assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), (user, path, answer.text)


def test_people_are_made_by_the_administrator(city: City, browser: httpx.Client) -> None:
    boss = city.who("boss")
    new = {"user": "zhou", "name": "周", "role": "department", "department": "drainage"}
    once = boss.post("/api/users", json=new).json()["one_time_password"]
    assert sign_in(browser, "zhou", once).json()["department"] == "drainage"
    assert boss.post("/api/users", json=new).json()["type"] == "taken"
    assert boss.post("/api/users", json={**new, "user": "x", "department": None}).status_code == 422
    assert boss.post("/api/users", json={**new, "user": "x", "role": "worker"}).status_code == 422
    for id_ in ("a/b", ".."):
        assert boss.post("/api/users", json={**new, "user": id_}).json()["field"] == "user", "fits no address"
    assert once not in boss.get("/api/audit").text
    assert {u["user"] for u in boss.get("/api/users").json()["items"]} >= {"zhou", "admin"}


def test_a_restart_keeps_people_and_tokens(settings: Settings, rules: Any) -> None:
    first = build_hub(settings, rules=rules, now=Clock())
    first.start()
    assert first.first_password
    token = first.worker_token_file.read_text()
    first.stop()
    second = build_hub(settings, rules=rules, now=Clock())
    second.start()
    assert second.first_password is None
    assert second.worker_token_file.read_text() == token
    second.stop()
