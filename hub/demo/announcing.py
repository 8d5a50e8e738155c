"""How a child process tells its parent on which port it listens: a small file, there only once it is true."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


class NoAnnouncement(RuntimeError):
    """The child ended, or took too long."""


def announce(file: Path, port: int) -> None:
    """Write `port` to `file`, whole or not at all."""
    part = file.with_name(f"{file.name}.part")
    part.write_text(f"{port}\n", encoding="ascii")
    os.replace(part, file)


def await_port(file: Path, name: str, lives: Callable[[], bool], timeout_s: float = 60.0) -> int:
    """The port announced in `file`. Raises NoAnnouncement naming the child where none comes."""
    deadline = time.monotonic() + timeout_s
    while not file.exists():
        if not lives():
            raise NoAnnouncement(f"the {name} ended while starting; the lines above say why")
        if time.monotonic() > deadline:
            raise NoAnnouncement(f"the {name} did not start within {timeout_s:.0f} s")
        time.sleep(0.02)
    return int(file.read_text(encoding="ascii"))
