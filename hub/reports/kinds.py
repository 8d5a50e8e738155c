"""The reports themselves: what 周小结, 月分析, 季排名 and 年考核 contain (domain.md §5.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from ..domain.evaluation import Counter, Rate, percent_text, rate, rate_name
from ..domain.period import Period, PeriodKind
from ..store import evaluation_queries, report_queries
from ..store.evaluation_queries import Dimension, Scope
from . import content, parts
from .content import Json, Said, in_en, in_zh, words
from .figures import Figures, ordered, so_far
from .scores import Scored, rule_of, scored

_C = Counter
_TOTALS = (_C.REPORT, _C.ACCEPT, _C.REGISTER, _C.NEED_ARCHIVE, _C.ARCHIVE, _C.INTIME_ARCHIVE)
_RATES = (
    *(Rate.REGISTER, Rate.INTIME_REGISTER, Rate.ARCHIVE, Rate.INTIME_ARCHIVE, Rate.WITHIN_LIMIT, Rate.PUBLIC_REPORT),
    *(Rate.POSTPONE, Rate.ACCURATE_DISPATCH, Rate.INTIME_VERIFY, Rate.INTIME_CHECK),
)
DEDUCTIONS_MOST = 200


class ReportKind(StrEnum):
    """The four of the district's rhythm."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Form:
    """How a report is called, over which period it runs, and what builds its sections."""

    zh: str
    en: str
    period: PeriodKind
    build: Callable[[Figures], list[Json]]


def _said(facts: Sequence[Json]) -> dict[str, Json]:
    return {fact["key"]: fact for fact in facts}


def _overall(figures: Figures, *more: Counter) -> Json:
    """总体情况: the totals, as sentences and as figures with 环比 and 同比."""
    facts = figures.facts((*_TOTALS, *more), _RATES)
    by = _said(facts)
    span = so_far(figures.period, figures.house.now())
    handled_s = evaluation_queries.handling_time_s(figures.tx, span).get(None)
    change = {key: parts.change_text(by[key]) for key in ("register", "archive_rate", "intime_archive_rate")}
    zh = (
        f"{figures.period.zh}，平台共上报问题{by['report']['text']}件，受理{by['accept']['text']}件，"
        f"立案{by['register']['text']}件{change['register']['zh']}。"
        f"应结案{by['need_archive']['text']}件，结案{by['archive']['text']}件，"
        f"结案率{by['archive_rate']['text']}{change['archive_rate']['zh']}；"
        f"按期结案{by['intime_archive']['text']}件，"
        f"按期结案率{by['intime_archive_rate']['text']}{change['intime_archive_rate']['zh']}。"
    )
    en = (
        f"{figures.period.en}: reported {by['report']['text']}, accepted {by['accept']['text']}, "
        f"filed {by['register']['text']}{change['register']['en']}. "
        f"Due to be closed {by['need_archive']['text']}, closed {by['archive']['text']}: "
        f"closing rate {by['archive_rate']['text']}{change['archive_rate']['en']}. "
        f"Closed in time {by['intime_archive']['text']}: "
        f"{by['intime_archive_rate']['text']}{change['intime_archive_rate']['en']}."
    )
    if handled_s is not None:
        zh += f"平均处置时长{handled_s / 3600:.2f}小时（按处置时限的计时口径）。"
        en += f" Handled in {handled_s / 3600:.2f} hours on average, counted as handling limits are."
    return content.section("overall", words("总体情况", "Overall"), text=[words(zh, en)], facts=facts)


def weekly(figures: Figures) -> list[Json]:
    """周小结."""
    return [
        _overall(figures),
        parts.sources(figures),
        parts.classes(figures, 10, words("问题类别前十", "Top ten classes")),
        parts.units(figures, Dimension.STREET, words("街道排名", "Ranking of subdistricts"), "streets"),
        parts.units(figures, Dimension.DEPARTMENT, words("部门派遣与排名", "Departments"), "departments"),
        _focus(figures),
    ]


