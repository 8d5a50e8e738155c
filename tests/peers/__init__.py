"""Real servers that this project did not write, on free ports of 127.0.0.1, for every test that needs one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

PATIENCE = 4.0
"""Limits of waiting are written for a quiet machine; a slow or busy one is given this many times more."""
SYSTEM_PYTHON = "/usr/bin/python3"


def need(program: str) -> str:
    """Path of `program`; where it is missing the test skips with the reason, or fails where CI=true."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found:
        return found
    return missing(f"the real peer {program!r} is not installed")


@cache
def need_gi(*modules: str) -> str:
    """Path of the system's Python, which must have GObject bindings for `modules` ("Gst", "GstRtspServer")."""
    wanted = "; ".join(f"gi.require_version({m!r}, '1.0')" for m in modules)
    if Path(SYSTEM_PYTHON).exists():
        done = subprocess.run([SYSTEM_PYTHON, "-c", f"import gi; {wanted}"], capture_output=True, check=False)
        if done.returncode == 0:
            return SYSTEM_PYTHON
    return missing(f"{SYSTEM_PYTHON} has no GObject bindings for {', '.join(modules)}")


def footage(name: str) -> Path:
    """A file of real footage beside the checkout; skips, saying so, where that folder is absent."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("GRIDHUB_SHARED_DATA", beside)) / "videos" / name
    if not path.exists():
        pytest.skip(f"no real footage here: ../shared/data/videos/{name}")
    return path


def missing(reason: str) -> str:
    """Skip the test, or fail it where CI=true: a peer is not here."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], timeout_s: float = 15.0, what: str = "the condition") -> None:
    """Poll `true` until it is; fails the test, naming `what`, after `timeout_s`, with patience."""
    deadline = time.monotonic() + PATIENCE * timeout_s
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {PATIENCE * timeout_s} s")
        time.sleep(0.01)


def listens(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def stop_process(process: subprocess.Popen[bytes], grace_s: float = 5.0) -> None:
    """SIGTERM, then SIGKILL after `grace_s`; always reaped."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
