"""What a process freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub import heap

PROCESS = """
import sys, threading, time
from hub import heap

if sys.argv[1] == "small":
    heap.keep_small(0.1)

def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

kept = []
def work():
    made = [bytes(2000) for _ in range(30_000)]
    kept.append(made[::500])  # what stays lies between what goes, as it does in a hub

for _ in range(4):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
time.sleep(0.5)
print(resident_mb())
"""


def resident_mb(how: str) -> float:
    done = subprocess.run([sys.executable, "-c", PROCESS, how], capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


@pytest.mark.skipif(heap._glibc() is None, reason="only glibc keeps what is free")
def test_a_process_stays_small() -> None:
    assert resident_mb("small") < resident_mb("as it is") - 30
