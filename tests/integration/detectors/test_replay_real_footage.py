"""The shipped model and kinds on real footage: what must raise nothing raises nothing, and a fire is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detectors.replay import replay

QUIET = ["garbage_exposed", "open_burning", "goods_pile"]


def run(video: Path, project: Path, kinds: list[str] | None, every_s: float, dwell_s: float) -> list[dict[str, Any]]:
    folders = {"kinds_dir": project / "configs" / "kinds", "models_dir": project / "models"}
    return list(replay(video, **folders, kinds=kinds, every_s=every_s, dwell_s=dwell_s))


@pytest.mark.parametrize("every_s", [1.0, 2.0])
def test_a_busy_pedestrian_street_raises_nothing(shared_data: Path, project: Path, every_s: float) -> None:
    """Bin, benches and street box stand there; people and bicycles pass."""
    assert run(shared_data / "videos" / "towncentre_bxc_302f.mp4", project, QUIET, every_s, 3) == []


@pytest.mark.parametrize("clip", ["bgs_video03.avi", "intel_car-detection.mp4", "rf_inference_example.mp4"])
def test_traffic_and_flickering_screens_raise_nothing(shared_data: Path, project: Path, clip: str) -> None:
    """Passing cars are no parked cars either."""
    assert run(shared_data / "videos" / clip, project, [*QUIET, "vehicle_parking"], 1, 4) == []


def test_a_burning_house_is_found(shared_data: Path, project: Path) -> None:
    found = run(shared_data / "videos" / "furg_house6.mp4", project, ["open_burning"], 1, 3)
    assert found
    assert {f["category"] for f in found} == {"06020"}
    assert found[0]["t"] < 15
