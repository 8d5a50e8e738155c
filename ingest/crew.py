"""A few threads that share one queue: whoever is free takes what has waited longest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], None]


class Crew:
    """`threads` threads, started with the first job. What is put is bounded by whoever puts it; jobs catch their own
    errors."""

    def __init__(self, threads: int, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._most, self._name = threads, name
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._stopped = False

    def put(self, job: Job) -> None:
        """Have it done."""
        self._jobs.put(job)
        if not self._threads:
            self._start()

    def resize(self, threads: int) -> None:
        """More threads, or fewer once they are done with what they do."""
        with self._lock:
            if self._threads and not self._stopped:
                for _ in range(self._most - threads):
                    self._jobs.put(None)
                self._add(threads - self._most)
            self._most = threads

    @property
    def waiting(self) -> int:
        """Jobs that nobody took yet."""
        return self._jobs.qsize()

    def stop(self, timeout_s: float) -> None:
        """Take no more jobs; waits up to `timeout_s` for those under way."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        until_s = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _start(self) -> None:
        with self._lock:
            if self._threads or self._stopped:
                return
            self._add(self._most)

    def _add(self, threads: int) -> None:
        for _ in range(threads):
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._stopped:
            job()
