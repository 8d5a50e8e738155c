"""What every test shares: where the project and the real data are, and in which order its files are shared out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = (("tests/e2e/",), ("tests/integration/", "tests/contract/"))
"""Whose files take long, longest first."""
SHARED = Path(os.environ.get("GRIDHUB_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real pictures and footage; tests that need them skip where the folder is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the real pictures of {SHARED}, which are not part of a user's clone")
    return SHARED


def places(files: Iterable[str]) -> dict[str, tuple[int, float]]:
    """Stage of each file, and where in it (0-1): the files of each folder are spread evenly over the stage."""
    folders = defaultdict(list)
    for file in dict.fromkeys(files):
        folders[PurePosixPath(file).parent].append(file)
    return {file: (_stage(file), (n + 0.5) / len(of)) for of in folders.values() for n, file in enumerate(of)}


def _stage(file: str) -> int:
    return next((n for n, names in enumerate(STAGES) if file.startswith(names)), len(STAGES))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several workers share the files: long ones first, so that only short ones are left when the end is near.

    Tests of cameras wait, those of the hub compute: so they are put side by side.
    """
    if hasattr(config, "workerinput"):
        where = places(item.nodeid.partition("::")[0] for item in items)
        items.sort(key=lambda item: where[item.nodeid.partition("::")[0]])
