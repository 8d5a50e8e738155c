"""绩效评价: what is counted, which rate has which denominator, and how a figure compares with another period's.

The counters carry the names that the market-leading product exports (domain.md §5.1), the formulas are those of §5.2.
What a counter means as a question to the database stands in `hub/store/evaluation_queries.py`, once, for the number
and for the list of cases behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

NOTHING = "—"
"""What an empty denominator prints; never 0 % or 100 %."""


class Counter(StrEnum):
    """What is counted. Of cases, but for the 处置 family, which counts the stays of cases at departments."""

    REPORT = "report"
    ACCEPT = "accept"
    REGISTER = "register"
    PUBLIC_REGISTER = "public_register"
    INTIME_REGISTER = "intime_register"
    DISPATCH = "dispatch"
    ACCURATE_DISPATCH = "accurate_dispatch"
    NEED_DISPOSE = "need_dispose"
    DISPOSE = "dispose"
    INTIME_DISPOSE = "intime_dispose"
    OVERTIME_DISPOSE = "overtime_dispose"
    TO_DISPOSE = "to_dispose"
    INTIME_TO_DISPOSE = "intime_to_dispose"
    OVERTIME_TO_DISPOSE = "overtime_to_dispose"
    REWORK = "rework"
    MULTI_REWORK = "multi_rework"
    HANG = "hang"
    HIS_HANG = "his_hang"
    POSTPONE = "postpone"
    NEED_ARCHIVE = "need_archive"
    ARCHIVE = "archive"
    INTIME_ARCHIVE = "intime_archive"
    OVERTIME_ARCHIVE = "overtime_archive"
    OVERTIME_TO_ARCHIVE = "overtime_to_archive"
    CLOSED = "closed"
    URGENT_REGISTER = "urgent_register"
    RECURRENCE = "recurrence"
    SUPERVISED = "supervised"
    NEED_ANSWER = "need_answer"
    INTIME_ANSWER = "intime_answer"
    VERIFY = "verify"
    INTIME_VERIFY = "intime_verify"
    CHECK = "check"
    INTIME_CHECK = "intime_check"


_C = Counter

COUNTER_NAMES: Mapping[Counter, dict[str, str]] = {
    _C.REPORT: {"zh": "上报数", "en": "Reported"},
    _C.ACCEPT: {"zh": "受理数", "en": "Accepted"},
    _C.REGISTER: {"zh": "立案数", "en": "Filed"},
    _C.PUBLIC_REGISTER: {"zh": "公众举报立案数", "en": "Filed from public reports"},
    _C.INTIME_REGISTER: {"zh": "按时立案数", "en": "Filed in time"},
    _C.DISPATCH: {"zh": "派遣数", "en": "Dispatched"},
    _C.ACCURATE_DISPATCH: {"zh": "准确派遣数", "en": "Dispatched to the right unit"},
    _C.NEED_DISPOSE: {"zh": "应处置数", "en": "Due to be handled"},
    _C.DISPOSE: {"zh": "处置数", "en": "Handled"},
    _C.INTIME_DISPOSE: {"zh": "按期处置数", "en": "Handled in time"},
    _C.OVERTIME_DISPOSE: {"zh": "超期处置数", "en": "Handled late"},
    _C.TO_DISPOSE: {"zh": "待处置数", "en": "Still to be handled"},
    _C.INTIME_TO_DISPOSE: {"zh": "按期待处置数", "en": "To be handled, in time"},
    _C.OVERTIME_TO_DISPOSE: {"zh": "超期待处置数", "en": "To be handled, late"},
    _C.REWORK: {"zh": "返工案件数", "en": "Cases reworked"},
    _C.MULTI_REWORK: {"zh": "返工次数", "en": "Reworks"},
    _C.HANG: {"zh": "挂账数", "en": "Suspended"},
    _C.HIS_HANG: {"zh": "历史挂账数", "en": "Suspended before the period"},
    _C.POSTPONE: {"zh": "延期数", "en": "Extended"},
    _C.NEED_ARCHIVE: {"zh": "应结案数", "en": "Due to be closed"},
    _C.ARCHIVE: {"zh": "结案数", "en": "Closed of those due"},
    _C.INTIME_ARCHIVE: {"zh": "按期结案数", "en": "Closed in time"},
    _C.OVERTIME_ARCHIVE: {"zh": "超期结案数", "en": "Closed late"},
    _C.OVERTIME_TO_ARCHIVE: {"zh": "超期未结案数", "en": "Due and not closed"},
    _C.CLOSED: {"zh": "当期办结数", "en": "Closed in the period"},
    _C.URGENT_REGISTER: {"zh": "急要件数", "en": "Urgent cases filed"},
    _C.RECURRENCE: {"zh": "复发案件数", "en": "Recurrences"},
    _C.SUPERVISED: {"zh": "督办案件数", "en": "Cases supervised"},
    _C.NEED_ANSWER: {"zh": "应回复督办数", "en": "Supervisions to be answered"},
    _C.INTIME_ANSWER: {"zh": "按时回复督办数", "en": "Supervisions answered in time"},
    _C.VERIFY: {"zh": "核实数", "en": "Verified"},
    _C.INTIME_VERIFY: {"zh": "按期核实数", "en": "Verified in time"},
    _C.CHECK: {"zh": "核查数", "en": "Checked"},
    _C.INTIME_CHECK: {"zh": "按期核查数", "en": "Checked in time"},
}


class Rate(StrEnum):
    """A share in percent."""

    ARCHIVE = "archive_rate"
    INTIME_ARCHIVE = "intime_archive_rate"
    REGISTER = "register_rate"
    INTIME_REGISTER = "intime_register_rate"
    PUBLIC_REPORT = "public_report_rate"
    DISPOSE = "dispose_rate"
    INTIME_DISPOSE = "intime_dispose_rate"
    REWORK = "rework_rate"
    POSTPONE = "postpone_rate"
    ACCURATE_DISPATCH = "accurate_dispatch_rate"
    WITHIN_LIMIT = "within_limit_rate"
    ANSWER = "answer_rate"
    INTIME_VERIFY = "intime_verify_rate"
    INTIME_CHECK = "intime_check_rate"
    SATISFIED = "satisfied_rate"


@dataclass(frozen=True, slots=True)
class Formula:
    """`over` divided by `under`, in percent; `lower_is_better` turns the ranking round."""

    zh: str
    en: str
    over: Counter
    under: Counter
    lower_is_better: bool = False


FORMULAS: Mapping[Rate, Formula] = {
    Rate.ARCHIVE: Formula("结案率", "Closing rate", _C.ARCHIVE, _C.NEED_ARCHIVE),
    Rate.INTIME_ARCHIVE: Formula("按期结案率", "On-time closing rate", _C.INTIME_ARCHIVE, _C.NEED_ARCHIVE),
    Rate.REGISTER: Formula("立案率", "Filing rate", _C.REGISTER, _C.ACCEPT),
    Rate.INTIME_REGISTER: Formula("按时立案率", "On-time filing rate", _C.INTIME_REGISTER, _C.REGISTER),
    Rate.PUBLIC_REPORT: Formula("监督举报率", "Public report rate", _C.PUBLIC_REGISTER, _C.REGISTER, True),
    Rate.DISPOSE: Formula("处置率", "Handling rate", _C.DISPOSE, _C.NEED_DISPOSE),
    Rate.INTIME_DISPOSE: Formula("按期处置率", "On-time handling rate", _C.INTIME_DISPOSE, _C.NEED_DISPOSE),
    Rate.REWORK: Formula("返工率", "Rework rate", _C.REWORK, _C.DISPOSE, True),
    Rate.POSTPONE: Formula("延期率", "Extension rate", _C.POSTPONE, _C.NEED_DISPOSE, True),
    Rate.ACCURATE_DISPATCH: Formula("准确派遣率", "Dispatch accuracy", _C.ACCURATE_DISPATCH, _C.DISPATCH),
    Rate.WITHIN_LIMIT: Formula("限时办结率", "Within-limit rate", _C.INTIME_DISPOSE, _C.NEED_DISPOSE),
    Rate.ANSWER: Formula("督办按时完成率", "On-time answers to supervisions", _C.INTIME_ANSWER, _C.NEED_ANSWER),
    Rate.INTIME_VERIFY: Formula("按期核实率", "On-time verification rate", _C.INTIME_VERIFY, _C.VERIFY),
    Rate.INTIME_CHECK: Formula("按期核查率", "On-time check rate", _C.INTIME_CHECK, _C.CHECK),
}
"""Rate.SATISFIED has no formula of cases: 满意 / (满意 + 不满意) comes from call-backs (`percent`)."""

SATISFIED_NAME = {"zh": "满意率", "en": "Satisfied"}


def percent(over: int, under: int) -> Decimal | None:
    """`over` of `under` in percent, rounded half up to 2 decimals; None for an empty denominator."""
    if under == 0:
        return None
    return two_decimals(Decimal(100 * over) / Decimal(under))


def two_decimals(value: Decimal) -> Decimal:
    """Half up, as the bulletins print it."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def rate(which: Rate, counts: Mapping[Counter, int]) -> Decimal | None:
    """The rate from counters; those that are missing are 0. None for an empty denominator."""
    formula = FORMULAS[which]
    return percent(counts.get(formula.over, 0), counts.get(formula.under, 0))


