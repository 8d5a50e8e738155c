"""In which order the files of the tests are shared out among workers."""

from __future__ import annotations

import random

from tests.conftest import places

E2E = [f"tests/e2e/test_{n}.py" for n in range(5)]
HUB = [f"tests/integration/hub/test_{n}.py" for n in range(12)]
CAMERAS = [f"tests/integration/ingest/test_{n}.py" for n in range(4)]
SHORT = ["tests/test_architecture.py", *(f"tests/unit/test_{n}.py" for n in range(3))]


def ordered(files: list[str]) -> list[str]:
    where = places(files)
    return sorted(files, key=lambda file: where[file])


def test_what_takes_long_comes_first() -> None:
    files = [*SHORT, *CAMERAS, *HUB, *E2E]
    random.Random(1).shuffle(files)
    found = ordered(files)
    assert set(found[:5]) == set(E2E)
    assert set(found[-4:]) == set(SHORT)


def test_cameras_that_wait_are_spread_among_what_computes() -> None:
    found = ordered([*HUB, *CAMERAS])
    assert [sum(file in CAMERAS for file in found[n : n + 4]) for n in range(0, 16, 4)] == [1, 1, 1, 1]


def test_each_file_has_one_place() -> None:
    where = places(HUB * 3)
    assert len(set(where.values())) == len(HUB)
