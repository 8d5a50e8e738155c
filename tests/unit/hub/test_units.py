"""Handling units from their file: all of them, or every problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import units
from hub.config import shipped


def test_the_shipped_units() -> None:
    found = units.read(shipped("configs") / "departments.yaml")
    assert len(found) == 43
    assert {"sanitation", "enforcement", "street_office", "fire"} <= {unit.id for unit in found}
    assert all(unit.name and unit.name_en and unit.duties for unit in found)
    assert [unit.id for unit in found if len(unit.duties_en) != len(unit.duties)] == []


def test_duties_are_chinese_alone_or_in_both_languages() -> None:
    plain = units.unit_of({"id": "a", "name": "甲", "duties": ["道路"]})
    assert (plain.duties, plain.duties_en) == (("道路",), ())
    both = units.unit_of({"id": "a", "name": "甲", "duties": {"zh": ["道路"], "en": ["roads"]}})
    assert (both.duties, both.duties_en) == (("道路",), ("roads",))


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "departments.yaml"
    path.write_text(
        "departments:\n"
        "  - {id: a, name: 甲}\n"
        "  - {id: a, name: 乙}\n"
        "  - {id: b, name: 甲}\n"
        "  - {id: B!, name: 丙}\n"
        "  - {id: c}\n"
        "  - {id: d, name: 丁, kind: army, code: '12', duties: x, colour: red}\n"
        "  - {id: e, name: 戊, duties: {zh: [路], fr: [rue]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(units.UnitsError) as caught:
        units.read(path)
    text = str(caught.value)
    for word in (
        "id: 'a' is used twice",
        "name: '甲' is used twice",
        "'B!'",
        "[4]: name",
        "'army'",
        "'12'",
        "duties: 'x' is not a list of texts, or {zh, en} of two such lists",
        "{'zh': ['路'], 'fr': ['rue']}",
        "colour",
    ):
        assert word in text


def test_what_is_no_list_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "departments.yaml"
    path.write_text("units: []", encoding="utf-8")
    with pytest.raises(units.UnitsError, match="wanted a list"):
        units.read(path)
