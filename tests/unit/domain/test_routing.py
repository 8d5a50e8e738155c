"""Who handles what, in the order of the rules, and the sentence that says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hub import units as unit_file
from hub.domain.category import GBT_47678, ClassKind, load
from hub.domain.routing import Reason, RoutingError, Step, Units, climb, explain, route
from hub.domain.routing import load as load_routing

CONFIGS = Path(__file__).parents[3] / "configs"
CODES = load(CONFIGS / "categories")
SHIPPED = load_routing(
    CONFIGS / "routing.yaml", CODES, {unit.id for unit in unit_file.read(CONFIGS / "departments.yaml")}
)
NAMES = {
    "sanitation": "环卫中心",
    "enforcement": "综合执法局",
    "street_003": "西街街道办事处",
    "street_001": "南街街道办事处",
    "telecom": "电信公司",
    "drainage": "排水所",
    "night": "夜市办",
}
BOTH = {id_: {"zh": name, "en": f"Unit {id_}"} for id_, name in NAMES.items()}
UNITS = Units(NAMES, {"621002003": "street_003", "621002001": "street_001"})
PATH = ("621002", "621002003", "621002003002", "621002003002001")


def table(**changes: Any) -> Any:
    raw: dict[str, Any] = {
        "version": "t1",
        "duties": [{"unit": "enforcement", "classes": ["09006", "09005"]}, {"unit": "street", "classes": ["06036"]}],
        "owners": [
            {"unit": "telecom", "classes": ["01007"]},
            {"unit": "drainage", "classes": ["01007"], "area": PATH[2]},
        ],
        "areas": [
            {"area": PATH[1], "classes": ["09006"], "unit": "street_003", "why": {"zh": "夜市", "en": "night market"}},
            {"area": PATH[2], "instead_of": "enforcement", "unit": "night"},
        ],
        "grid_first": {
            "classes": ["06036"],
            "limits": {"base": "2工作时", "community": "2工作时", "street": "4工作时"},
        },
    }
    return raw | changes


@pytest.fixture
def rules(tmp_path: Path) -> Any:
    def read(**changes: Any) -> Any:
        path = tmp_path / "routing.yaml"
        path.write_text(yaml.safe_dump(table(**changes), allow_unicode=True), encoding="utf-8")
        return load_routing(path, CODES, NAMES.keys())

    return read


@pytest.mark.parametrize(
    ("code", "path", "more", "unit", "step"),
    [
        ("09006", (), {}, "enforcement", Step.CLASS),
        ("09006", PATH[:1], {}, "enforcement", Step.CLASS),
        ("09006", PATH[:2], {}, "street_003", Step.AREA),  # the street's own rule for the class
        ("09006", PATH, {}, "night", Step.AREA),  # the community's, which is smaller
        ("09005", PATH[:2], {}, "enforcement", Step.CLASS),
        ("09005", PATH, {}, "night", Step.AREA),  # instead of the unit, whatever the class
        ("06036", PATH, {}, "street_003", Step.CLASS),
        ("06036", ("621002", "621002001"), {}, "street_001", Step.CLASS),
        ("06036", ("621002", "621002009"), {}, None, Step.DISPATCHER),  # a street without an office
        ("01007", (), {}, "telecom", Step.OWNER),
        ("01007", PATH, {}, "drainage", Step.OWNER),
        ("01007", PATH, {"owner": "sanitation"}, "sanitation", Step.OWNER),
        ("01007", PATH, {"owner": "nobody"}, "drainage", Step.OWNER),
        ("06010", PATH, {"fallback": "sanitation"}, "sanitation", Step.KIND),
        ("06010", PATH, {"fallback": "enforcement"}, "night", Step.AREA),
        ("06010", PATH, {"fallback": "ghosts"}, None, Step.DISPATCHER),
        ("06010", PATH, {}, None, Step.DISPATCHER),
    ],
)
def test_the_order_of_the_rules(
    rules: Any, code: str, path: tuple[str, ...], more: dict[str, str], unit: str | None, step: Step
) -> None:
    made = route(rules(), code, path, units=UNITS, **more)
    assert (made.unit, made.step, made.version) == (unit, step, "t1")
    assert made.reasons[0].step is Step.CLASS
    last = made.reasons[-1]
    assert last == Reason(step, unit, last.area, last.note, last.note_en)


def test_the_sentence_says_why_in_both_languages(rules: Any) -> None:
    made = route(rules(), "09006", PATH[:2], units=UNITS)
    said = explain(made, "09006", {"zh": "占道经营", "en": "Trading on the road"}, BOTH, {"621002003": "西街街道"})
    assert said["zh"] == "因为 09006 占道经营 → 综合执法局；西街街道另有规定 → 西街街道办事处（夜市）"
    assert (
        said["en"] == "because class 09006 Trading on the road → Unit enforcement; "
        "override of 西街街道 → Unit street_003 (night market)"
    )
    plain = route(
        rules(areas=[{"area": PATH[1], "classes": ["09006"], "unit": "street_003", "why": "夜市"}]),
        "09006",
        PATH[:2],
        units=UNITS,
    )
    assert explain(plain, "09006", {"zh": "", "en": ""}, BOTH, {})["en"].endswith("→ Unit street_003 (夜市)")
    nobody = explain(route(rules(), "06010", (), units=UNITS), "06010", {"zh": "暴露垃圾", "en": ""}, BOTH, {})
    assert nobody["zh"].endswith("由派遣员决定")
    first = route(rules(), "06036", PATH, units=UNITS)
    assert first.grid_first
    assert "小事不出网格" in explain(first, "06036", {"zh": "乱堆杂物", "en": ""}, BOTH, {})["zh"]


@pytest.mark.parametrize(
    ("staffed", "way"),
    [
        ({"base", "community", "street", "district"}, ["base", "community", "street"]),
        ({"base", "street"}, ["base", "street"]),
        ({"district"}, []),
        ((), []),
    ],
)
def test_a_case_climbs_the_levels_that_have_somebody(staffed: set[str], way: list[str]) -> None:
    step, gone = climb(None, staffed), list[str]()
    while step is not None:
        gone.append(step)
        step = climb(step, staffed)
    assert gone == way


def test_grid_first_needs_a_grid(rules: Any) -> None:
    assert not route(rules(), "06036", (), units=UNITS).grid_first
    assert not route(rules(), "09006", PATH, units=UNITS).grid_first


def test_the_shipped_table_has_a_unit_for_every_class_of_the_standard() -> None:
    matters = {c.code for c in CODES.all() if c.standard == GBT_47678 and c.kind is ClassKind.MATTER}
    assert set(SHIPPED.duties) | set(SHIPPED.owners) == matters
    assert SHIPPED.duties["09006"] == "enforcement"
    assert SHIPPED.owners["01023"] == "municipal"


def test_the_shipped_conditions_name_the_unit_that_cases_go_to() -> None:
    from hub.domain.condition import read_seed

    names = {unit.id: unit.name for unit in unit_file.read(CONFIGS / "departments.yaml")} | {"street": "街道办事处"}
    for one in read_seed(CONFIGS / "categories" / "conditions.yaml", CODES):
        routed = {**SHIPPED.owners, **SHIPPED.duties}.get(one.code)
        assert one.unit in ("权属单位", names[str(routed)]), one.code


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"version": 3}, "version: 3"),
        ({"duties": [{"unit": "ghosts", "classes": ["09006"]}]}, "duties[0].unit: 'ghosts'"),
        ({"duties": [{"unit": "sanitation", "classes": ["99999"]}]}, "duties[0].classes: '99999'"),
        ({"duties": [{"unit": "sanitation", "classes": [6010]}]}, "duties[0].classes: 6010"),
        ({"duties": [{"unit": "sanitation"}]}, "duties[0].classes: None"),
        ({"duties": [{"unit": u, "classes": ["09006"]} for u in ("sanitation", "drainage")]}, "in one row only"),
        ({"duties": "x"}, "duties: 'x'"),
        ({"areas": [{"area": 3, "unit": "night", "classes": ["09006"]}]}, "areas[0].area: 3"),
        ({"areas": [{"area": "621002", "unit": "night"}]}, "areas[0]"),
        ({"areas": [{"area": "621002", "unit": "night", "colour": 1, "classes": ["09006"]}]}, "areas[0].colour"),
        ({"grid_first": {"classes": ["06036"], "limits": {"base": "2工作时"}}}, "grid_first.limits"),
        (
            {"grid_first": {"classes": ["06036"], "limits": {"base": "soon", "community": "1天", "street": "1天"}}},
            "limits.base: limit 'soon'",
        ),
        ({"colour": 1}, "colour: 1"),
    ],
)
def test_what_cannot_be_used_is_named(rules: Any, changes: dict[str, Any], word: str) -> None:
    with pytest.raises(RoutingError) as caught:
        rules(**changes)
    assert word in str(caught.value)
