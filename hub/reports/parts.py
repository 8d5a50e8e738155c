"""Parts that several reports share: splits by source and kind, rankings, lists of cases."""

from __future__ import annotations

from ..domain.case import STATE_NAMES, CaseState
from ..domain.evaluation import COUNTER_NAMES, NOTHING, Counter, Rate, percent, rate, rate_name
from ..domain.supervision import CAUSE_NAMES, LEVEL_NAMES, Cause, Level
from ..letters import minute, span_en, span_text
from ..store import report_queries
from ..store.case_rows import CaseRow
from ..store.evaluation_queries import Dimension, Scope
from . import content
from .content import Json, Said, in_en, in_zh, words
from .figures import Figures, ordered

_C = Counter
LIST_MOST = 30
_AGAINST = (("before", words("环比", "the period before")), ("year", words("同比", "a year before")))


def named(*counters: Counter) -> list[Json]:
    """Columns named as counters."""
    return [dict(COUNTER_NAMES[c]) for c in counters]


def rated(*rates: Rate) -> list[Json]:
    """Columns named as rates."""
    return [{**rate_name(r), "percent": True} for r in rates]


def sources(figures: Figures) -> Json:
    """来源: where the filed cases came from, each with its share."""
    groups = ordered(figures.by([_C.REGISTER], Dimension.CHANNEL), _C.REGISTER)
    total = sum(counts.get(_C.REGISTER, 0) for _key, counts in groups)
    rows: list[list[Json | str]] = []
    for key, counts in groups:
        scope = Scope(channel=key)
        filed = counts.get(_C.REGISTER, 0)
        drill = figures.drill(_C.REGISTER, scope)
        part = content.share(percent(filed, total), drill)
        rows.append([figures.name(Dimension.CHANNEL, key), figures.number(_C.REGISTER, counts, scope), part])
    heads = [words("来源", "Source"), *named(_C.REGISTER), {**words("占比", "Share"), "percent": True}]
    labels = [figures.name(Dimension.CHANNEL, key) for key, _counts in groups]
    values = [counts.get(_C.REGISTER, 0) for _key, counts in groups]
    picture = content.chart(words("案件来源", "Sources"), "bars", labels, [(COUNTER_NAMES[_C.REGISTER], values)])
    return content.section(
        "sources", words("案件来源", "Sources"), table=content.table(heads, rows), chart=picture if groups else None
    )


def items(figures: Figures) -> Json:
    """Events and components: filed, due, closed, with their rates."""
    counters = (_C.REGISTER, _C.NEED_ARCHIVE, _C.ARCHIVE, _C.INTIME_ARCHIVE)
    groups = figures.by(counters, Dimension.ITEM)
    rows: list[list[Json | str]] = []
    for key in ("matter", "component"):
        counts, scope = groups.get(key, {}), Scope(item=key)
        rows.append(
            [
                figures.name(Dimension.ITEM, key),
                *(figures.number(c, counts, scope) for c in counters),
                *(figures.percent(r, counts, scope) for r in (Rate.ARCHIVE, Rate.INTIME_ARCHIVE)),
            ]
        )
    heads = [words("类型", "Type"), *named(*counters), *rated(Rate.ARCHIVE, Rate.INTIME_ARCHIVE)]
    return content.section("items", words("事件、部件情况", "Matters and components"), table=content.table(heads, rows))


