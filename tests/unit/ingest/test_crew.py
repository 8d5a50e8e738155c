"""The crew: every job is done once, first halves before second ones, by one thread while it keeps up."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ingest.crew import Crew
from tests.peers import wait_until


class Log:
    """Jobs that write down what is done, where; `gate` holds each first half back until it is opened."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()

    def job(self, name: str) -> Callable[[], Callable[[], object]]:
        def first() -> Callable[[], object]:
            self.gate.wait(10)
            self.threads.add(threading.current_thread().name)
            self.done.append(name)
            return lambda: self.done.append(name.upper())

        return first


def test_first_halves_of_what_waits_are_done_before_second_ones() -> None:
    log, crew = Log(), Crew(1, "t", at_once=3)
    for name in "abcde":
        crew.put(log.job(name))
    log.gate.set()
    wait_until(lambda: len(log.done) == 10)
    crew.stop(5)
    assert "".join(log.done) == "abcABCdeDE"


def test_one_thread_works_alone_while_few_wait() -> None:
    log, crew = Log(), Crew(4, "t", alone=10)
    for n in range(8):
        crew.put(log.job(str(n)))
    log.gate.set()
    wait_until(lambda: len(log.done) == 16)
    crew.stop(5)
    assert log.threads == {"t-1"}


def test_others_are_called_where_many_wait_even_if_the_first_is_held_up() -> None:
    log, crew, held = Log(), Crew(3, "t", alone=2), threading.Event()
    log.gate.set()

    def stuck() -> None:
        held.wait(20)

    crew.put(stuck)
    wait_until(lambda: crew.waiting == 0)
    for n in range(8):
        crew.put(log.job(str(n)))
    wait_until(lambda: len(log.done) == 16)
    assert log.threads <= {"t-2", "t-3"}
    held.set()
    crew.stop(5)


def test_without_patience_every_job_that_waits_calls_somebody() -> None:
    crew, together = Crew(3, "t"), threading.Barrier(3)
    met: list[int] = []

    def meet() -> None:
        met.append(together.wait(10))

    for _ in range(3):
        crew.put(meet)
    wait_until(lambda: len(met) == 3, what="three jobs at once")
    crew.stop(5)


def test_it_grows_and_shrinks() -> None:
    crew, together = Crew(1, "t"), threading.Barrier(2)
    met: list[int] = []

    def meet() -> None:
        met.append(together.wait(10))

    crew.put(lambda: None)
    crew.resize(2)
    crew.put(meet)
    crew.put(meet)
    wait_until(lambda: len(met) == 2, what="two jobs at once")
    crew.resize(1)
    log = Log()
    log.gate.set()
    for n in range(20):
        crew.put(log.job(str(n)))
    wait_until(lambda: len(log.done) == 40)
    crew.resize(2)
    crew.put(meet)
    crew.put(meet)
    wait_until(lambda: len(met) == 4, what="two jobs at once again")
    crew.stop(5)


def test_stop_ends_every_thread() -> None:
    crew = Crew(3, "stopped")
    crew.put(lambda: None)
    crew.stop(5)
    crew.put(lambda: None)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stopped")]
