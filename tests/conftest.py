"""What every test shares: where the project and the real data are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONG = ("tests/e2e/", "tests/integration/", "tests/contract/")
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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several workers share the files: long ones first, so that only short ones are left when the end is near."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG)))