def classes(figures: Figures, most: int, heading: Json) -> Json:
    """The classes with the most cases filed."""
    counters = (_C.REGISTER, _C.NEED_ARCHIVE, _C.ARCHIVE, _C.INTIME_ARCHIVE)
    groups = ordered(figures.by(counters, Dimension.CATEGORY), _C.REGISTER, most)
    groups = [(key, counts) for key, counts in groups if counts.get(_C.REGISTER, 0)]
    rows: list[list[Json | str]] = []
    for place, (key, counts) in enumerate(groups, start=1):
        scope = Scope(category=key)
        rows.append(
            [
                str(place),
                _with_code(figures.name(Dimension.CATEGORY, key), key),
                *(figures.number(c, counts, scope) for c in counters),
                *(figures.percent(r, counts, scope) for r in (Rate.ARCHIVE, Rate.INTIME_ARCHIVE)),
            ]
        )
    heads = [
        words("名次", "Place"),
        words("类别", "Class"),
        *named(*counters),
        *rated(Rate.ARCHIVE, Rate.INTIME_ARCHIVE),
    ]
    labels = [figures.name(Dimension.CATEGORY, key) for key, _counts in groups]
    values = [counts.get(_C.REGISTER, 0) for _key, counts in groups]
    picture = content.chart(heading, "bars", labels, [(COUNTER_NAMES[_C.REGISTER], values)]) if groups else None
    return content.section("classes", heading, table=content.table(heads, rows), chart=picture)


def units(figures: Figures, dimension: Dimension, heading: Json, id_: str) -> Json:
    """Departments (their stays) or streets (their cases), the best 按期 rate first."""
    if dimension is Dimension.DEPARTMENT:
        counters = (_C.DISPATCH, _C.NEED_DISPOSE, _C.DISPOSE, _C.INTIME_DISPOSE, _C.OVERTIME_TO_DISPOSE, _C.REWORK)
        rates = (Rate.DISPOSE, Rate.INTIME_DISPOSE)
    else:
        counters = (_C.REGISTER, _C.NEED_ARCHIVE, _C.ARCHIVE, _C.INTIME_ARCHIVE, _C.OVERTIME_TO_ARCHIVE, _C.RECURRENCE)
        rates = (Rate.ARCHIVE, Rate.INTIME_ARCHIVE)
    groups = figures.by(counters, dimension)
    last = rates[-1]
    known = [(key, counts) for key, counts in groups.items() if key is not None]
    order = sorted(known, key=lambda g: (rate(last, g[1]) is None, -(rate(last, g[1]) or 0), g[0]))
    rows: list[list[Json | str]] = []
    for place, (key, counts) in enumerate(order, start=1):
        scope = Scope().narrowed(dimension, key)
        rows.append(
            [
                str(place) if rate(last, counts) is not None else "—",
                figures.name(dimension, key),
                *(figures.number(c, counts, scope) for c in counters),
                *(figures.percent(r, counts, scope) for r in rates),
            ]
        )
    heads = [words("名次", "Place"), words("名称", "Name"), *named(*counters), *rated(*rates)]
    top = order[:15]
    picture = content.chart(
        {"zh": f"{heading['zh']}：{rate_name(last)['zh']}", "en": f"{heading['en']}: {rate_name(last)['en']}"},
        "bars",
        [figures.name(dimension, key) for key, _counts in top],
        [(rate_name(last), [rate(last, counts) for _key, counts in top])],
        "%",
    )
    return content.section(id_, heading, table=content.table(heads, rows), chart=picture if top else None)


def overdue_list(figures: Figures) -> Json:
    """Cases overdue at the end of the period, the longest first."""
    end = min(figures.period.end, figures.house.now())
    cases = report_queries.overdue_at(figures.tx, end, LIST_MOST + 1)
    rows: list[list[Json | str]] = [
        [
            str(number),
            _case(case),
            _class(figures, case),
            case.address or case.source_name,
            _unit(figures, case),
            minute(figures.house, case.deadline),
            words(span_text(end - case.deadline), span_en(end - case.deadline)) if case.deadline else "—",
            dict(STATE_NAMES[CaseState(case.state)]),
        ]
        for number, case in enumerate(cases[:LIST_MOST], start=1)
    ]
    heads = [
        words("序号", "No."),
        words("案件编号", "Case"),
        words("问题类别", "Class"),
        words("地点", "Place"),
        words("责任单位", "Unit"),
        words("截止时间", "Deadline"),
        words("超期", "Overdue by"),
        words("状态", "State"),
    ]
    cut = words(f"仅列超期最久的{LIST_MOST}件。", f"Only the {LIST_MOST} that are overdue the longest.")
    note = cut if len(cases) > LIST_MOST else ""
    return content.section(
        "overdue", words("超期未结案件", "Overdue cases"), table=content.table(heads, rows), note=note
    )


