"""`gridhub demo` as a user starts it: a first alert found in the pictures, the whole loop, an end without a trace."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.demo.broker import free_port


def demo(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hub.cli", "demo", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def wait_for(found: Callable[[], Any], what: str, timeout_s: float) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what} did not come within {timeout_s:.0f} s"
        time.sleep(0.2)
    return value


def processes_naming(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command and int(path.parent.name) != os.getpid():
            found.append(command)
    return found


class Person:
    """Somebody signed in."""

    def __init__(self, base: str, account: dict[str, Any]) -> None:
        self.client = httpx.Client(base_url=base, headers={"X-Gridhub": "1"}, timeout=30)
        self.post("/api/session", user=account["user"], password=account["password"])

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    process = demo("--port", str(port), "--data", str(tmp_path / "data"))
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: process.poll() is not None or answers(url), "an answer", 180)
        yield url, process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timeout(600)
def test_a_camera_case_goes_all_the_way_round(running: tuple[str, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    url, process = running
    accounts = httpx.get(f"{url}/api/hub").json()["accounts"]
    staff = Person(url, next(a for a in accounts if a["role"] == "staff"))

    def first() -> Any:
        return next((a for a in staff.get("/api/alerts", kind="garbage_exposed")["items"]), None)

    alert = wait_for(first, "a first alert from a camera", 180)
    assert alert["camera"]
    opened = re.findall(r"^gridhub_alerts_opened_total\{.*\} (\S+)$", httpx.get(f"{url}/metrics").text, re.MULTILINE)
    assert sum(map(float, opened)) >= 1
    assert alert["model"]["name"] == "street"
    assert [e["role"] for e in alert["evidence"]].count("frame") == 1
    case = staff.post(f"/api/alerts/{alert['id']}/confirm")["case"]
    account = next(a for a in accounts if a.get("department") == "sanitation")
    sanitation = Person(url, account)
    wait_for(lambda: staff.get(f"/api/cases/{case['id']}")["state"] == "dispatched", "the dispatch", 30)
    sanitation.post(f"/api/cases/{case['id']}/accept")
    sanitation.post(f"/api/cases/{case['id']}/feedback", text="已清理")

    def proposal() -> str | None:
        recheck = staff.get(f"/api/cases/{case['id']}")["recheck"]
        return recheck and recheck["proposal"]

    assert wait_for(proposal, "the re-check's proposal", 180) == "close"
    staff.post(f"/api/cases/{case['id']}/close")
    assert staff.get(f"/api/cases/{case['id']}")["state"] == "closed"

    assert processes_naming(str(tmp_path)), "the worker and the street run while the demo does"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    wait_for(lambda: not processes_naming(str(tmp_path)), "the end of every child", 30)
    assert process.stdout
    said = process.stdout.read().decode()
    assert url in said
    assert "Traceback" not in said


def test_it_ends_by_itself(tmp_path: Path) -> None:
    process = demo("--port", str(free_port()), "--data", str(tmp_path / "data"), "--minutes", "0.02")
    out, _err = process.communicate(timeout=170)
    assert process.returncode == 0
    assert "staff" in out.decode()
    assert "Traceback" not in out.decode()
    assert not processes_naming(str(tmp_path))


def test_a_busy_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", "demo", "--port", str(port), "--data", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_killed_outright_it_leaves_no_child(tmp_path: Path) -> None:
    process = demo("--port", str(free_port()), "--data", str(tmp_path / "data"))
    assert process.stdout is not None
    process.stdout.readline()
    assert processes_naming(str(tmp_path / "data"))
    process.kill()
    process.communicate()
    wait_for(lambda: not processes_naming(str(tmp_path)), "the end of every child", 30)