def _focus(figures: Figures) -> Json:
    """本周焦点: the class with the most cases, by the unit that handles it."""
    top = ordered(figures.by([_C.REGISTER], Dimension.CATEGORY), _C.REGISTER, 1)
    heads = [
        words("责任单位", "Unit"),
        *parts.named(_C.NEED_DISPOSE, _C.DISPOSE, _C.OVERTIME_TO_DISPOSE),
        words("未结案", "Not closed"),
        *parts.rated(Rate.DISPOSE),
    ]
    if not top or not top[0][1].get(_C.REGISTER):
        return content.section("focus", words("本周焦点", "Focus of the week"), table=content.table(heads, []))
    code, counts = top[0]
    name, scope = figures.name(Dimension.CATEGORY, code), Scope(category=code)
    whole = figures.of((_C.REGISTER, _C.NEED_ARCHIVE, _C.ARCHIVE), scope=scope)
    counters = (_C.NEED_DISPOSE, _C.DISPOSE, _C.OVERTIME_TO_DISPOSE, _C.TO_DISPOSE)
    rows: list[list[Json | str]] = []
    for unit, each in ordered(figures.by(counters, Dimension.DEPARTMENT, scope=scope), _C.NEED_DISPOSE):
        own = Scope(category=code, department=unit)
        rows.append(
            [
                figures.name(Dimension.DEPARTMENT, unit),
                *(figures.number(c, each, own) for c in counters),
                figures.percent(Rate.DISPOSE, each, own),
            ]
        )
    filed, due, closed = counts.get(_C.REGISTER, 0), whole.get(_C.NEED_ARCHIVE, 0), rate(Rate.ARCHIVE, whole)
    text = words(
        f"本周立案最多的是“{in_zh(name)}”，立案{filed}件，应结案{due}件，结案率{percent_text(closed)}。",
        f"Most cases of the week are of the class “{in_en(name)}”: {filed} filed, {due} due to be closed, "
        f"closing rate {percent_text(closed)}.",
    )
    return content.section(
        "focus", words("本周焦点", "Focus of the week"), text=[text], table=content.table(heads, rows)
    )


def monthly(figures: Figures) -> list[Json]:
    """月分析《平台动态》."""
    return [
        _overall(figures, _C.URGENT_REGISTER, _C.RECURRENCE, _C.SUPERVISED),
        parts.items(figures),
        parts.sources(figures),
        parts.classes(figures, 3, words("问题类别前三", "Top three classes")),
        parts.units(figures, Dimension.STREET, words("街道情况", "Subdistricts"), "streets"),
        parts.units(figures, Dimension.DEPARTMENT, words("部门情况", "Departments"), "departments"),
        parts.overdue_list(figures),
        parts.supervision_list(figures),
        parts.hot_spots(figures),
        parts.recurrence_list(figures),
        _advice(figures),
    ]


def _advice(figures: Figures) -> Json:
    """工作建议: what the figures point at; the evaluator adds to it when the report is issued."""
    lines: list[Json] = []
    top = ordered(figures.by([_C.REGISTER], Dimension.CATEGORY), _C.REGISTER, 3)
    names = [figures.name(Dimension.CATEGORY, key) for key, counts in top if counts.get(_C.REGISTER)]
    if names:
        lines.append(
            words(
                f"针对{'、'.join(f'“{in_zh(name)}”' for name in names)}等高发问题开展集中整治，从源头减少发生。",
                f"Concentrate on what happens most ({', '.join(map(in_en, names))}) and on where it begins.",
            )
        )
    counters = (_C.NEED_DISPOSE, _C.INTIME_DISPOSE)
    late = []
    for unit, counts in figures.by(counters, Dimension.DEPARTMENT).items():
        value = rate(Rate.INTIME_DISPOSE, counts)
        if unit is not None and value is not None and value < 80 and counts.get(_C.NEED_DISPOSE, 0) >= 5:
            late.append((value, figures.name(Dimension.DEPARTMENT, unit)))
    if late:
        order = sorted(late, key=lambda pair: (pair[0], in_zh(pair[1])))
        worst = [(name, percent_text(value)) for value, name in order[:3]]
        worst_zh = "、".join(f"{in_zh(name)}（{said}）" for name, said in worst)
        worst_en = ", ".join(f"{in_en(name)} ({said})" for name, said in worst)
        lines.append(
            words(
                f"{worst_zh}按期处置率低于80%，请主要负责人督促整改。",
                f"{worst_en} handled less than 80% in time: their heads should see to it.",
            )
        )
    again = report_queries.recurrences(figures.tx, figures.period.start, figures.period.end, 1)
    if again:
        lines.append(
            words(
                f"{again[0][0] or '部分点位'}等处问题反复出现，建议纳入重点巡查和长效管理。",
                f"Problems come back at {again[0][0] or 'some places'}: patrol there more often, "
                "look for a lasting remedy.",
            )
        )
    numbered = [
        words(f"{'一二三'[number]}、{line['zh']}", f"{number + 1}. {line['en']}") for number, line in enumerate(lines)
    ]
    none = words("本期无。", "None in this period.")
    return content.section("advice", words("工作建议", "Recommendations"), text=numbered or [none])


def quarterly(figures: Figures) -> list[Json]:
    """季排名."""
    departments = scored(figures)
    return [
        _overall(figures, _C.URGENT_REGISTER),
        _ranking(figures, departments, words("部门综合排名", "Ranking of departments"), Dimension.DEPARTMENT),
        _ranking(
            figures, scored(figures, Dimension.STREET), words("街道排名", "Ranking of subdistricts"), Dimension.STREET
        ),
        _best_and_last(figures, departments),
        _by_indicator(departments),
        _deducted(figures, departments),
    ]


