"""How Chinese is broken into lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.papers.lines import broken
from hub.papers.paper import Run


def _square(text: str, size_pt: float, _bold: bool) -> float:
    """Chinese characters are as wide as high, others half."""
    return sum(size_pt if ord(c) > 0x2E7F or c in "“”—…" else size_pt / 2 for c in text)


def _lines(text: str, characters: int) -> list[str]:
    found = broken((Run(text),), 10.0, characters * 10.0, characters * 10.0, _square)
    return ["".join(p.text for p in line.pieces) for line in found]


def test_no_closing_mark_begins_a_line_and_no_opening_one_ends_it() -> None:
    assert _lines("一二三四，五六", 4) == ["一二三", "四，五六"]
    assert _lines("一二三（四五）六", 4) == ["一二三", "（四五）", "六"]


def test_numbers_and_words_stay_whole() -> None:
    assert _lines("案件编号6210022026112300001已结案", 10) == ["案件编号", "6210022026112300001", "已结案"]
    assert _lines("结案率93.72%，上升", 4) == ["结案率", "93.72%，", "上升"]


def test_what_is_wider_than_the_line_is_cut() -> None:
    assert _lines("a" * 25, 5) == ["a" * 10, "a" * 10, "a" * 5]


def test_a_newline_breaks_and_spaces_at_the_edge_go() -> None:
    assert _lines("一二\n三 四", 2) == ["一二", "三", "四"]


def test_the_first_line_may_be_shorter_and_only_ends_are_not_spread() -> None:
    found = broken((Run("一二三四五六七"),), 10.0, 20.0, 40.0, _square)
    assert [(line.width, line.ends) for line in found] == [(20.0, False), (40.0, False), (10.0, True)]


def test_looks_survive() -> None:
    runs = (Run("粗体", bold=True), Run("平常"))
    found = broken(runs, 10.0, 30.0, 30.0, _square)
    assert [[(p.text, p.run.bold) for p in line.pieces] for line in found] == [
        [("粗体", True), ("平", False)],
        [("常", False)],
    ]


@given(st.text("一二，。（）a1.% \n", max_size=60), st.integers(1, 12))
def test_nothing_is_lost(text: str, characters: int) -> None:
    joined = "".join(_lines(text, characters))
    assert joined.replace(" ", "") == text.replace(" ", "").replace("\n", "")
