"""What happens when its time has come: timers lie in the database, so that they outlive restarts and outages.

Several processes may sweep at once: a timer fires while its case is locked, and who finds the case locked leaves it
to whoever holds it. After an outage what is due fires in the order of its time, each as of its own instant.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from .house import House
from .store import Transaction
from .store import timer_queries as ask
from .store.case_rows import CaseRow, TimerRow

log = logging.getLogger("hub.timers")

Fire = Callable[[Transaction, House, TimerRow, CaseRow | None], None]
"""What a kind of timer does; `timer.due_at` is the instant at which it counts."""

AT_ONCE = 250
"""Timers a transaction fires: many share one commit, and no lock is held for long."""
_LOOK_AGAIN_S = 2.0
_TRY_AGAIN = timedelta(minutes=5)
_ERROR_CHARACTERS = 500


class Timers(threading.Thread):
    """Fires what is due. `fires` says what each kind does; `shown` is told of the cases that changed, per batch."""

    def __init__(
        self,
        house: House,
        fires: Mapping[str, Fire],
        shown: Callable[[Transaction, House, Sequence[CaseRow]], None],
    ) -> None:
        super().__init__(name="timers", daemon=True)
        self._house, self._fires, self._shown = house, dict(fires), shown
        self._ended = threading.Event()

    def end(self) -> None:
        """Stop after the batch in hand."""
        self._ended.set()

    def run(self) -> None:
        """Until `end`; a database that is away is tried again."""
        while not self._ended.wait(self._pause_s()):
            try:
                self.sweep()
            except Exception:  # the thread must outlive a database that is away for a while
                log.exception("timers: will try again")

    def _pause_s(self) -> float:
        try:
            with self._house.db.read() as tx:
                next_at = ask.next_time(tx)
        except Exception:  # as above
            log.exception("timers: will try again")
            next_at = None
        if next_at is None:
            return _LOOK_AGAIN_S
        return min(max((next_at - self._house.now()).total_seconds(), 0.05), _LOOK_AGAIN_S)

    def sweep(self) -> int:
        """Fire everything that is due, in order; how many timers that were. What others hold is left to them."""
        fired, left = 0, set[str]()
        while not (self._ended.is_set() and self.is_alive()):
            done, held, more = self._batch(left)
            fired, left = fired + done, left | held
            if not more:
                break
        return fired

    def _batch(self, left: set[str]) -> tuple[int, set[str], bool]:
        """(how many fired, cases that somebody else holds, whether more may be due)"""
        try:
            with self._house.db.write() as tx:
                return self._fire_due(tx, left, AT_ONCE)
        except Exception:  # one timer's fault must not stop the others: find it by firing them one by one
            log.exception("timers: a batch failed; going on one by one")
        return self._one_by_one(left)

    def _one_by_one(self, left: set[str]) -> tuple[int, set[str], bool]:
        with self._house.db.read() as tx:
            due = [(t.id, t.kind, t.subject) for t in ask.due(tx, self._house.now(), AT_ONCE, left)]
        fired, held = 0, set[str]()
        for timer_id, kind, subject in due:
            try:
                with self._house.db.write() as tx:
                    done, more_held, _more = self._fire_due(tx, left | held, 1, timer_id)
                    fired, held = fired + done, held | more_held
            except Exception as error:  # as above: it is put off, and its error kept beside it
                log.exception("timer %s of %s failed; next try in %s", kind, subject, _TRY_AGAIN)
                with self._house.db.write() as tx:
                    ask.put_off(tx, timer_id, self._house.now() + _TRY_AGAIN, str(error)[:_ERROR_CHARACTERS])
        return fired, held, bool(due)

    def _fire_due(
        self, tx: Transaction, left: set[str], most: int, only: int | None = None
    ) -> tuple[int, set[str], bool]:
        now = self._house.now()
        due = [t for t in ask.due(tx, now, most if only is None else AT_ONCE, left) if only in (None, t.id)]
        cases = ask.lock_cases(tx, {t.case_id for t in due if t.case_id is not None})
        held = {t.case_id for t in due if t.case_id is not None} - set(cases)
        mine = ask.still_there(tx, [t for t in due if t.case_id is None or t.case_id in cases])
        touched: dict[str, CaseRow] = {}
        fired = list[TimerRow]()
        tx.info.pop("timer_set", None)
        for timer in mine:
            case = cases.get(timer.case_id) if timer.case_id else None
            fire = self._fires.get(timer.kind)
            if fire is None:
                log.warning("timer %s of %s: nobody knows what it does", timer.kind, timer.subject)
            else:
                fire(tx, self._house, timer, case)
            fired.append(timer)
            if case is not None:
                touched[case.id] = case
            if tx.info.get("timer_set", now) < now:
                break  # what has just been set is due already: it may come before the rest of this batch
        tx.flush()
        ask.forget(tx, fired)
        self._shown(tx, self._house, list(touched.values()))
        self._house.tally.add("timers", "fired", len(fired))
        return len(fired), held, len(due) == most or tx.info.get("timer_set", now) < now
