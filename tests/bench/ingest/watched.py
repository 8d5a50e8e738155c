"""A child process under watch: what it says, and what it and its own children use of the machine (Linux: /proc)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.peers.shown import Shown

from .job import Job

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Use:
    """CPU seconds so far and resident bytes now."""

    cpu_s: float
    rss: int
    at_s: float

    @classmethod
    def of(cls, pid: int) -> Use:
        """Of a process and all its children."""
        pids = _tree(pid)
        return cls(sum(map(_cpu_s, pids)), sum(map(_rss, pids)), time.monotonic())


def _tree(pid: int) -> list[int]:
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    return found


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Watched:
    """`with Watched("tests.bench.ingest.gridhub", job) as child`: begun, and waited for until its streams are open."""

    def __init__(self, module: str, job: Job, python: str = sys.executable, environment: dict[str, str] | None = None):
        self._process = subprocess.Popen(
            [python, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | (environment or {}),
            text=True,
        )
        self.pid = self._process.pid
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._write(job.dump())
        self.opened = self._answer(job.open_s + 60.0)

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                self._lines.put(line)
            else:
                print(line, end="", file=sys.stderr)
        self._lines.put("")

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=timeout_s)
        except Empty:
            line = ""
        if not line:
            raise RuntimeError(f"the reader said nothing within {timeout_s:.0f} s, or ended")
        told: dict[str, Any] = json.loads(line)
        return told

    def tell(self, shown: list[Shown] | None = None) -> dict[str, Any]:
        """Its figures since it was last asked; `shown` tells it that the server began anew."""
        self._write(json.dumps({"shown": [asdict(one) for one in shown]} if shown else {}))
        return self._answer(60.0)

    def use(self) -> Use:
        """What it uses."""
        return Use.of(self.pid)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            assert self._process.stdin
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
