"""Reports made, issued under a number, printed; the cases behind a number; points off by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from ..case_wire import case_brief
from ..domain.evaluation import COUNTER_NAMES, Counter
from ..domain.period import Period, parse
from ..domain.scoring import ScoringRule, rule_for
from ..errors import Conflict, Invalid, NotFound, OutsideScope
from ..house import Actor, House
from ..letters import DOCX_TYPE, PDF_TYPE, Print
from ..papers.docx import docx
from ..papers.pdf import pdf
from ..papers.xlsx import xlsx
from ..store import Transaction, evaluation_queries, people_queries, report_queries
from ..store.counting import locked_counter, next_in
from ..store.evaluation_queries import Dimension, Options, Scope
from ..store.scope import is_office
from ..store.supervision_rows import BulletinRow, DeductionRow
from ..unit_names import UnitNames
from .content import Json, in_en, in_zh, words
from .figures import Figures, so_far
from .kinds import FORMS, ReportKind
from .printing import leaves_of, paper_of
from .scores import rule_of

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOTES_MOST = 4000


def _asked(house: House, kind: str, period: str) -> tuple[ReportKind, Period]:
    if kind not in list(ReportKind):
        raise Invalid("kind", kind, list(ReportKind))
    which, span = ReportKind(kind), parse(period, house.settings.timezone)
    if span.kind is not FORMS[which].period:
        examples = {"week": "2026-W48", "month": "2026-11", "quarter": "2026-Q4", "year": "2026"}
        raise Invalid("period", period, f"a {FORMS[which].period}, as {examples[FORMS[which].period]}")
    return which, span


def read(house: House, actor: Actor, kind: str, period: str, *, live: bool = False) -> Json:
    """The report: as issued, or (not issued yet, or `live`) as the figures are now. Raises Invalid, PeriodError.

    Of an issued one a limited person gets the district's figures, and in its lists the cases of his grids.
    """
    which, span = _asked(house, kind, period)
    with house.db.read() as tx:
        row = report_queries.bulletin(tx, which, span.name)
        if row is not None and not live:
            kept = _headed(row.report, which, span)
            if actor.grids is not None:
                kept["sections"] = [_of_own_cases(tx, section) for section in kept["sections"]]
            return {**kept, "issued_at": row.issued_at.isoformat(), "issued_by": row.issued_by_name}
        made = _headed(_made(tx, house, which, span, None if row is None else row.sequence), which, span)
        return {**made, "issued_at": None, "issued_by": None, "notes": ""}


def _headed(report: Json, kind: ReportKind, period: Period) -> Json:
    """With its title, number and period in English too: only the Chinese is kept, the English follows from it."""
    return {
        **report,
        "title": words(report["title"], f"{FORMS[kind].en}, {period.en}"),
        "number": words(report["number"], f"No. {report['sequence']} of {period.first.year}"),
        "period": {**report["period"], "en": period.en},
    }


def _of_own_cases(tx: Transaction, section: Json) -> Json:
    """A section without the rows of cases outside the scope of who asks; its note says how many they were."""
    table = section.get("table")
    if not table:
        return section
    rows = [(row, _case_in(row)) for row in table["rows"]]
    known = report_queries.case_numbers(tx, [number for _row, number in rows if number])
    mine = [row for row, number in rows if number is None or number in known]
    left = len(rows) - len(mine)
    if not left:
        return section
    note = section.get("note") or ""
    zh = f"{in_zh(note)}另有{left}件不在您的数据范围内。"
    note = words(zh, f"{in_en(note)} {left} more {'lies' if left == 1 else 'lie'} outside your data scope.".strip())
    return {**section, "table": {**table, "rows": mine}, "note": note}


def _case_in(row: Sequence[Any]) -> str | None:
    return next((str(cell["case"]) for cell in row if isinstance(cell, dict) and cell.get("case")), None)


def _made(tx: Transaction, house: House, kind: ReportKind, period: Period, sequence: int | None) -> Json:
    figures, form = Figures(tx, house, period), FORMS[kind]
    if sequence is None:
        sequence = locked_counter(tx, _counter(kind, period), lock=False).value + 1
    return {
        "kind": kind.value,
        "kind_name": {"zh": form.zh, "en": form.en},
        "title": _title(house, kind, period, sequence),
        "number": f"{period.first.year}年第{sequence}期",
        "sequence": sequence,
        "period": {
            "name": period.name,
            "zh": period.zh,
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "before": period.before().name,
            "over": house.now() >= period.end,
        },
        "rule_version": rule_of(figures).version,
        "made_at": house.now().isoformat(),
        "sections": form.build(figures),
    }


def _title(house: House, kind: ReportKind, period: Period, sequence: int) -> str:
    if kind is ReportKind.MONTHLY:
        return f"{house.office.bulletin}第{sequence}期（{period.zh}）"
    return f"{period.zh}{FORMS[kind].zh}"


def _counter(kind: ReportKind, period: Period) -> str:
    return f"bulletin/{kind}/{period.first.year}"


def issue(house: House, actor: Actor, kind: str, period: str, notes: str = "") -> Json:
    """Freeze the figures under the next number. Raises Conflict while the period runs, or when it is issued."""
    which, span = _asked(house, kind, period)
    if actor.grids is not None:
        raise OutsideScope("report", f"{kind}/{period}")
    if len(notes) > _NOTES_MOST:
        raise Invalid("notes", f"{len(notes)} characters", f"at most {_NOTES_MOST} characters")
    if house.now() < span.end:
        raise Conflict(f"{span.name} runs until {span.last.isoformat()}: a report is issued when its period is over")
    with house.db.write() as tx:
        now = house.now()
        sequence = next_in(tx, _counter(which, span))
        if report_queries.bulletin(tx, which, span.name) is not None:
            raise Conflict(f"{FORMS[which].en} {span.name} is issued already")
        made = {**_made(tx, house, which, span, sequence), "notes": notes.strip()}
        row = BulletinRow(id=uuid4().hex, kind=which.value, period=span.name, year=span.first.year, sequence=sequence)
        row.rule_version, row.report = made["rule_version"], made
        row.issued_at, row.issued_by, row.issued_by_name = now, actor.id, actor.name
        tx.add(row)
        tx.audit(now, actor.id, "report-issued", f"report/{which}/{span.name}", number=sequence)
        return {**_headed(made, which, span), "issued_at": now.isoformat(), "issued_by": actor.name}


def listed(house: House, kind: str | None = None) -> list[Json]:
    """The issued reports, newest first, without their figures."""
    if kind is not None and kind not in list(ReportKind):
        raise Invalid("kind", kind, list(ReportKind))
    found: list[Json] = []
    with house.db.read() as tx:
        for row in report_queries.bulletins(tx, kind):
            which = ReportKind(row.kind)
            kept = _headed(row.report, which, parse(row.period, house.settings.timezone))
            found.append(
                {
                    "kind": row.kind,
                    "kind_name": words(FORMS[which].zh, FORMS[which].en),
                    "period": row.period,
                    "title": kept["title"],
                    "number": kept["number"],
                    "issued_at": row.issued_at.isoformat(),
                    "issued_by": row.issued_by_name,
                }
            )
    return found


def printed(house: House, actor: Actor, kind: str, period: str, form: str, *, live: bool = False) -> Print:
    """The report as `xlsx`, `docx` or `pdf`."""
    if form not in ("xlsx", "docx", "pdf"):
        raise Invalid("format", form, ["xlsx", "docx", "pdf"])
    report = read(house, actor, kind, period, live=live)
    name = report["title"]["zh"]
    if form == "xlsx":
        return Print(f"{name}.xlsx", XLSX_TYPE, xlsx(leaves_of(report), house.settings.timezone, house.office.issuer))
    paper = paper_of(house, report)
    if form == "docx":
        return Print(f"{name}.docx", DOCX_TYPE, docx(paper))
    content, missing = pdf(paper)
    return Print(f"{name}.pdf", PDF_TYPE, content, missing)


def cases_of(
    house: House, counter: str, period: str, scope: Mapping[str, str | None], after: Sequence[Any] | None, limit: int
) -> tuple[list[Json], list[Any] | None, int]:
    """(what a number counted, key of the next page, the number itself). Raises Invalid, PeriodError."""
    if counter not in list(Counter):
        raise Invalid("counter", counter, list(Counter))
    span = parse(period, house.settings.timezone)
    with house.db.read() as tx:
        entries, key, total = evaluation_queries.entries(
            tx,
            Counter(counter),
            so_far(span, house.now()),
            scope=Scope(**{d.value: scope.get(d.value) for d in Dimension}),
            options=Options(house.office.without_suspended),
            after=after,
            limit=limit,
        )
        units = UnitNames.of(tx)
        items = [
            {
                **case_brief(house, entry.case),
                **units.columns(entry.department),
                "deadline": entry.deadline.isoformat() if entry.deadline else None,
                "finished_at": entry.finished_at.isoformat() if entry.finished_at else None,
            }
            for entry in entries
        ]
        return items, key, total


def counted(house: House, counter: str, period: str, scope: Mapping[str, str | None]) -> Json:
    """What a drill-down is called: {counter, period, scope} with names, in both languages."""
    span = parse(period, house.settings.timezone)
    with house.db.read() as tx:
        figures = Figures(tx, house, span)
        named = {d.value: figures.name(d, scope[d.value]) for d in Dimension if scope.get(d.value)}
    return {"counter": COUNTER_NAMES[Counter(counter)], "period": words(span.zh, span.en), "scope": named}


# --- points off by hand -----------------------------------------------------------------------------------------------


def deduct(house: House, actor: Actor, body: Mapping[str, Any]) -> Json:
    """{department, day, rule, case?, doubled?, note}. Raises Invalid, NotFound, OutsideScope (see `_may_deduct`)."""
    day: date = body["day"]
    rule = _rule_on(house, day)
    by_hand = sorted(key for key, each in rule.deductions.items() if each.by_hand)
    if body["rule"] not in by_hand:
        raise Invalid("rule", body["rule"], by_hand)
    with house.db.write() as tx:
        if people_queries.department(tx, body["department"]) is None:
            raise Invalid("department", body["department"], [d.id for d in people_queries.departments(tx)])
        case = body.get("case") or ""
        if case and not report_queries.case_numbers(tx, [case]):
            raise NotFound("case", case)
        _may_deduct(tx, actor, body["department"], case)
        row = DeductionRow(id=uuid4().hex, department_id=body["department"], day=day, rule=body["rule"])
        row.case_number, row.doubled, row.note = case, bool(body.get("doubled")), body.get("note", "").strip()
        row.at, row.by, row.by_name, row.struck_note = house.now(), actor.id, actor.name, ""
        tx.add(row)
        tx.flush()
        tx.audit(row.at, actor.id, "deduction-made", f"department/{row.department_id}", rule=row.rule, case=case)
        return _deduction_json(house, row, UnitNames.of(tx))


def strike(house: House, actor: Actor, deduction_id: str, note: str) -> Json:
    """Take points off back (an appeal was right). Raises NotFound, OutsideScope, Invalid, Conflict."""
    if not note.strip():
        raise Invalid("note", "", "not empty: why the deduction is struck")
    with house.db.write() as tx:
        row = report_queries.deduction(tx, deduction_id)
        if row is None:
            raise NotFound("deduction", deduction_id)
        _may_deduct(tx, actor, row.department_id, row.case_number)
        if row.struck_at is not None:
            raise Conflict(f"the deduction was struck by {row.struck_by_name}")
        row.struck_at, row.struck_by_name, row.struck_note = house.now(), actor.name, note.strip()
        tx.audit(house.now(), actor.id, "deduction-struck", f"department/{row.department_id}", note=note[:200])
        return _deduction_json(house, row, UnitNames.of(tx))


def _may_deduct(tx: Transaction, actor: Actor, unit: str, case: str) -> None:
    """A limited person deducts for cases of his grids, and from the offices of their streets. Raises OutsideScope."""
    if actor.grids is not None and not case and not is_office(tx, unit, actor.grids):
        raise OutsideScope("department", unit)


def deductions(house: House, period: str) -> Json:
    """Those of a period, with the rule's by-hand deductions to choose from."""
    span = parse(period, house.settings.timezone)
    rule = _rule_on(house, span.first)
    with house.db.read() as tx:
        rows = report_queries.deductions(tx, span.first, span.last)
        units = UnitNames.of(tx)
    choices = [
        {"rule": key, "name": {"zh": each.zh, "en": each.en}, "points": float(each.points)}
        for key, each in rule.deductions.items()
        if each.by_hand
    ]
    return {"rules": choices, "version": rule.version, "items": [_deduction_json(house, row, units) for row in rows]}


def _rule_on(house: House, day: date) -> ScoringRule:
    return rule_for(house.scoring, day)


def _deduction_json(house: House, row: DeductionRow, units: UnitNames) -> Json:
    rule = _rule_on(house, row.day).deductions.get(row.rule)
    points = float(rule.points) * (2 if row.doubled else 1) if rule else 0.0
    return {
        "id": row.id,
        **units.columns(row.department_id),
        "day": row.day.isoformat(),
        "rule": row.rule,
        "name": {"zh": rule.zh, "en": rule.en} if rule else {"zh": row.rule, "en": row.rule},
        "points": points,
        "case": row.case_number,
        "doubled": row.doubled,
        "note": row.note,
        "at": row.at.isoformat(),
        "by": row.by_name,
        "struck": row.struck_at is not None,
        "struck_at": row.struck_at.isoformat() if row.struck_at else None,
        "struck_by": row.struck_by_name,
        "struck_note": row.struck_note,
    }