def _ranking(figures: Figures, found: Sequence[Scored], heading: Json, dimension: Dimension) -> Json:
    rates = (Rate.INTIME_DISPOSE, Rate.ARCHIVE, Rate.REWORK, Rate.ANSWER)
    rows: list[list[Json | str]] = []
    for each in found:
        scope = Scope().narrowed(dimension, each.key)
        off = sum((points for _d, points in each.score.deductions), Decimal(0))
        rows.append(
            [
                str(each.place) if each.place is not None else "—",
                each.name,
                figures.number(_C.NEED_DISPOSE, each.counts, scope),
                *(figures.percent(r, each.counts, scope) for r in rates),
                content.points(each.score.before),
                content.points(off),
                content.points(each.score.total),
            ]
        )
    heads = [
        words("名次", "Place"),
        words("名称", "Name"),
        *parts.named(_C.NEED_DISPOSE),
        *parts.rated(*rates),
        words("基础分", "Before deductions"),
        words("扣分", "Deductions"),
        words("综合指标值", "Score"),
    ]
    top = [each for each in found if each.score.total is not None][:15]
    picture = content.chart(
        heading, "bars", [e.name for e in top], [(words("综合指标值", "Score"), [e.score.total for e in top])]
    )
    version = rule_of(figures).version
    note = words(
        f"综合指标值按评分规则 {version} 计算；无应处置案件的指标不计，其余权重按比例放大。",
        f"Scores by scoring rule {version}; what had no cases is left out, the other weights grow in proportion.",
    )
    return content.section(
        f"ranking-{dimension}", heading, table=content.table(heads, rows), chart=picture if top else None, note=note
    )


def _best_and_last(figures: Figures, found: Sequence[Scored]) -> Json:
    """满分单位 and the last three."""
    rule = rule_of(figures)
    with_value = [each for each in found if each.score.total is not None]
    full = [e.name for e in with_value if e.score.total is not None and e.score.total >= rule.full_mark]
    last = [(e.name, e.score.total) for e in reversed(with_value[-3:])] if len(with_value) > 3 else []
    last_zh = (f"{in_zh(name)}（{total}分）" for name, total in last)
    last_en = (f"{in_en(name)} ({total})" for name, total in last)
    text = [
        words(
            f"满分单位：{'、'.join(map(in_zh, full)) if full else '无'}。",
            f"Full marks: {', '.join(map(in_en, full)) if full else 'nobody'}.",
        ),
        words(
            f"排名后三位：{'、'.join(last_zh) if last else '参评单位不足四家，不列。'}",
            f"The last three: {', '.join(last_en) if last else 'not listed, fewer than four were ranked'}.",
        ),
    ]
    return content.section("best-and-last", words("满分与后三位", "Full marks and the last three"), text=text)


def _by_indicator(found: Sequence[Scored]) -> Json:
    """Each indicator's own ranking: its first and last three."""
    rows: list[list[Json | str]] = []
    for which in (Rate.INTIME_DISPOSE, Rate.DISPOSE, Rate.ARCHIVE, Rate.INTIME_ARCHIVE, Rate.REWORK, Rate.ANSWER):
        lower = which is Rate.REWORK
        known = [(each.rates[which], each.name) for each in found if each.rates.get(which) is not None]
        order = sorted(known, key=lambda pair: (pair[0] if lower else -(pair[0] or 0), in_zh(pair[1])))
        best = [(name, percent_text(value)) for value, name in order]
        first, last = best[:3], best[-3:] if len(best) > 3 else []
        rows.append([dict(rate_name(which)), *(_listed(some) if some else "—" for some in (first, last))])
    heads = [words("指标", "Indicator"), words("前三位", "First three"), words("后三位", "Last three")]
    return content.section("indicators", words("单项指标排名", "By indicator"), table=content.table(heads, rows))


def _listed(some: Sequence[tuple[Said, str]]) -> Json:
    zh, en = (f"{in_zh(name)} {value}" for name, value in some), (f"{in_en(name)} {value}" for name, value in some)
    return words("、".join(zh), ", ".join(en))


def _deducted(figures: Figures, found: Sequence[Scored]) -> Json:
    """扣分明细: every deduction with its case."""
    rule = rule_of(figures)
    every = [(each.name, off, points) for each in found for off, points in each.score.deductions]
    rows: list[list[Json | str]] = []
    for name, off, points in every[:DEDUCTIONS_MOST]:
        each = rule.deductions[off.rule]
        why = words(f"{each.zh}（加倍）", f"{each.en} (doubled)") if off.doubled else words(each.zh, each.en)
        case: Json | str = {"text": off.case, "case": off.case} if off.case else "—"
        rows.append([name, why, case, content.points(points), off.note or ""])
    heads = [
        words("单位", "Unit"),
        words("扣分项", "Deduction"),
        words("案件编号", "Case"),
        words("扣分", "Points"),
        words("说明", "Note"),
    ]
    rest = len(every) - len(rows)
    note = words(f"另有{rest}项，见电子表格。", f"{rest} more in the spreadsheet.") if rest > 0 else ""
    return content.section("deductions", words("扣分明细", "Deductions"), table=content.table(heads, rows), note=note)


