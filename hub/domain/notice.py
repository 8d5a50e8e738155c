"""Device notices: cameras that went into the same trouble together are one notice, with what they have in common.

A dead switch is one notice with 48 cameras in it. Pure: takes states and `now`, keeps the open notices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_UNSEEN = {"offline": "offline", "stale": "offline"}
_SOUND = frozenset({"online", "unknown"})


def trouble_of(state: str) -> str | None:
    """What a camera's state is called in a notice; None where there is no trouble. Unseen is unseen, however."""
    return None if state in _SOUND else _UNSEEN.get(state, state)


@dataclass(frozen=True, slots=True)
class Cause:
    """What the cameras have in common. `kind`: host, subnet, street, all, or none."""

    kind: str
    value: str = ""
    name: str = ""


NO_CAUSE = Cause("none")
EVERYTHING = Cause("all")


@dataclass(slots=True)
class Member:
    """A camera of a notice: since when it is in trouble (this time), when it came back, how often it has been in it."""

    camera: str
    since: datetime
    back_at: datetime | None = None
    times: int = 1


@dataclass(slots=True)
class Notice:
    """Cameras in the same trouble. It ends when all are back, and goes on when one fails again soon after."""

    id: str
    trouble: str
    cause: Cause
    began_at: datetime
    joined_at: datetime
    members: dict[str, Member] = field(default_factory=dict)
    ended_at: datetime | None = None

    @property
    def out(self) -> list[str]:
        """Cameras that are not back."""
        return [m.camera for m in self.members.values() if m.back_at is None]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things must last before they count."""

    holds: timedelta = timedelta(seconds=30)
    """Trouble, before it is told."""
    back: timedelta = timedelta(seconds=30)
    """Being well again, before it counts."""
    settles: timedelta = timedelta(seconds=20)
    """Quiet, before a wave of failures is taken to be complete."""
    settles_most: timedelta = timedelta(seconds=120)
    """How long that is waited for."""
    wave: timedelta = timedelta(seconds=120)
    """Failures further apart than this have not one cause."""
    joins: timedelta = timedelta(minutes=10)
    """How long after the last one a camera with the same cause still joins."""
    reopens: timedelta = timedelta(minutes=30)
    """How long an ended notice goes on when one of its cameras fails again."""


States = Mapping[str, tuple[str, datetime]]
"""Camera: state, and since when."""
Traits = Mapping[str, Sequence[Cause]]
"""Camera: what it shares with others, the most telling first."""

LEAST_FIT = 0.3
"""Below this a common trait explains too little to be named."""


class Board:
    """The notices that are open, or ended a short while ago."""

    def __init__(self, notices: Iterable[Notice], new_id: Callable[[], str], timing: Timing | None = None) -> None:
        self.notices = {notice.id: notice for notice in notices}
        self._new_id, self._timing = new_id, timing or Timing()

    def update(self, states: States, traits: Callable[[], Traits], now: datetime) -> dict[str, set[str]]:
        """Follow the states; which notices changed, and which of their members. `traits` is asked only when needed."""
        changed: dict[str, set[str]] = {}
        for notice in self.notices.values():
            moved = self._follow(notice, states, now)
            if moved:
                changed[notice.id] = moved
        for notice in list(self.notices.values()):
            over = notice.ended_at is not None and now - notice.ended_at > self._timing.reopens
            if over and notice.id not in changed:
                del self.notices[notice.id]
        self._admit(states, traits, now, changed)
        return changed

    def _follow(self, notice: Notice, states: States, now: datetime) -> set[str]:
        timing, moved = self._timing, set[str]()
        for member in notice.members.values():
            state, since = states.get(member.camera, ("unknown", now - timing.back))
            ill = trouble_of(state) == notice.trouble
            if ill and _soon(member, since, timing) and now - since >= timing.holds:
                member.since, member.back_at, member.times = since, None, member.times + 1
                moved.add(member.camera)
            elif not ill and member.back_at is None and now - since >= timing.back:
                # Well since before it fell ill: the hub called it unseen, its worker never did. It came back just now.
                member.back_at = since if since > member.since else now
                moved.add(member.camera)
        if moved:
            ends = [m.back_at for m in notice.members.values() if m.back_at is not None]
            notice.ended_at = None if notice.out else max(ends)
        return moved

    def _admit(self, states: States, traits: Callable[[], Traits], now: datetime, changed: dict[str, set[str]]) -> None:
        """Cameras in trouble that are in no notice yet: into one that is open, or into new ones."""
        told = {
            (m.camera, n.trouble)
            for n in self.notices.values()
            for m in n.members.values()
            if m.back_at is None or now - m.back_at <= self._timing.reopens
        }
        new: dict[str, list[Member]] = {}
        for camera, (state, since) in states.items():
            trouble = trouble_of(state)
            if trouble is not None and (camera, trouble) not in told:
                new.setdefault(trouble, []).append(Member(camera, since))
        for trouble, members in new.items():
            shares = traits()
            left = self._join(trouble, members, shares, now, changed)
            for wave in self._waves(left, now):
                for cause, group in _groups(wave, shares):
                    notice = Notice(self._new_id(), trouble, cause, min(m.since for m in group), now)
                    notice.members = {m.camera: m for m in group}
                    self.notices[notice.id] = notice
                    changed[notice.id] = set(notice.members)

    def _join(
        self, trouble: str, members: list[Member], traits: Traits, now: datetime, changed: dict[str, set[str]]
    ) -> list[Member]:
        timing, left = self._timing, list[Member]()
        notices = [n for n in self.notices.values() if n.trouble == trouble and n.ended_at is None]
        notices.sort(key=lambda n: -len(n.members))
        for member in members:
            causes = traits.get(member.camera, ())
            fit = next((n for n in notices if self._fits(n, causes, member)), None)
            if fit is None:
                left.append(member)
            elif now - member.since >= timing.holds:
                fit.members[member.camera] = member
                fit.began_at, fit.joined_at = min(fit.began_at, member.since), now
                changed.setdefault(fit.id, set()).add(member.camera)
        return left

    def _fits(self, notice: Notice, causes: Sequence[Cause], member: Member) -> bool:
        if notice.cause in (NO_CAUSE, EVERYTHING):
            return notice.began_at <= member.since <= notice.began_at + self._timing.wave
        early, late = notice.began_at - self._timing.joins, notice.joined_at + self._timing.joins
        return notice.cause in causes and early <= member.since <= late

    def _waves(self, members: list[Member], now: datetime) -> Iterable[list[Member]]:
        """Members whose trouble began close together, once their wave has settled."""
        timing = self._timing
        waves: list[list[Member]] = []
        for member in sorted(members, key=lambda m: (m.since, m.camera)):
            if waves and member.since - waves[-1][-1].since <= timing.wave:
                waves[-1].append(member)
            else:
                waves.append([member])
        for wave in waves:
            held = [m for m in wave if now - m.since >= timing.holds]
            quiet = now - wave[-1].since >= timing.settles and len(held) == len(wave)
            if held and (quiet or now - wave[0].since >= timing.settles_most):
                yield held


def _soon(member: Member, since: datetime, timing: Timing) -> bool:
    """Whether a trouble that began at `since` is the member's old one again."""
    return member.back_at is not None and since - member.back_at <= timing.reopens


def _groups(wave: list[Member], traits: Traits) -> Iterable[tuple[Cause, list[Member]]]:
    """The wave by best common cause. A cause is good when nearly all that share it failed, and few others did.

    Measure: Sørensen-Dice coefficient between the cameras that failed and those that share the cause.
    """
    sharing = Counter(cause for causes in traits.values() for cause in causes)
    left = list(wave)
    while len(left) > 1:
        failed = Counter(cause for m in left for cause in traits.get(m.camera, ()))
        fit = {c: 2 * n / (sharing[c] + len(left)) for c, n in failed.items() if n > 1}
        best = max(fit, key=lambda c: (fit[c], -_ORDER.index(c.kind)), default=NO_CAUSE)
        if fit.get(best, 0.0) < LEAST_FIT:
            break
        yield best, [m for m in left if best in traits.get(m.camera, ())]
        left = [m for m in left if best not in traits.get(m.camera, ())]
    if left:
        yield NO_CAUSE, left


_ORDER = ("host", "subnet", "street", "all", "none")
"""Which of equally good causes is named: the one that is nearest to a thing that can be mended."""
