"""The handling table of two sheets and nine columns: read, refused, written, and back unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import workbook
from hub.domain import handling_table
from hub.domain.category import GBT_30428, GBT_47678, ClassKind, load
from hub.domain.condition import Condition, read_seed
from hub.domain.handling_table import COLUMNS, ENGLISH_COLUMNS, Formula

CONFIGS = Path(__file__).parents[3] / "configs"
CODES = load(CONFIGS / "categories")
SEED = read_seed(CONFIGS / "categories" / "conditions.yaml", CODES)

GOOD = ["06", "市容环境类", "010", "暴露垃圾", "环卫中心", "综合执法局", "公共场所垃圾未入容器", "清理", "4工作时"]


def table(*rows: list[Any]) -> dict[str, list[list[Any]]]:
    return {"部件": [list(COLUMNS)], "事件": [list(COLUMNS), *rows]}


def row(**changes: Any) -> list[Any]:
    return [changes.get(column, cell) for column, cell in zip(COLUMNS, GOOD, strict=True)]


def test_a_row_is_read_as_it_stands() -> None:
    found = handling_table.read(table(GOOD), CODES)
    assert found.problems == ()
    (one,) = found.conditions
    assert one.key == (GBT_47678, ClassKind.MATTER, "06010")
    assert (one.unit, one.authority, one.filing, one.closing, one.limit) == tuple(GOOD[4:])
    assert (one.group_name, one.class_name, one.area) == ("市容环境类", "暴露垃圾", "")


def test_blank_code_cells_inherit_from_above() -> None:
    rows = [
        row(小类代码="001", 小类名称="私搭乱建", 立案条件="正在搭建"),
        row(大类代码=None, 大类名称="", 小类代码=None, 小类名称=None, 立案条件="已经建成", 处置时限="15工作日"),
        row(大类代码=None, 大类名称=None),
        row(大类代码="07", 大类名称="宣传广告类", 小类代码="001", 小类名称="非法小广告"),
    ]
    found = handling_table.read(table(*rows), CODES)
    assert found.problems == ()
    assert [c.code for c in found.conditions] == ["06001", "06001", "06010", "07001"]
    assert [c.group_name for c in found.conditions] == ["市容环境类"] * 3 + ["宣传广告类"]


@pytest.mark.parametrize("minor", ["010", "06010", 10, 10.0, 6010, "10"])
@pytest.mark.parametrize("major", ["06", 6, 6.0])
def test_codes_that_a_spreadsheet_took_for_numbers_are_read(major: Any, minor: Any) -> None:
    found = handling_table.read(table(row(大类代码=major, 小类代码=minor)), CODES)
    assert [c.code for c in found.conditions] == ["06010"]


@pytest.mark.parametrize("minor", ["10", "01-10", "0110", 110])
def test_a_table_of_the_standard_before(minor: Any) -> None:
    rows = table(row(大类代码="01", 大类名称="市容环境", 小类代码=minor))
    found = handling_table.read(rows, CODES, standard=GBT_30428)
    assert [(c.standard, c.code) for c in found.conditions] == [(GBT_30428, "01-10")]


BAD = [
    ({"处置时限": "三天"}, "处置时限", "limit", "三天"),
    ({"处置时限": None}, "处置时限", "limit", ""),
    ({"处置时限": "0天"}, "处置时限", "limit", "0天"),
    ({"处置单位": None}, "处置单位", "unit", ""),
    ({"处置单位": "  "}, "处置单位", "unit", "  "),
    ({"结案条件": None}, "结案条件", "closing", ""),
    ({"小类代码": "099"}, "小类代码", "code", "06099"),
    ({"大类代码": "77"}, "小类代码", "code", "77010"),
    ({"小类代码": "01x"}, "小类代码", "code", "0601x"),
    ({"立案条件": "长" * 501}, "立案条件", "filing", "长" * 40 + "…"),
    ({"处置单位": Formula('=HYPERLINK("x")')}, "处置单位", "formula", '=HYPERLINK("x")'),
]


@pytest.mark.parametrize(("changes", "column", "what", "value"), BAD)
def test_a_bad_row_is_named_and_the_good_ones_are_offered(
    changes: dict[str, Any], column: str, what: str, value: str
) -> None:
    other = row(小类代码="012", 小类名称="道路不洁")
    found = handling_table.read(table(row(**changes), other), CODES)
    (problem,) = found.problems
    assert (problem.sheet, problem.row, problem.column, problem.what) == ("事件", 2, column, what)
    assert problem.value == value
    assert problem.allowed
    assert [c.code for c in found.conditions] == ["06012"]
    assert found.refused == 1
    assert all(part in str(problem) for part in ("事件", "row 2", column))


def test_the_same_condition_twice_is_named_with_the_row_before() -> None:
    found = handling_table.read(table(GOOD, row(处置时限="1工作日")), CODES)
    (problem,) = found.problems
    assert (problem.row, problem.what, problem.column) == (3, "duplicate", "立案条件")
    assert "row 2" in problem.allowed
    assert [c.limit for c in found.conditions] == ["4工作时"]


def test_a_first_row_without_a_code_is_told() -> None:
    found = handling_table.read(table(row(大类代码=None)), CODES)
    assert [(p.column, p.what) for p in found.problems] == [("大类代码", "code")]


def test_another_name_and_an_unknown_unit_are_told_but_taken() -> None:
    found = handling_table.read(
        table(row(小类名称="生活垃圾", 处置单位="某某队")), CODES, units=frozenset({"环卫中心"})
    )
    assert [(p.what, p.note) for p in found.problems] == [("name", True), ("unknown_unit", True)]
    assert found.refused == 0
    assert [(c.class_name, c.unit) for c in found.conditions] == [("生活垃圾", "某某队")]


def test_wrong_headers_and_sheets_are_named() -> None:
    assert [p.what for p in handling_table.read({"Sheet1": []}, CODES).problems] == ["sheet"]
    header = [*COLUMNS[:8], "时限"]
    found = handling_table.read({"事件": [header, GOOD]}, CODES)
    assert [(p.column, p.value, p.what) for p in found.problems] == [("处置时限", "时限", "header")]
    assert found.conditions == ()


def test_empty_rows_and_columns_to_the_right_are_passed_over() -> None:
    found = handling_table.read(table([None] * 9, [*GOOD, "备注", 3], ["", " "]), CODES)
    assert (len(found.conditions), found.problems) == (1, ())


def test_english_may_stand_behind_the_nine_columns() -> None:
    header = [*COLUMNS, "备注", ENGLISH_COLUMNS[1]]
    found = handling_table.read(
        {"事件": [header, [*GOOD, "", " Cleared away "], [*row(立案条件="卫生死角"), "x"]]}, CODES
    )
    assert found.problems == ()
    assert [(c.filing_en, c.closing_en) for c in found.conditions] == [(None, "Cleared away"), (None, "")]
    silent = handling_table.read(table(GOOD), CODES)
    assert [(c.filing_en, c.closing_en) for c in silent.conditions] == [(None, None)]


@pytest.mark.parametrize(("cell", "what"), [("x" * 501, "filing_en"), (Formula("=A1"), "formula")])
def test_english_that_cannot_be_used_is_named(cell: Any, what: str) -> None:
    found = handling_table.read({"事件": [[*COLUMNS, *ENGLISH_COLUMNS], [*GOOD, cell, ""]]}, CODES)
    assert [(p.column, p.what) for p in found.problems] == [(ENGLISH_COLUMNS[0], what)]
    assert found.conditions == ()


def test_the_shipped_table_goes_out_and_in_unchanged() -> None:
    packed = workbook.write(handling_table.write(SEED))
    found = handling_table.read(workbook.read(packed), CODES)
    assert list(found.conditions) == [replace(one, filing_en="", closing_en="") for one in SEED]
    assert found.problems == ()
    assert workbook.read(workbook.write(handling_table.write(found.conditions))) == workbook.read(packed)


# What XML can carry; a carriage return becomes a line feed on the way, in every program.
_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
).filter(lambda text: text.strip() != "" and "_x" not in text)
_CLASSES = [c for c in CODES.all() if c.standard == GBT_47678]
_CONDITIONS = st.lists(
    st.builds(
        lambda one, unit, authority, filing, closing, limit, filing_en, closing_en: Condition(
            *(GBT_47678, one.kind, one.code, unit, filing, closing, limit, authority, one.group or "其他", one.name),
            filing_en=filing_en,
            closing_en=closing_en,
        ),
        st.sampled_from(_CLASSES),
        _TEXT | st.sampled_from(["=1+1", "+86", "-", "@SUM(A1)", "环卫中心"]),
        _TEXT | st.just(""),
        _TEXT | st.sampled_from(["", "=cmd|' /C calc'!A0"]),
        _TEXT,
        st.sampled_from(["4工作时", "2紧急工作时", "15工作日", "3天", "2.5小时", " 1工作日"]),
        st.sampled_from(["", "Being built", "=1+1"]),
        st.sampled_from(["", "Repaired"]),
    ),
    max_size=12,
    unique_by=lambda condition: condition.id,
)


@given(_CONDITIONS)
@settings(max_examples=60, deadline=None)
def test_any_table_survives_the_way_through_a_workbook(conditions: list[Condition]) -> None:
    ordered = sorted(conditions, key=lambda c: c.kind)
    found = handling_table.read(workbook.read(workbook.write(handling_table.write(ordered))), CODES)
    assert found.problems == ()
    assert list(found.conditions) == ordered