def rate_name(which: Rate) -> dict[str, str]:
    """What it is called."""
    if which is Rate.SATISFIED:
        return SATISFIED_NAME
    return {"zh": FORMULAS[which].zh, "en": FORMULAS[which].en}


def percent_text(value: Decimal | None) -> str:
    """`93.72%`, or — ."""
    return NOTHING if value is None else f"{value:.2f}%"


@dataclass(frozen=True, slots=True)
class Change:
    """A figure beside the one it is compared with.

    `rate` is the change in percent of `was` for a count, and in percentage points (百分点) for a share; `rise` is True
    up, False down, None even or not to be compared.
    """

    now: Decimal | None
    was: Decimal | None
    points: bool = False

    @property
    def rise(self) -> bool | None:
        """Which way it went."""
        if self.now is None or self.was is None or self.now == self.was:
            return None
        return self.now > self.was

    @property
    def rate(self) -> Decimal | None:
        """How far, without sign."""
        if self.now is None or self.was is None:
            return None
        if self.points:
            return two_decimals(abs(self.now - self.was))
        return None if self.was == 0 else two_decimals(abs(self.now - self.was) * 100 / self.was)

    def text(self) -> str:
        """`↑12.50%`, `↓1.20个百分点`, `持平` or — ."""
        return self._said("持平", "个百分点")

    def english(self) -> str:
        """`↑12.50%`, `↓1.20 pp`, `even` or — ."""
        return self._said("even", " pp")

    def _said(self, even: str, points: str) -> str:
        if self.now is None or self.was is None:
            return NOTHING
        if self.rise is None:
            return even
        arrow, rate_ = "↑" if self.rise else "↓", self.rate
        if rate_ is None:
            return NOTHING
        return f"{arrow}{rate_:.2f}{points if self.points else '%'}"

    def fields(self, name: str, against: str) -> dict[str, Any]:
        """`{name}_TB`, `{name}_TBRise`, `{name}_TBRate` as the vocabulary of §5 has them; `against` is TB or HB."""
        return {
            f"{name}_{against}": None if self.was is None else float(self.was),
            f"{name}_{against}Rise": self.rise,
            f"{name}_{against}Rate": None if self.rate is None else float(self.rate),
        }
