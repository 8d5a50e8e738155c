"""The shipped classifier of stalls in the demo's streets, which it has not seen: what it lets stand, what it holds back."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from detectors.catalog import Catalog
from detectors.kinds import load_kinds
from tests.conftest import ROOT
from tests.samples import trading

MODEL = "stall"


@pytest.fixture(scope="module")
def stands() -> dict[str, Counter[tuple[str, bool]]]:
    """Of each trading kind: how many crops of each overlay kind would stand, and how many not."""
    model, kinds = Catalog(ROOT / "models").open_classifier(MODEL), load_kinds(ROOT / "configs" / "kinds")
    shown = list(trading.crops())
    shares = model.classify([picture for _, _, picture in shown])
    told = {}
    for kind_id in trading.TRADING:
        check = kinds[kind_id].check
        assert check is not None
        assert check.model == MODEL
        columns = [model.labels.index(label) for label in check.labels]
        passed = np.asarray(shares[:, columns].sum(1) >= check.min_score)
        told[kind_id] = Counter((kind, bool(yes)) for (kind, _, _), yes in zip(shown, passed, strict=True))
    return told
