"""How often somebody may try who has proved nothing yet: counted before what he brings is checked; bounded memory."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from .errors import TooManyTries

KEYS_MOST = 10_000
"""Names, addresses, devices that are remembered at once; of more, what was used longest ago is forgotten."""
_ADDRESS_LETTERS_MOST = 64
_ROUNDED = 1e-9
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def place_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 address, which is one subscriber's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:_ADDRESS_LETTERS_MOST]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((int(found), 64), strict=False))


class Allowance:
    """What each key may spend: `most` at once, `per_s` for long. Any thread."""

    def __init__(self, most: float, per_s: float) -> None:
        self.most, self.per_s = most, per_s
        self._spent: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, now: datetime, amount: float = 1.0) -> float:
        """Spend it: 0.0; where there is no room for one, nothing is spent: seconds until there is.

        An amount beyond the room that is left makes a debt, so what is larger than `most` can be spent too.
        """
        with self._lock:
            spent, at = self._spent.pop(key, (0.0, now))
            spent = max(0.0, spent - max(0.0, (now - at).total_seconds()) * self.per_s)
            over = spent + 1.0 - self.most
            wait_s = over / self.per_s if over > _ROUNDED else 0.0
            _keep(self._spent, key, (spent if wait_s else spent + amount, now))
            return wait_s

    def give_back(self, key: str) -> None:
        """One that was taken counts no more."""
        with self._lock:
            if key in self._spent:
                spent, at = self._spent[key]
                self._spent[key] = (max(0.0, spent - 1.0), at)


@dataclass(frozen=True, slots=True)
class Try:
    """A try to sign in: what it is counted under, who would be at home where, and from where it came."""

    key: str
    home: str
    place: str


@dataclass(slots=True)
class Brake:
    """Slows guessing of passwords: a try counts as failed before its password is checked, and until it succeeds.

    After `free` failures in a row for a name one must wait, twice as long each time, `most_s` at most. Whatever names
    they are for, tries from one address have an allowance. Who signed in from an address before is judged there by his
    own tries alone: neither colleagues behind the same address nor strangers elsewhere can shut him out.
    """

    free: int = 5
    first_s: float = 5.0
    most_s: float = 300.0
    address: Allowance = field(default_factory=lambda: Allowance(most=50, per_s=1 / 6))
    _failures: OrderedDict[str, tuple[int, datetime]] = field(default_factory=OrderedDict)
    _homes: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sign_in(self, now: datetime, user: str, address: str) -> Try:
        """Count a try to sign in. Raises TooManyTries, and then counts nothing."""
        place = place_of(address)
        home = f"home/{place}/{user}"
        with self._lock:
            at_home = home in self._homes
            key = home if at_home else f"user/{user}"
            self._check(now, key)
            if not at_home and (wait_s := self.address.take(place, now)):
                raise TooManyTries(wait_s)
            self._count(now, key)
        return Try(key, home, place)

    def signed_in(self, tried: Try) -> None:
        """It succeeded: it counts no more, and he is at home there."""
        with self._lock:
            self._failures.pop(tried.key, None)
            if tried.key != tried.home:
                self.address.give_back(tried.place)
            _keep(self._homes, tried.home, None)

    def guess(self, now: datetime, key: str) -> None:
        """Count a try at something else that is kept under `key`. Raises TooManyTries, and then counts nothing."""
        with self._lock:
            self._check(now, key)
            self._count(now, key)

    def guessed(self, key: str) -> None:
        """It succeeded: its failures count no more."""
        with self._lock:
            self._failures.pop(key, None)

    def _check(self, now: datetime, key: str) -> None:
        count, last = self._failures.get(key, (0, now))
        if count < self.free:
            return
        wait_s = min(self.most_s, self.first_s * 2.0 ** min(count - self.free, 16))
        last = min(last, now)  # the clock may have been set back
        self._failures[key] = (count, last)
        if (left_s := wait_s - (now - last).total_seconds()) > 0:
            raise TooManyTries(left_s)

    def _count(self, now: datetime, key: str) -> None:
        _keep(self._failures, key, (self._failures.pop(key, (0, now))[0] + 1, now))


def _keep(among: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    among[key] = value
    among.move_to_end(key)
    while len(among) > KEYS_MOST:
        among.popitem(last=False)
