"""How guessing is slowed down: by name, by address, and not for colleagues behind the same address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub import brake
from hub.brake import Allowance, Brake, place_of
from hub.errors import TooManyTries

NOW = datetime(2026, 11, 28, 0, 0, tzinfo=UTC)
OFFICE = "203.0.113.7"


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def one_address(most: int) -> Brake:
    """A brake whose addresses may try `most` times, and once a minute from then on."""
    return Brake(address=Allowance(most, 1 / 60))


def test_made_up_names_from_one_address_are_slowed_down() -> None:
    slow = one_address(20)
    for number in range(20):
        slow.sign_in(NOW, f"made-up-{number}", OFFICE)
    with pytest.raises(TooManyTries) as refused:
        slow.sign_in(NOW, "made-up", OFFICE)
    assert refused.value.wait_s == 60
    slow.sign_in(NOW, "made-up", "203.0.113.8")
    slow.sign_in(after(60), "made-up", OFFICE)
    with pytest.raises(TooManyTries):
        slow.sign_in(after(60), "made-up-too", OFFICE)


def test_a_shift_that_signs_in_uses_nothing_up() -> None:
    slow = one_address(2)
    for number in range(50):
        slow.signed_in(slow.sign_in(NOW, f"staff-{number}", OFFICE))


def test_typos_of_colleagues_do_not_shut_out_who_has_been_here() -> None:
    slow = one_address(5)
    slow.signed_in(slow.sign_in(NOW, "wang", OFFICE))
    for number in range(5):
        slow.sign_in(NOW, f"typo-{number}", OFFICE)
    with pytest.raises(TooManyTries):
        slow.sign_in(NOW, "li", OFFICE)
    slow.signed_in(slow.sign_in(NOW, "wang", OFFICE))


def test_strangers_elsewhere_do_not_shut_out_who_is_at_home() -> None:
    slow = Brake()
    slow.signed_in(slow.sign_in(NOW, "wang", OFFICE))
    for number in range(5):
        slow.sign_in(NOW, "wang", f"198.51.100.{number}")
    with pytest.raises(TooManyTries):
        slow.sign_in(NOW, "wang", "198.51.100.9")
    slow.signed_in(slow.sign_in(NOW, "wang", OFFICE))
    with pytest.raises(TooManyTries):
        slow.sign_in(NOW, "wang", "198.51.100.9")


def test_who_is_at_home_is_guessed_at_no_faster() -> None:
    slow = Brake()
    slow.signed_in(slow.sign_in(NOW, "wang", OFFICE))
    for _ in range(5):
        slow.sign_in(NOW, "wang", OFFICE)
    waits = []
    for _ in range(8):
        with pytest.raises(TooManyTries) as refused:
            slow.sign_in(after(sum(waits)), "wang", OFFICE)
        waits.append(refused.value.wait_s)
        slow.sign_in(after(sum(waits)), "wang", OFFICE)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    slow = Brake()
    for _ in range(5):
        slow.guess(after(86400), "password/wang")
    with pytest.raises(TooManyTries):
        slow.guess(NOW, "password/wang")
    slow.guess(after(5), "password/wang")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 500, "x" * 64),
    ],
)
def test_an_address_is_what_one_subscriber_has(address: str, place: str) -> None:
    assert place_of(address) == place


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brake, "KEYS_MOST", 100)
    slow = Brake()
    for number in range(300):
        tried = slow.sign_in(NOW, f"u{number}", f"10.0.{number}.1")
        slow.sign_in(NOW, f"v{number}", f"10.0.{number}.1")
        slow.signed_in(tried)
    assert [len(each) for each in (slow._failures, slow._homes, slow.address._spent)] == [99, 100, 100]


def test_a_large_amount_is_a_debt() -> None:
    readings = Allowance(most=100, per_s=10)
    assert readings.take("d", NOW, 500) == 0.0
    assert readings.take("d", NOW) == pytest.approx(40.1)
    assert readings.take("d", after(40.1)) == 0.0
