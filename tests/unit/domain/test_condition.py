"""Filing conditions: what is shipped, and under which classes a matter's conditions stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.domain.category import GBT_30428, GBT_47678, CategoryError, ClassKind, load
from hub.domain.condition import keys_for, read_english, read_seed

CONFIGS = Path(__file__).parents[3] / "configs"
CODES = load(CONFIGS / "categories")
SEED = read_seed(CONFIGS / "categories" / "conditions.yaml", CODES)

SHIPPED = [  # the handling table of domain.md §3.2: class, limits in its order, a closing condition
    ("06010", ["4工作时"], "清理"),
    ("06011", ["5工作日"], "查处、清除"),
    ("06012", ["2工作时"], "清理"),
    ("06013", ["5工作日"], "修复"),
    ("06014", ["4工作时"], "清理"),
    ("06017", ["4工作时"], "清理"),
    ("06042", ["4工作时"], "清除"),
    ("06036", ["1工作日"], "清除、整改"),
    ("06007", ["2紧急工作时"], "整改、清理"),
    ("06020", ["2紧急工作时"], "查处制止并清除"),
    ("06029", ["2紧急工作时"], "查处制止并清理现场"),
    ("06001", ["2紧急工作日", "15工作日"], "制止、恢复"),
    ("06045", ["2工作时"], "制止或查处"),
    ("06025", ["2工作日"], "清除"),
    ("07001", ["1工作日"], "清除"),
    ("07003", ["1工作日", "5工作日"], "拆除"),
    ("07007", ["1工作日"], "整改、清理、拆除"),
    ("08002", ["1工作日"], "制止、清除、恢复畅通"),
    ("08004", ["2工作时"], "制止、查处、整改"),
    ("08007", ["3工作日", "2工作日", "1工作日"], "整改"),
    ("08006", ["1工作日"], "清理"),
    ("08011", ["2工作日"], "整改"),
    ("09001", ["2紧急工作时"], "取缔"),
    ("09005", ["2紧急工作时"], "取缔"),
    ("09006", ["2紧急工作时"], "取缔"),
    ("09010", ["2工作时"], "规范停放"),
    ("09011", ["2工作时"], "整改"),
    ("09012", ["2工作时"], "制止、清理"),
    ("10996", ["1紧急工作时"], "消除隐患、围护"),
    ("10995", ["1紧急工作时"], "消除隐患、围护"),
    ("10994", ["1紧急工作时"], "消除隐患、围护"),
    ("10998", ["2紧急工作时"], "消除隐患、围护并设警示"),
    ("10999", ["2紧急工作时"], "消除积水，恢复通行"),
    ("10001", ["4工作时"], "恢复"),
    ("10002", ["2工作时"], "修复"),
    ("09009", ["2工作时"], "驶离、规范停放"),
]


@pytest.mark.parametrize(("code", "limits", "closing"), SHIPPED)
def test_the_shipped_conditions_of_matters(code: str, limits: list[str], closing: str) -> None:
    rows = [c for c in SEED if c.kind is ClassKind.MATTER and c.code == code]
    assert [c.limit for c in rows] == limits
    assert rows[0].closing == closing


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("01003", ["2紧急工作时", "4工作时", "2工作日", "5工作日"]),  # rain: damage within 4 working hours
        ("01011", ["2紧急工作时", "1工作日", "2工作日", "5工作日"]),  # gas: within a working day
        ("01013", []),  # fire equipment is no cover
        ("01004", ["1工作日"]),
        ("01037", ["1工作日", "2工作日", "2工作时"]),
        ("02011", ["4紧急工作时"]),
        ("04002", ["1工作日"]),
    ],
)
def test_the_shipped_conditions_of_components(code: str, limits: list[str]) -> None:
    assert [c.limit for c in SEED if c.kind is ClassKind.COMPONENT and c.code == code] == limits


def test_all_shipped_words_have_english() -> None:
    english = read_english(CONFIGS / "categories" / "conditions.yaml")
    words = {text for c in SEED for text in (c.filing, c.closing) if text}
    assert words - english.keys() == set()
    assert english["清理"] == "Cleared away"


def test_english_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "conditions.yaml"
    path.write_text("english: {清理: Cleared away, 修复: 3, 恢复: ''}", encoding="utf-8")
    with pytest.raises(CategoryError) as caught:
        read_english(path)
    assert [line.partition(": ")[2] for line in caught.value.problems] == [
        "english.修复: 3 is not a text",
        "english.恢复: '' is not a text",
    ]
    path.write_text("english: [清理]", encoding="utf-8")
    with pytest.raises(CategoryError, match="is not a mapping"):
        read_english(path)
    path.write_text("matter: []", encoding="utf-8")
    assert read_english(path) == {}


def test_every_matter_of_the_table_is_here_and_no_other() -> None:
    assert {c.code for c in SEED if c.kind is ClassKind.MATTER} == {code for code, _limits, _closing in SHIPPED}
    assert len({c.id for c in SEED}) == len(SEED)


def test_the_id_is_that_of_class_area_and_filing_condition() -> None:
    one, other = (c for c in SEED if c.code == "06001")
    assert (len(one.id), one.id == other.id) == (12, False)
    assert one.id == next(c.id for c in SEED if c.filing == "正在搭建")


def test_conditions_of_a_broken_component_are_those_of_the_component() -> None:
    keys = keys_for(CODES, GBT_47678, "01023")
    assert keys == [(GBT_47678, ClassKind.MATTER, "01023"), (GBT_47678, ClassKind.COMPONENT, "01023")]


def test_a_class_of_another_standard_finds_its_counterpart() -> None:
    assert (GBT_47678, ClassKind.MATTER, "09009") in keys_for(CODES, GBT_30428, "04-09")


def test_every_problem_of_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "conditions.yaml"
    path.write_text(
        "matter:\n"
        '  - {codes: ["06010"], unit: 环卫中心, limit: 三天, closing: 清理}\n'
        '  - {codes: ["06099"], unit: 环卫中心, limit: 4工作时, closing: 清理}\n'
        '  - {codes: ["06011"], unit: "", limit: 4工作时, closing: 清理, colour: red}\n'
        '  - {codes: ["06012", "06012"], unit: 环卫中心, limit: 4工作时, closing: 清理}\n',
        encoding="utf-8",
    )
    with pytest.raises(CategoryError) as caught:
        read_seed(path, CODES)
    text = str(caught.value)
    for word in ("matter[0]: limit: '三天'", "'06099'", "matter[2]: unit", "'colour'", "06012", "stands twice"):
        assert word in text
