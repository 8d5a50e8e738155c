"""English for what is kept in Chinese: the hub's own notes in histories, the words in a letter's table."""

from __future__ import annotations

from typing import Any

import pytest

from hub.casework import wording
from hub.domain.clock import parse_limit
from hub.domain.stage_clock import Stage
from hub.domain.supervision import Cause, Level
from hub.letter_words import LetterWords

OWN = [
    ("overdue", wording.overdue(Stage.HANDLE), {"stage": "handle", "clock": 7}, "Handling"),
    (
        "climb",
        wording.grid_first("base", "4工作时"),
        {"to": "base", "limit": "4工作时"},
        "Base grid first, within 4 working hours",
    ),
    (
        "supervise",
        wording.supervised(Level.SECOND, Cause.TIMEOUT, ""),
        {"level": 2, "cause": "timeout"},
        "Second supervision (Overdue)",
    ),
    (
        "supervise",
        wording.supervised(Level.THIRD, Cause.LEADER, "立即整改"),
        {"level": 3, "cause": "leader"},
        "Third supervision (Ordered by a leader): 立即整改",
    ),
    ("resume", wording.RESUMED, None, "Its time of suspension is over"),
    ("accept", wording.ACCEPTED, {}, "Accepted by itself when the time to accept was over"),
]


@pytest.mark.parametrize(("action", "note", "detail", "en"), OWN)
def test_what_the_hub_wrote_itself_has_english(action: str, note: str, detail: dict[str, Any] | None, en: str) -> None:
    assert wording.in_english(action, note, detail) == en


@pytest.mark.parametrize(
    ("action", "note", "detail"),
    [
        ("feedback", "已清理", None),
        ("supervise", "请尽快", {"level": 2, "cause": "timeout"}),
        ("supervise", "请尽快", {"level": 9, "cause": "timeout"}),
        ("climb", "请社区先看", {"to": "base", "limit": "4工作时"}),
        ("climb", "先办", {"to": "moon"}),
        ("overdue", "处置", {"stage": "gone"}),
        ("void", "", None),
    ],
)
def test_a_persons_words_stay(action: str, note: str, detail: dict[str, Any] | None) -> None:
    assert wording.in_english(action, note, detail) == ""


@pytest.mark.parametrize(
    ("limit", "en"),
    [
        ("4工作时", "4 working hours"),
        ("1工作日", "1 working day"),
        ("1.5天", "1.5 working days"),
        ("2紧急工作日", "2 urgent days"),
        ("1紧急工作时", "1 urgent hour"),
        ("0.25紧急工作时", "15 min"),
    ],
)
def test_a_limit_in_english(limit: str, en: str) -> None:
    assert parse_limit(limit).en == en


def test_a_letters_table_is_said_in_english_as_far_as_the_hub_has_it() -> None:
    words = LetterWords({"暴露垃圾": "Exposed garbage", "环卫中心": "Sanitation centre", "西街": "never asked for"})
    line = {"问题类别": "暴露垃圾", "责任单位": "环卫中心", "状态": "某种状态", "地点": "西街", "超期": "2天3小时"}
    assert words.of_lines([line, {"超期": "3小时20分"}, {"超期": "5分钟"}, {"超期": "—"}, {}]) == {
        "暴露垃圾": "Exposed garbage",
        "环卫中心": "Sanitation centre",
        "2天3小时": "2 d 3 h",
        "3小时20分": "3 h 20 min",
        "5分钟": "5 min",
    }