def supervision_list(figures: Figures) -> Json:
    """二次 and 三次督办 of the period."""
    found = report_queries.supervised(figures.tx, figures.period.start, figures.period.end, LIST_MOST)
    rows: list[list[Json | str]] = [
        [
            str(number),
            _case(case),
            _class(figures, case),
            figures.name(Dimension.DEPARTMENT, row.department_id),
            dict(LEVEL_NAMES[Level(row.level)]),
            dict(CAUSE_NAMES[Cause(row.cause)]),
            minute(figures.house, row.raised_at),
            words("已反馈", "Answered") if row.ended_at is not None else words("未反馈", "Not answered"),
        ]
        for number, (row, case) in enumerate(found, start=1)
    ]
    heads = [
        words("序号", "No."),
        words("案件编号", "Case"),
        words("问题类别", "Class"),
        words("责任单位", "Unit"),
        words("督办等级", "Level"),
        words("督办类型", "Cause"),
        words("督办时间", "At"),
        words("进展", "Progress"),
    ]
    return content.section("supervision", words("督办情况", "Supervision"), table=content.table(heads, rows))


def recurrence_list(figures: Figures) -> Json:
    """Where problems came back."""
    found = report_queries.recurrences(figures.tx, figures.period.start, figures.period.end, 10)
    rows: list[list[Json | str]] = [
        [str(number), address or "—", figures.name(Dimension.CATEGORY, code), content.count(times)]
        for number, (address, code, _name, times) in enumerate(found, start=1)
    ]
    heads = [words("序号", "No."), words("地点", "Place"), words("问题类别", "Class"), words("复发次数", "Times")]
    return content.section("recurrence", words("复发点位", "Recurrence spots"), table=content.table(heads, rows))


def hot_spots(figures: Figures, most: int = 10) -> Json:
    """The communities with the most cases."""
    found = ordered(figures.by([_C.REGISTER, _C.RECURRENCE], Dimension.COMMUNITY), _C.REGISTER)
    groups = [(key, counts) for key, counts in found if key is not None and counts.get(_C.REGISTER, 0)][:most]
    rows: list[list[Json | str]] = []
    for place, (key, counts) in enumerate(groups, start=1):
        scope = Scope(community=key)
        rows.append(
            [
                str(place),
                figures.name(Dimension.COMMUNITY, key),
                figures.number(_C.REGISTER, counts, scope),
                figures.number(_C.RECURRENCE, counts, scope),
            ]
        )
    heads = [words("名次", "Place"), words("社区", "Community"), *named(_C.REGISTER, _C.RECURRENCE)]
    return content.section("hot-spots", words("高发区域", "Hot spots"), table=content.table(heads, rows), chart=None)


def _case(case: CaseRow) -> Json:
    return {"text": case.number, "case": case.number}


def _class(figures: Figures, case: CaseRow) -> Said:
    if case.category.get("name"):
        return {**figures.house.rules.class_names(case.category)}
    return figures.name(Dimension.CATEGORY, case.category_code or None)


def _with_code(name: Said, code: str | None) -> Said:
    return words(f"{in_zh(name)}（{code}）", f"{in_en(name)} ({code})") if code else name


def _unit(figures: Figures, case: CaseRow) -> Said:
    return figures.name(Dimension.DEPARTMENT, case.department_id or case.last_department_id)


def change_text(fact: Json) -> Json:
    """`（环比↑12.50%，同比持平）`; what cannot be compared is left out."""
    compared = [(name, fact[key]) for key, name in _AGAINST if fact[key]["text"] != NOTHING]
    if not compared:
        return words("", "")
    zh = "，".join(f"{name['zh']}{change['text']}" for name, change in compared)
    en = ", ".join(f"{change['en']} on {name['en']}" for name, change in compared)
    return words(f"（{zh}）", f" ({en})")
