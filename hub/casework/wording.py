"""What the hub itself writes into a case's history: kept in Chinese, said in English to those who read the page so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.clock import parse_limit
from ..domain.grid import LEVEL_NAMES, LEVELS
from ..domain.stage_clock import STAGE_NAMES, Stage
from ..domain.supervision import CAUSE_NAMES, Cause, Level
from ..domain.supervision import LEVEL_NAMES as RUNG_NAMES

RESUMED = "到期恢复"
ACCEPTED = "超时自动签收"
OUT_OF_THE_GRID = "网格各级逾时未办结，上升到中心派遣"
TAKEN_BACK = "撤销确认"
_EN = {
    RESUMED: "Its time of suspension is over",
    ACCEPTED: "Accepted by itself when the time to accept was over",
    OUT_OF_THE_GRID: "No level of the grid settled it in time: the centre dispatches it",
    TAKEN_BACK: "The verdict was taken back",
}


def overdue(stage: Stage) -> str:
    """Which clock ran out."""
    return STAGE_NAMES[stage]["zh"]


def grid_first(level: str, limit: str) -> str:
    """Which level of the grid handles it first, and how long."""
    return f"{LEVEL_NAMES[LEVELS[level]]['zh']}先办，限{limit}"


def supervised(level: Level, cause: Cause, demands: str) -> str:
    """Which supervision, why, and what is demanded."""
    return f"{RUNG_NAMES[level]['zh']}（{CAUSE_NAMES[cause]['zh']}）" + (f"：{demands}" if demands else "")


def in_english(action: str, note: str, detail: Mapping[str, Any] | None) -> str:
    """The English of a note that the hub wrote itself; empty where a person's own words stand there."""
    said = detail or {}
    if action == "overdue" and said.get("stage") in list(Stage):
        stage = Stage(said["stage"])
        return STAGE_NAMES[stage]["en"] if note == overdue(stage) else ""
    if action == "climb" and said.get("to") in LEVELS and note == grid_first(said["to"], said.get("limit", "")):
        return f"{LEVEL_NAMES[LEVELS[said['to']]]['en']} first, within {parse_limit(said['limit']).en}"
    if action == "supervise" and said.get("level") in list(Level) and said.get("cause") in list(Cause):
        level, cause = Level(said["level"]), Cause(said["cause"])
        zh, en = supervised(level, cause, ""), f"{RUNG_NAMES[level]['en']} ({CAUSE_NAMES[cause]['en']})"
        demands = note.removeprefix(zh).removeprefix("：")
        return (f"{en}: {demands}" if demands else en) if note.startswith(zh) else ""
    return _EN.get(note, "")
