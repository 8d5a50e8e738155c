"""Golden replays: a changed rule, model or threshold shows as a diff of findings; quiet clips stay quiet."""

from __future__ import annotations

import json

import pytest

from tests.conftest import SHARED
from tests.samples import goldens

KEPT = json.loads(goldens.FILE.read_text(encoding="utf-8"))
QUIET = tuple(clip for clip in goldens.CLIPS if not clip.startswith("furg"))


@pytest.mark.parametrize("name", goldens.SCENES)
def test_composed_scenes_are_found_as_before(name: str) -> None:
    told = goldens.differences(KEPT["scenes"][name], goldens.of_scene(name))
    assert not told, "python -m tests.samples.goldens writes them anew:\n" + "\n".join(told)


@pytest.mark.parametrize("clip", goldens.CLIPS)
def test_real_clips_are_found_as_before(clip: str) -> None:
    if not (SHARED / "videos" / clip).is_file():
        pytest.skip(f"needs {SHARED / 'videos' / clip}, which is not part of a user's clone")
    told = goldens.differences(KEPT["clips"][clip], goldens.of_clip(clip))
    assert not told, "python -m tests.samples.goldens writes them anew:\n" + "\n".join(told)


@pytest.mark.parametrize("clip", QUIET)
def test_nothing_is_found_where_nothing_is_wrong(clip: str) -> None:
    assert KEPT["clips"][clip] == []


def test_what_the_scenes_show_is_what_is_found() -> None:
    found = {name: {row["kind"] for row in rows} for name, rows in KEPT["scenes"].items()}
    assert found == {
        "garbage beside a bin": {"garbage_exposed"},
        "garbage at the kerb": {"garbage_exposed"},
        "goods before a shop": {"goods_pile"},
        "a car that parks": {"vehicle_parking"},
        "a car that stops for 20 s": set(),
        "a heap that burns": {"open_burning"},
        "a street where nothing happens": set(),
    }


def test_a_diff_says_what_came_and_what_went() -> None:
    row = {
        "kind": "garbage_exposed",
        "zone": "",
        "t": 80.0,
        "t_since": 60.0,
        "score": 0.7,
        "boxes": [[0.1, 0.1, 0.2, 0.2]],
    }
    assert goldens.differences([row], [row | {"score": 0.72, "t": 85.0}]) == []
    (told,) = goldens.differences([row], [row | {"kind": "goods_pile"}])
    assert "- " in told
    assert "goods_pile" in told
    assert goldens.differences([row], [])[0].endswith("+ null")
