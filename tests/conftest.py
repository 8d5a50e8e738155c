"""What every test shares: where the project and the real data are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
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
