"""A few threads that share one queue: whoever is free takes what has waited longest, several at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

Then = Callable[[], object]
Job = Callable[[], Then | None]
"""What it gives back is done after it, behind the jobs that were taken with it."""


class Crew:
    """Up to `threads` threads, begun with the first job. What is put is bounded by whoever puts it; jobs catch their
    own errors.

    A job has two halves; the first halves of up to `at_once` jobs that wait are done before their second halves. Eight
    pictures decoded and then eight judged take a sixth less time than by turns: neither finds its code and tables
    pushed out of the processor's cache by the other.

    The first thread takes every job. The others are called while more than `alone` jobs wait, and work until none
    does: threads that share an interpreter hinder each other, so as long as one keeps up, one is cheapest.
    """

    def __init__(self, threads: int, name: str, alone: int = 0, at_once: int = 1) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._most, self._name, self._alone, self._at_once = threads, name, alone, at_once
        self._threads: dict[int, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def put(self, job: Job) -> None:
        """Have it done."""
        self._jobs.put(job)
        if not self._threads:
            self._start()
        self._call()

    def resize(self, threads: int) -> None:
        """More threads, or fewer once they are done with what they do."""
        with self._lock:
            self._most = threads
            if self._threads and not self._stopped:
                self._fill()

    @property
    def waiting(self) -> int:
        """Jobs that nobody took yet."""
        return self._jobs.qsize()

    def stop(self, timeout_s: float) -> None:
        """Take no more jobs; waits up to `timeout_s` for those under way."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads.values())
        self._jobs.put(None)
        for _ in threads:
            self._calls.put(None)
        until_s = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _start(self) -> None:
        with self._lock:
            if not self._threads and not self._stopped:
                self._fill()

    def _fill(self) -> None:
        for rank in range(max(1, self._most)):
            if rank not in self._threads:
                work = self._lead if rank == 0 else self._help
                thread = threading.Thread(target=work, args=(rank,), name=f"{self._name}-{rank + 1}", daemon=True)
                self._threads[rank] = thread
                thread.start()

    def _lead(self, _rank: int) -> None:
        while (job := self._jobs.get()) is not None and not self._stopped:
            self._do(job)

    def _help(self, rank: int) -> None:
        while not self._stopped:
            self._calls.get()
            with self._lock:
                if rank >= self._most:
                    # One too many by now: whoever stays takes the call.
                    del self._threads[rank]
                    self._calls.put(None)
                    return
            while not self._stopped and (job := self._next()) is not None:
                self._do(job)

    def _next(self) -> Job | None:
        """A job that waits; None where none does."""
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return None
        if job is None:
            # The word to stop is for the first thread, who waits for it.
            self._jobs.put(None)
        return job

    def _call(self) -> None:
        """Where too much waits. One call at a time: whoever answers calls the next, if it is still too much."""
        if self._most > 1 and self._jobs.qsize() > self._alone and self._calls.empty():
            self._calls.put(None)

    def _do(self, job: Job) -> None:
        self._call()
        after = [job()]
        while len(after) < self._at_once and not self._stopped and (another := self._next()) is not None:
            after.append(another())
        for then in after:
            if then is not None and not self._stopped:
                then()
