"""三次督办: raised by the ladder's timers or by a person, with its notice, letter and 问题清单."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from . import letters
from .case_wire import case_brief
from .casework import ladder, wording
from .casework.clocks import clock_of
from .casework.step import Told, locked, note, tell, thin
from .domain.case import ENDED, CaseState
from .domain.letter import FORMS, SHEETS, LetterKind
from .domain.role import UNIT_ROLES
from .domain.supervision import CAUSE_NAMES, LEVEL_NAMES, Cause, Level, Rung, reached
from .errors import Conflict, Invalid, NotFound
from .house import SYSTEM, Actor, House
from .letters import Draft
from .outbox import announce
from .store import Transaction, case_queries
from .store import supervision_queries as ask
from .store.case_rows import CaseRow, ClockRow, TimerRow
from .store.counting import locked_counter
from .store.supervision_rows import SupervisionRow
from .unit_names import UnitNames

_COMING = timedelta(days=2)
_COMING_MOST = 200
HISTORY = "supervise"
"""The action of a case's history line."""


@dataclass(frozen=True, slots=True)
class Raise:
    """One supervision to be raised: `key` is unique, so the same rung is never raised twice."""

    rung: Rung
    cause: Cause
    key: str
    due_at: datetime
    demands: str = ""
    reason: str = ""


def fire_timer(tx: Transaction, house: House, timer: TimerRow, _case: CaseRow | None) -> None:
    """What the timer of a ladder does."""
    fire(tx, house, int(timer.subject.removeprefix("clock/")), house.now())


def fire(tx: Transaction, house: House, clock_id: int, now: datetime) -> None:
    """The ladder's timer is due: raise every rung that the clock has reached, in order, and set the next one."""
    clock = case_queries.clock(tx, clock_id)
    if clock is None:
        return
    case = locked(tx, clock.case_id)
    clock = case_queries.clock(tx, clock_id, lock=True)
    if clock is None or clock.finished_at is not None or CaseState(case.state) in ENDED:
        return
    running = clock_of(clock)
    for rung, due_at in reached(house.office.ladder, running, now, house.rules.calendar):
        key = f"clock/{clock.id}/{rung.level.value}"
        if not ask.known(tx, key):
            _raise(tx, house, case, clock, Raise(rung, Cause.TIMEOUT, key, due_at), SYSTEM, now)
    ladder.follow(tx, house, clock, running)
    tell(tx, house, case)


def supervise(
    house: House, actor: Actor, case_id: str, level: int, cause: str, demands: str = "", reason: str = ""
) -> dict[str, Any]:
    """A person supervises a case at any level (领导督办, 重点督办, 超时督办). Raises NotFound, Invalid, Conflict."""
    if level not in list(Level):
        raise Invalid("level", level, [str(each.value) for each in Level])
    if cause not in list(Cause):
        raise Invalid("cause", cause, list(Cause))
    for name, text in (("demands", demands), ("reason", reason)):
        if len(text) > 2000:
            raise Invalid(name, f"{len(text)} characters", "at most 2000 characters")
    with house.db.write() as tx:
        case, now = locked(tx, case_id), house.now()
        if CaseState(case.state) in ENDED:
            raise Conflict(f"case {case.number} is {case.state}: an ended case is not supervised", state=case.state)
        if case.department_id is None:
            raise Conflict(f"case {case.number} is at no department: dispatch it first", state=case.state)
        clock = case_queries.last_handle_clock(tx, case.id)
        rung = house.office.rung(Level(level))
        wanted = Raise(rung, Cause(cause), f"hand/{uuid4().hex}", now, demands.strip(), reason.strip())
        row = _raise(tx, house, case, clock, wanted, actor, now)
        tell(tx, house, case)
        return _json(tx, house, UnitNames.of(tx), row, case)


def _raise(
    tx: Transaction, house: House, case: CaseRow, clock: ClockRow | None, wanted: Raise, actor: Actor, now: datetime
) -> SupervisionRow:
    rung, level = wanted.rung, wanted.rung.level
    unit = (clock.department_id if clock is not None else None) or case.department_id
    row = SupervisionRow(
        id=uuid4().hex,
        key=wanted.key,
        case_id=case.id,
        clock_id=clock.id if clock is not None else None,
        department_id=unit,
        level=level.value,
        cause=wanted.cause.value,
        demands=wanted.demands,
        due_at=wanted.due_at,
        raised_at=now,
        raised_by=actor.id,
        raised_by_name=actor.name,
    )
    if rung.letter is not None and unit is not None:
        asked = Draft(rung.letter, [case], unit, demands=wanted.demands, reason=wanted.reason, reply=rung.reply)
        letter = letters.draft(tx, house, asked, actor, now)
        row.letter_id = letter.id
        if not FORMS[rung.letter].signed:
            letters.issue(tx, house, letter, actor, now)
    tx.add(row)
    case.supervised = max(case.supervised, level.value)
    said = wording.supervised(level, wanted.cause, wanted.demands)
    detail = {"level": level.value, "cause": wanted.cause.value, "due_at": wanted.due_at.isoformat()}
    note(tx, case, actor, HISTORY, CaseState(case.state), Told(said, (), detail), now, department=unit)
    tx.flush()
    tx.audit(now, actor.id, "case-supervised", f"case/{case.number}", department=unit, letter=row.letter_id, **detail)
    announce(tx, house, "cases", "case.supervised", case.number, {**thin(case), "level": level.value, **detail})
    return row


