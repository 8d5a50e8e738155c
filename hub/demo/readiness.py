"""How a child process tells its parent that it can be used: an empty file, there only once that is true."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


class NotReady(RuntimeError):
    """The child ended, or took too long."""


def await_ready(file: Path, name: str, lives: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Block until `file` is there. Raises NotReady naming the child where it ends first, or takes too long."""
    deadline = time.monotonic() + timeout_s
    while not file.exists():
        if not lives():
            raise NotReady(f"the {name} ended while starting; the lines above say why")
        if time.monotonic() > deadline:
            raise NotReady(f"the {name} did not start within {timeout_s:.0f} s")
        time.sleep(0.02)