def yearly(figures: Figures) -> list[Json]:
    """年考核."""
    departments = scored(figures)
    return [
        _overall(figures, _C.URGENT_REGISTER, _C.RECURRENCE, _C.SUPERVISED),
        _trend(figures),
        parts.items(figures),
        parts.sources(figures),
        parts.classes(figures, 10, words("问题类别前十", "Top ten classes")),
        _ranking(figures, departments, words("部门年度考核", "Departments of the year"), Dimension.DEPARTMENT),
        _ranking(figures, scored(figures, Dimension.STREET), words("街道年度考核", "Subdistricts"), Dimension.STREET),
        _appeals(figures),
        _praise(departments),
        _deducted(figures, departments),
    ]


def _trend(figures: Figures) -> Json:
    """Month by month."""
    counters = (_C.REGISTER, _C.NEED_ARCHIVE, _C.ARCHIVE, _C.INTIME_ARCHIVE)
    months = [(m, figures.of(counters, m)) for m in figures.period.months()]
    rows: list[list[Json | str]] = []
    for month, counts in months:
        numbers = [content.count(counts.get(c, 0), figures.drill(c, None, month)) for c in counters]
        shares = [
            content.share(rate(r, counts), figures.drill(_C.NEED_ARCHIVE, None, month))
            for r in (Rate.ARCHIVE, Rate.INTIME_ARCHIVE)
        ]
        rows.append([_month(month), *numbers, *shares])
    heads = [words("月份", "Month"), *parts.named(*counters), *parts.rated(Rate.ARCHIVE, Rate.INTIME_ARCHIVE)]
    picture = content.chart(
        words("每月立案与结案", "Filed and closed by month"),
        "columns",
        [_month(m) for m, _counts in months],
        [
            (words("立案数", "Filed"), [c.get(_C.REGISTER, 0) for _m, c in months]),
            (words("结案数", "Closed of those due"), [c.get(_C.ARCHIVE, 0) for _m, c in months]),
        ],
    )
    return content.section(
        "trend", words("月度走势", "Month by month"), table=content.table(heads, rows), chart=picture
    )


def _month(month: Period) -> Json:
    return words(f"{month.first.month}月", f"{month.first:%b}")


def _appeals(figures: Figures) -> Json:
    """申诉: how many each department made, and how many were granted."""
    found = report_queries.appeals(figures.tx, figures.period.start, figures.period.end)
    rows: list[list[Json | str]] = [
        [figures.name(Dimension.DEPARTMENT, unit or None), content.count(made), content.count(granted)]
        for unit, (made, granted) in sorted(found.items(), key=lambda pair: -pair[1][0])
    ]
    heads = [words("单位", "Unit"), words("申诉数", "Appeals"), words("通过数", "Granted")]
    return content.section("appeals", words("申诉情况", "Appeals"), table=content.table(heads, rows))


def _praise(found: Sequence[Scored]) -> Json:
    """通报表扬 and 通报批评: proposals from the places, for the leading group to decide."""
    with_value = [e for e in found if e.score.total is not None]
    best = [e.name for e in with_value if e.place is not None and e.place <= 3]
    last = [e.name for e in with_value[-3:] if e.score.total is not None and e.score.total < 80 and e.name not in best]
    text = [
        words(
            f"拟通报表扬：{'、'.join(map(in_zh, best)) if best else '无'}。",
            f"To be commended: {', '.join(map(in_en, best)) if best else 'nobody'}.",
        ),
        words(
            f"拟通报批评（综合指标值低于80分的后三位）：{'、'.join(map(in_zh, last)) if last else '无'}。",
            f"To be criticised (last three, below 80 points): {', '.join(map(in_en, last)) if last else 'nobody'}.",
        ),
    ]
    return content.section("praise", words("表扬与批评（拟）", "Commended and criticised (proposed)"), text=text)


FORMS: dict[ReportKind, Form] = {
    ReportKind.WEEKLY: Form("周小结", "Weekly summary", PeriodKind.WEEK, weekly),
    ReportKind.MONTHLY: Form("月分析", "Monthly analysis", PeriodKind.MONTH, monthly),
    ReportKind.QUARTERLY: Form("季排名", "Quarterly ranking", PeriodKind.QUARTER, quarterly),
    ReportKind.YEARLY: Form("年考核", "Yearly assessment", PeriodKind.YEAR, yearly),
}
