"""pysparkplug as it comes from PyPI, in a process and a folder of its own: it wants a paho that is older than ours.

As a program: an edge node `xifeng/NAME` with a device `level1` at the broker on PORT; each line of its input is a new
water level, `bye` lets the device go, and whoever kills it makes the broker publish its death.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from . import missing

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".make" / "peers" / "sparkplug"


@contextmanager
def edge_node(port: int, name: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The running client and its input; skips (CI=true: fails) where it is not installed."""
    if not (FOLDER / "pysparkplug").is_dir():
        missing("no pysparkplug in .make/peers/sparkplug; tests/peers/install.sh puts it there")
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.peers.sparkplug_node", str(port), name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
    )
    assert process.stdin
    try:
        yield process, process.stdin
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def _main(port: int, name: str) -> None:
    import pysparkplug as psp  # type: ignore[import-not-found,unused-ignore]

    def level(value: float) -> object:
        now = psp.get_current_timestamp()
        return psp.Metric(timestamp=now, name="level_cm", datatype=psp.DataType.FLOAT, value=value)

    uptime = psp.Metric(timestamp=psp.get_current_timestamp(), name="up", datatype=psp.DataType.INT32, value=1)
    node = psp.EdgeNode("xifeng", name, metrics=(uptime,))
    device = psp.Device("level1", metrics=(level(25.5),))
    node.register(device)
    node.connect("127.0.0.1", port=port)
    for line in sys.stdin:
        if line.strip() == "bye":
            node.deregister("level1")
        else:
            node.update_device("level1", (level(float(line)),))


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