def raised_for(tx: Transaction, house: House, case_id: str) -> list[dict[str, Any]]:
    """The supervisions of a case, oldest first, as its page shows them."""
    units = UnitNames.of(tx)
    return [_json(tx, house, units, row, None) for row in ask.of_case(tx, case_id)]


def page(
    house: House,
    actor: Actor,
    *,
    level: int | None = None,
    is_open: bool | None = None,
    after: Sequence[Any] | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], list[Any] | None, int]:
    """(newest first, key of the next page, how many in all); a department sees its own."""
    if level is not None and level not in list(Level):
        raise Invalid("level", level, [str(each.value) for each in Level])
    unit = (actor.department or "") if actor.role in UNIT_ROLES else None
    with house.db.read() as tx:
        rows, key, total = ask.page(tx, level=level, department=unit, is_open=is_open, after=after, limit=limit)
        units = UnitNames.of(tx)
        return [_json(tx, house, units, row, case) for row, case in rows], key, total


def desk(house: House, actor: Actor) -> dict[str, Any]:
    """What the supervision desk begins with: rungs that come within two days, letters by state, the open 问题清单."""
    unit = (actor.department or "") if actor.role in UNIT_ROLES else None
    now = house.now()
    with house.db.read() as tx:
        coming = ask.coming(tx, ladder.SUPERVISE, now + _COMING, _COMING_MOST)
        units = UnitNames.of(tx)
        return {
            "coming": [
                _coming_json(house, units, timer.due_at, clock, case, ask.highest(tx, clock.id))
                for timer, clock, case in coming
                if unit is None or clock.department_id == unit
            ],
            "letters": ask.letter_counts(tx, now, unit),
            "to_batch": len({case.id for _row, case in ask.unbatched(tx)}) if unit is None else 0,
            "levels": [{"level": level.value, "name": LEVEL_NAMES[level]} for level in Level],
            "causes": [{"cause": cause.value, "name": CAUSE_NAMES[cause]} for cause in Cause],
        }


def _coming_json(
    house: House, units: UnitNames, due_at: datetime, clock: ClockRow, case: CaseRow, done: int | None
) -> dict[str, Any]:
    above = [rung.level for rung in house.office.ladder if done is None or rung.level > done]
    level = above[0] if above else Level.THIRD
    return {
        "case": case_brief(house, case),
        **units.columns(clock.department_id),
        "level": level.value,
        "level_name": LEVEL_NAMES[level],
        "due_at": due_at.isoformat(),
        "deadline": clock.deadline.isoformat(),
    }


def issue_batch(house: House, actor: Actor, demands: str = "") -> dict[str, Any]:
    """Hand over the open problems as 问题清单 第n批. Raises Conflict when there are none."""
    with house.db.write() as tx:
        locked_counter(tx, "problems")  # of two at once the second finds what the first has left: nothing
        now = house.now()
        rows = ask.unbatched(tx)
        if not rows:
            raise Conflict("no supervised case waits for a list of problems")
        cases = list({case.id: case for _row, case in rows}.values())[: letters.LINES_MOST]
        letter = letters.draft(tx, house, Draft(LetterKind.PROBLEMS, cases, demands=demands.strip()), actor, now)
        letters.issue(tx, house, letter, actor, now)
        taken = {case.id for case in cases}
        for row, case in rows:
            if case.id in taken:
                row.batch_id = letter.id
        tx.flush()
        return letters.letter_json(tx, house, letter, actor)


def write(house: House, actor: Actor, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A letter by hand (联系函, 工作督办函, 督办单, 会议纪要 …) about any cases: a draft to be signed.

    Raises Invalid, NotFound (an unknown case).
    """
    allowed = [k for k in LetterKind if k is not LetterKind.PROBLEMS and k not in SHEETS]
    if kind not in allowed:
        raise Invalid("kind", kind, allowed)
    with house.db.write() as tx:
        now, cases = house.now(), list[CaseRow]()
        for case_id in dict.fromkeys(body.get("cases", ())):
            case = case_queries.case(tx, case_id)
            if case is None:
                raise NotFound("case", case_id)
            cases.append(case)
        wanted = Draft(
            LetterKind(kind),
            cases,
            body.get("department"),
            body.get("to", ""),
            body.get("title", ""),
            body.get("reason", ""),
            body.get("demands", ""),
            body.get("copy_to", ""),
            body.get("attachments", ""),
            body.get("reply", ""),
            body.get("more", {}),
        )
        row = letters.draft(tx, house, wanted, actor, now)
        tx.audit(now, actor.id, "letter-drafted", f"letter/{row.id}", kind=kind, to=row.to_name)
        letters.tell(tx, house, row)
        return letters.letter_json(tx, house, row, actor)


def _json(tx: Transaction, house: House, units: UnitNames, row: SupervisionRow, case: CaseRow | None) -> dict[str, Any]:
    letter = ask.letter(tx, row.letter_id) if row.letter_id else None
    batch = ask.letter(tx, row.batch_id) if row.batch_id else None
    return {
        "id": row.id,
        "case": case_brief(house, case) if case is not None else row.case_id,
        **units.columns(row.department_id),
        "level": row.level,
        "level_name": LEVEL_NAMES[Level(row.level)],
        "cause": row.cause,
        "cause_name": CAUSE_NAMES[Cause(row.cause)],
        "demands": row.demands,
        "due_at": row.due_at.isoformat(),
        "raised_at": row.raised_at.isoformat(),
        "raised_by": row.raised_by_name,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "letter": {"id": letter.id, "kind": letter.kind, "number": letter.number, "state": letter.state}
        if letter
        else None,
        "batch": {"id": batch.id, "number": batch.number} if batch else None,
    }
