"""How a benchmark says what it measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median


def figure(bench: str, name: str, value: float, unit: str, peer: str | None = None) -> None:
    """Print one figure for people and one JSON line for programs."""
    who = f" [{peer}]" if peer else ""
    print(f"{bench:<8} {name:<34}{who:<14} {value:>10.3f} {unit}")
    line = {"bench": bench, "name": name, "value": round(value, 4), "unit": unit}
    print(json.dumps(line | ({"peer": peer} if peer else {})), flush=True)


def milliseconds(work: Callable[[], object], times: int = 20) -> float:
    """Median wall-clock milliseconds of one call, after two calls that don't count."""
    work(), work()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return median(taken)
