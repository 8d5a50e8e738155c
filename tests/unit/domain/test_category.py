"""Code sets and the crosswalk between the standards."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.kinds import load_kinds
from hub.domain.category import CJT_214, GBT_30428, GBT_47678, CategoryError, ClassKind, load

CONFIGS = Path(__file__).parents[3] / "configs"
CODES = load(CONFIGS / "categories")

CROSSWALK = [  # CJ/T 214, GB/T 30428.2, GB/T 47678.5
    ("01-01", "01-01", "06001"),
    ("01-02", "01-10", "06010"),
    ("01-03", "01-11", "06011"),
    ("01-15", "01-20", "06020"),
    ("03-02", "03-04", "08004"),
    ("03-04", "03-02", "08002"),
    ("04-01", "05-05", "10998"),
    ("04-06", "05-06", "10999"),
    ("05-01", "04-01", "09001"),
    ("05-05", "04-09", "09009"),
    ("05-07", "01-36", "06036"),
    ("05-11", "01-07", "06007"),
    (None, "04-06", "09006"),
    (None, "01-92", "06042"),
]


@pytest.mark.parametrize(("cjt", "gbt30428", "gbt47678"), CROSSWALK)
def test_the_crosswalk_goes_every_way(cjt: str | None, gbt30428: str, gbt47678: str) -> None:
    rows = [
        (standard, code) for standard, code in ((CJT_214, cjt), (GBT_30428, gbt30428), (GBT_47678, gbt47678)) if code
    ]
    for standard, code in rows:
        for to, wanted in rows:
            assert CODES.crosswalk(standard, code, to)[0].code == wanted
    if cjt is None:
        assert CODES.crosswalk(GBT_47678, gbt47678, CJT_214) == ()


def test_the_same_number_means_other_things_elsewhere() -> None:
    assert CODES.name(CJT_214, "04-06") == "道路积水"
    assert CODES.name(GBT_30428, "04-06") == "占道经营"
    assert CODES.name(GBT_47678, "01003", ClassKind.COMPONENT) == "雨水井盖"
    assert CODES.name(GBT_47678, "01003", ClassKind.MATTER) == "雨水井盖异常"
    assert CODES.name(GBT_47678, "03005") == "垃圾箱异常"
    assert CODES.name(GBT_47678, "06010", ClassKind.COMPONENT) is None
    assert CODES.name(GBT_47678, "06031") is None


def test_every_class_has_english() -> None:
    assert [one.key for one in CODES.all() if not one.en or not one.group_en] == []
    for code, kind, en in (
        ("06010", ClassKind.MATTER, "Exposed garbage"),
        ("01003", ClassKind.COMPONENT, "Storm-drain manhole cover"),
        ("01003", ClassKind.MATTER, "Storm-drain manhole cover: problem"),
    ):
        found = CODES.get(GBT_47678, code, kind)
        assert found is not None
        assert found.en == en


def test_two_classes_never_share_an_english_name() -> None:
    names: dict[tuple[str, ClassKind, str], set[str]] = {}
    for one in CODES.all():
        names.setdefault((one.standard, one.kind, one.en), set()).add(one.name)
    assert [(key, said) for key, said in names.items() if len(said) > 1] == []


def test_a_kind_called_as_its_class_is_called_so_in_english_too() -> None:
    for kind in load_kinds(CONFIGS / "kinds").values():
        its = CODES.get(GBT_47678, kind.code)
        if its is not None and its.name == kind.name["zh"]:
            assert kind.name["en"] == its.en, kind.id


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("06010", "暴露垃圾"),
        ("06020", "焚烧垃圾、树叶"),
        ("09009", "机动车乱停放"),
        ("06036", "乱堆杂物"),
        ("06042", "垃圾站(箱)满溢"),
        ("01023", "不明井盖异常"),
        ("10999", "道路积水"),
        ("10997", "烟火/火情"),
    ],
)
def test_classes_of_the_shipped_kinds(code: str, name: str) -> None:
    assert CODES.name(GBT_47678, code) == name


def test_local_numbers_say_so() -> None:
    ponding = CODES.get(GBT_47678, "10999")
    assert ponding is not None
    assert (ponding.extension, ponding.verified, ponding.group) == (True, False, "其他事项类")
    assert [c.code for c in CODES.crosswalk(GBT_47678, "06042", GBT_30428)] == ["01-92", "01-98"]


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('standard: ISO 9\nmatter: {"1": x}\n', encoding="utf-8")
    (tmp_path / "b.yaml").write_text(
        'standard: GB/T 47678.5\ngroups: {matter: {"06": {name: 市容, fr: x}}}\n'
        'matter: {6010: 暴露垃圾, "06011": "", "06012": {name: 道路不洁, limit: 2}, '
        '"06013": {name: 道路破损, en: 3}}\n',
        encoding="utf-8",
    )
    (tmp_path / "crosswalk.yaml").write_text('matter:\n  - {"GB/T 47678.5": "06099"}\n', encoding="utf-8")
    with pytest.raises(CategoryError) as caught:
        load(tmp_path)
    text = str(caught.value)
    for word in (
        "ISO 9",
        "6010 is not a code",
        "matter.06011: name",
        "unknown key 'limit'",
        "06013: en: 3",
        "'06099'",
        "groups.matter.06",
    ):
        assert word in text


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CategoryError, match="no code set"):
        load(tmp_path)
