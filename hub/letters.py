"""Letters of supervision: drafted, signed, numbered, answered; printed from the clerk's template as DOCX and PDF.

A letter keeps its fields, its table and its template, so that what is printed next year is what was issued.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from .config import ConfigError, Settings
from .domain.case import STATE_NAMES, CaseState
from .domain.clock import deadline, parse_limit
from .domain.letter import (
    FORMS,
    LETTER,
    LETTER_ACTION_NAMES,
    LETTER_ROLES,
    SHEETS,
    LetterAction,
    LetterKind,
    LetterState,
    number_text,
)
from .domain.role import UNIT_ROLES, Right, may
from .errors import Forbidden, Invalid, NotFound, OutsideScope
from .house import SYSTEM, Actor, House
from .letter_words import LetterWords
from .outbox import announce
from .papers import template
from .papers.pdf import pdf
from .papers.template import TemplateError
from .store import Transaction, alert_queries, people_queries, report_queries, scope
from .store import supervision_queries as ask
from .store.case_rows import CaseRow
from .store.counting import next_in
from .store.supervision_rows import LetterCaseRow, LetterRow, PaperAreaRow, TemplateRow
from .unit_names import UnitNames

DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF_TYPE = "application/pdf"
FORMATS = {"docx": DOCX_TYPE, "pdf": PDF_TYPE}
LINES_MOST = 500
_TEXT_MOST = 4000


@dataclass(frozen=True, slots=True)
class Print:
    """A file to be downloaded; `missing` are characters that no font of the machine has."""

    name: str
    media_type: str
    content: bytes
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a letter is to say; empty texts take the words of `configs/supervision.yaml`."""

    kind: LetterKind
    cases: Sequence[CaseRow]
    department: str | None = None
    to_name: str = ""
    title: str = ""
    reason: str = ""
    demands: str = ""
    copy_to: str = ""
    attachments: str = ""
    reply: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


# --- templates --------------------------------------------------------------------------------------------------------


def keep_shipped(tx: Transaction, settings: Settings, now: datetime) -> None:
    """Take the shipped templates in, where nothing is there or only an older shipped one. Raises ConfigError."""
    current = ask.template_ids(tx)
    for kind in LetterKind:
        path = settings.letters_dir / f"{kind}.docx"
        if not path.is_file():
            if kind not in current:
                raise ConfigError([f"{path}: is missing: every kind of letter needs its template"])
            continue
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        known = current.get(kind)
        if known is not None and (not known[2] or known[1] == digest):
            continue
        problems = template.check(str(path), content, FORMS[kind].fields, FORMS[kind].rows)
        if problems:
            raise ConfigError(problems)
        tx.add(TemplateRow(kind=kind, sha256=digest, content=content, shipped=True, by=SYSTEM.id, at=now))


def templates(house: House) -> list[dict[str, Any]]:
    """The current template of each kind, with the fields that it may use."""
    with house.db.read() as tx:
        rows = {kind: ask.template(tx, kind) for kind in LetterKind}
        return [_template_json(kind, row) for kind, row in rows.items() if row is not None]


def _template_json(kind: LetterKind, row: TemplateRow) -> dict[str, Any]:
    form = FORMS[kind]
    return {
        "kind": kind,
        "name": {"zh": form.zh, "en": form.en},
        "fields": list(form.fields),
        "rows": {group: list(columns) for group, columns in form.rows.items()},
        "shipped": row.shipped,
        "by": row.by,
        "at": row.at.isoformat(),
        "size": len(row.content),
    }


def template_file(house: House, kind: str) -> Print:
    """The current template, to be edited."""
    with house.db.read() as tx:
        row = ask.template(tx, _kind(kind))
        if row is None:
            raise NotFound("template", kind)
        return Print(f"{FORMS[_kind(kind)].zh}模板.docx", DOCX_TYPE, row.content)


def replace_template(house: House, actor: Actor, kind: str, content: bytes) -> dict[str, Any]:
    """The clerk's changed template, for the letters from now on. Raises TemplateError (every wrong placeholder)."""
    which = _kind(kind)
    form = FORMS[which]
    if len(content) > template.BYTES_MAX:
        raise TemplateError([f"{form.zh}: {len(content)} bytes; at most {template.BYTES_MAX} are allowed"])
    problems = template.check(f"{form.zh}.docx", content, form.fields, form.rows)
    if problems:
        raise TemplateError(problems)
    digest = hashlib.sha256(content).hexdigest()
    with house.db.write() as tx:
        row = TemplateRow(kind=which, sha256=digest, content=content, shipped=False, by=actor.id, at=house.now())
        tx.add(row)
        tx.flush()
        tx.audit(house.now(), actor.id, "template-changed", f"template/{which}", sha256=digest)
        return _template_json(which, row)


def restore_template(house: House, actor: Actor, kind: str) -> dict[str, Any]:
    """The shipped template again."""
    which = _kind(kind)
    content = (house.settings.letters_dir / f"{which}.docx").read_bytes()
    with house.db.write() as tx:
        digest = hashlib.sha256(content).hexdigest()
        row = TemplateRow(kind=which, sha256=digest, content=content, shipped=True, by=actor.id, at=house.now())
        tx.add(row)
        tx.flush()
        tx.audit(house.now(), actor.id, "template-restored", f"template/{which}", sha256=digest)
        return _template_json(which, row)


def _kind(text: str) -> LetterKind:
    if text not in list(LetterKind):
        raise Invalid("kind", text, list(LetterKind))
    return LetterKind(text)


# --- the life of a letter ---------------------------------------------------------------------------------------------


def draft(tx: Transaction, house: House, wanted: Draft, actor: Actor, now: datetime) -> LetterRow:
    """A letter, not yet numbered; its case table is as things stand now. Raises Invalid."""
    form, words = FORMS[wanted.kind], house.office.wording[wanted.kind]
    if len(wanted.cases) > LINES_MOST:
        raise Invalid("cases", len(wanted.cases), f"at most {LINES_MOST}")
    units = UnitNames.of(tx).zh
    if wanted.department is not None and wanted.department not in units:
        raise Invalid("department", wanted.department, sorted(units))
    to_name = wanted.to_name or units.get(wanted.department or "", "")
    if not to_name and wanted.kind not in (LetterKind.PROBLEMS, LetterKind.MINUTES):
        raise Invalid("to", "", "whom the letter goes to: a department, or a name")
    current = ask.template(tx, wanted.kind)
    if current is None:
        raise NotFound("template", wanted.kind)
    filled = {"n": len(wanted.cases), "unit": to_name}
    office = house.office
    values = {
        "发文机关": office.issuer,
        "标题": wanted.title or _said(words.title, filled),
        "主送": to_name,
        "抄送": wanted.copy_to or (office.leading_office if wanted.kind is LetterKind.OFFICIAL else ""),
        "事由": wanted.reason or _said(words.reason, filled),
        "要求": wanted.demands or _said(words.demands, filled),
        "联系人": office.contact,
        "联系电话": office.phone,
        "附件": wanted.attachments,
        "合计": str(len(wanted.cases)),
        **wanted.more,
    }
    row = LetterRow(
        id=uuid4().hex,
        kind=wanted.kind.value,
        state=LetterState.DRAFT.value,
        template_id=current.id,
        title=values["标题"][:200],
        department_id=wanted.department,
        to_name=to_name,
        fields={name: values.get(name, "")[:_TEXT_MOST] for name in form.fields},
        lines=[_line(house, case, number, units, now) for number, case in enumerate(wanted.cases, start=1)],
        created_at=now,
        created_by=actor.id,
        created_by_name=actor.name,
        reply_required=bool(wanted.reply),
        reply_limit=wanted.reply,
        reply="",
        reply_evidence=[],
        reply_count=0,
        decided_note="",
    )
    tx.add(row)
    tx.flush()
    tx.add_all(LetterCaseRow(letter_id=row.id, case_id=case_id) for case_id in sorted({c.id for c in wanted.cases}))
    if not wanted.cases and actor.grids is not None:
        tx.add_all(PaperAreaRow(paper_id=row.id, grid_id=grid) for grid in scope.tops(tx, actor.grids))
    tx.flush()
    return row


def _said(text: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def issue(tx: Transaction, house: House, row: LetterRow, signer: Actor, now: datetime) -> None:
    """Number, date and send: the number comes from a yearly counter of its kind, without gaps."""
    LETTER.next(LetterState(row.state), LetterAction.SIGN)
    kind = LetterKind(row.kind)
    local = now.astimezone(house.settings.timezone)
    row.year, row.sequence = local.year, next_in(tx, f"letter/{kind}/{local.year}")
    row.number = number_text(FORMS[kind], local.year, row.sequence, house.office.prefixes.get(kind, ""))
    row.state, row.issued_at = LetterState.ISSUED.value, now
    row.signed_by, row.signed_by_name = signer.id, signer.name
    if row.reply_limit:
        row.reply_due_at = deadline(now, parse_limit(row.reply_limit), house.rules.calendar)
    due = row.reply_due_at.astimezone(house.settings.timezone) if row.reply_due_at else None
    row.fields = {
        **row.fields,
        "编号": row.number,
        "日期": f"{local.year}年{local.month}月{local.day}日",
        "签发人": signer.name if FORMS[kind].signed else "",
        "回复期限": f"{due.year}年{due.month}月{due.day}日{due:%H:%M}" if due else "",
    }
    tx.flush()
    tx.audit(now, signer.id, "letter-issued", f"letter/{row.id}", number=row.number, kind=kind, to=row.to_name)
    announce(tx, house, "letters", "letter.issued", row.number, thin(row))
    tell(tx, house, row)


def act(
    house: House, actor: Actor, letter_id: str, action: str, text: str = "", photos: Sequence[bytes] = ()
) -> dict[str, Any]:
    """Sign, reply, accept or refuse the reply, withdraw.

    Raises NotFound, OutsideScope (it names cases outside), Forbidden, IllegalMove, Invalid.
    """
    if action not in list(LetterAction):
        raise Invalid("action", action, list(LetterAction))
    wanted = LetterAction(action)
    if actor.role not in LETTER_ROLES[wanted]:
        allowed = ", ".join(sorted(LETTER_ROLES[wanted]))
        raise Forbidden(f"{action} ({LETTER_ACTION_NAMES[wanted]['zh']}) is for: {allowed}; you are {actor.role}")
    if wanted in (LetterAction.REPLY, LetterAction.REFUSE_REPLY, LetterAction.WITHDRAW) and not text.strip():
        raise Invalid("text", "", f"not empty: {action} needs it")
    if len(text) > _TEXT_MOST:
        raise Invalid("text", f"{len(text)} characters", f"at most {_TEXT_MOST} characters")
    stored = [house.evidence.put(photo) for photo in photos]
    with house.db.write() as tx:
        row, now = _seen(tx, actor, letter_id, lock=True), house.now()
        if wanted is LetterAction.REPLY and actor.role in UNIT_ROLES and row.department_id != actor.department:
            raise NotFound("letter", letter_id)
        _, elsewhere = _lines(tx, row, actor)
        if elsewhere or not _decides(tx, row, actor):
            raise OutsideScope("letter", letter_id)
        if wanted is LetterAction.SIGN:
            issue(tx, house, row, actor, now)
            return letter_json(tx, house, row, actor)
        row.state = LETTER.next(LetterState(row.state), wanted).value
        if wanted is LetterAction.REPLY:
            if not row.reply_required:
                raise Invalid("letter", row.number or row.id, "a letter that asks for a reply")
            for photo in stored:
                alert_queries.note_evidence(tx, photo.sha256, photo.media_type, photo.size, now, for_ever=True)
            row.replied_at, row.replied_by, row.replied_by_name = now, actor.id, actor.name
            row.reply, row.reply_evidence = text.strip(), [photo.sha256 for photo in stored]
            row.reply_count += 1
        else:
            row.decided_at, row.decided_by, row.decided_note = now, actor.id, text.strip()
        if wanted is LetterAction.REFUSE_REPLY:
            # The reply does not count: the letter is unanswered as before, its deadline stands.
            row.replied_at = None
        tx.flush()
        tx.audit(now, actor.id, f"letter-{wanted}", f"letter/{row.id}", number=row.number, text=text[:500])
        announce(tx, house, "letters", f"letter.{wanted}", row.number or row.id, thin(row))
        tell(tx, house, row)
        return letter_json(tx, house, row, actor)


def _seen(tx: Transaction, actor: Actor, letter_id: str, *, lock: bool = False) -> LetterRow:
    """The letter, if the actor may see it: a department its own, once issued."""
    row = ask.letter(tx, letter_id, lock=lock)
    if row is None:
        raise NotFound("letter", letter_id)
    if not _is_for(actor, row):
        raise NotFound("letter", letter_id)
    return row


def _is_for(actor: Actor, row: LetterRow) -> bool:
    if actor.role not in UNIT_ROLES:
        return True
    return row.department_id is not None and row.department_id == actor.department and row.issued_at is not None


def shows(tx: Transaction, actor: Actor, sha256: str) -> bool:
    """Whether the file is of the reply to a letter that the actor may see."""
    return may(actor.role, Right.SEE_LETTERS) and any(_is_for(actor, row) for row in ask.replied_with(tx, sha256))


def _lines(tx: Transaction, row: LetterRow, actor: Actor | None) -> tuple[list[Any], int]:
    """(lines of the case table within the actor's grids, how many are not)."""
    if actor is None or actor.grids is None:
        return list(row.lines), 0
    known = report_queries.case_numbers(tx, [line.get("编号", "") for line in row.lines])
    mine = [line for line in row.lines if line.get("编号") in known]
    return mine, len(row.lines) - len(mine)


def _decides(tx: Transaction, row: LetterRow, actor: Actor) -> bool:
    """Whether a limited person may act on a letter that he sees: one about his cases or areas, or his own.

    What the district writes to the office of his street he reads.
    """
    return actor.grids is None or bool(row.lines) or row.created_by == actor.id or scope.about(tx, row.id, actor.grids)


def tell(tx: Transaction, house: House, row: LetterRow) -> None:
    """The screens get the letter after the commit."""
    shown = letter_json(tx, house, row, None)
    seen_by = frozenset({row.department_id} if row.department_id and row.issued_at else ())
    tx.after(lambda: house.feed.publish("letter", shown, seen_by))


def thin(row: LetterRow) -> dict[str, Any]:
    """What a webhook is told."""
    return {"id": row.id, "kind": row.kind, "number": row.number, "state": row.state, "department": row.department_id}


def read(house: House, actor: Actor, letter_id: str) -> dict[str, Any]:
    """One letter. Raises NotFound."""
    with house.db.read() as tx:
        return letter_json(tx, house, _seen(tx, actor, letter_id), actor)


def page(
    house: House,
    actor: Actor,
    *,
    kind: str | None = None,
    state: str | None = None,
    after: Sequence[Any] | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], list[Any] | None, int]:
    """(newest first, key of the next page, how many in all); a department sees its own."""
    if state is not None and state not in list(LetterState):
        raise Invalid("state", state, list(LetterState))
    if kind is not None:
        _kind(kind)
    unit = (actor.department or "") if actor.role in UNIT_ROLES else None
    with house.db.read() as tx:
        rows, key, total = ask.letters(
            tx, kind=kind, state=state, department=unit, issued_only=unit is not None, after=after, limit=limit
        )
        words = LetterWords.of(tx, house)
        return [letter_json(tx, house, row, actor, words) for row in rows], key, total


def letter_json(
    tx: Transaction, house: House, row: LetterRow, actor: Actor | None, words: LetterWords | None = None
) -> dict[str, Any]:
    """The letter as the API shows it; to a limited person with the cases of his grids, `elsewhere`: how many others.

    `english`: what the English page says of the words in its table.
    """
    form, now = FORMS[LetterKind(row.kind)], house.now()
    state = LetterState(row.state)
    lines, elsewhere = _lines(tx, row, actor)
    waiting = state is LetterState.ISSUED and row.reply_required
    return {
        "id": row.id,
        "kind": row.kind,
        "kind_name": {"zh": form.zh, "en": form.en},
        "state": row.state,
        "number": row.number,
        "title": row.title,
        "department": row.department_id,
        "to": row.to_name,
        "to_en": _to_en(tx, row),
        "fields": dict(row.fields),
        "lines": lines,
        "english": (words or LetterWords.of(tx, house)).of_lines(lines) if lines else {},
        "elsewhere": elsewhere,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by_name,
        "issued_at": _time(row.issued_at),
        "signed_by": row.signed_by_name,
        "reply_required": row.reply_required,
        "reply_due_at": _time(row.reply_due_at),
        "reply_late": bool(waiting and row.reply_due_at and row.reply_due_at < now)
        or bool(row.replied_at and row.reply_due_at and row.replied_at > row.reply_due_at),
        "replied_at": _time(row.replied_at),
        "replied_by": row.replied_by_name,
        "reply": row.reply,
        "reply_evidence": [{"sha256": s, "url": f"/api/evidence/{s}"} for s in row.reply_evidence],
        "decided_note": row.decided_note,
        "actions": [] if actor is None or elsewhere or not _decides(tx, row, actor) else _actions(actor, row),
    }


def _to_en(tx: Transaction, row: LetterRow) -> str:
    """The English name of the unit it goes to; empty where it has none, or is called otherwise in the letter."""
    unit = people_queries.department(tx, row.department_id) if row.department_id else None
    return unit.name_en if unit is not None and unit.name == row.to_name else ""


def _actions(actor: Actor, row: LetterRow) -> list[dict[str, Any]]:
    own = row.department_id is not None and row.department_id == actor.department
    return [
        {"action": action.value, "name": LETTER_ACTION_NAMES[action]}
        for action in LETTER.allowed(LetterState(row.state))
        if actor.role in LETTER_ROLES[action]
        and (action is not LetterAction.REPLY or (row.reply_required and (own or actor.role not in UNIT_ROLES)))
    ]


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


# --- print-outs -------------------------------------------------------------------------------------------------------


def printed(house: House, actor: Actor, letter_id: str, form: str) -> Print:
    """The letter as `docx` or `pdf`. Raises NotFound, OutsideScope (it names cases outside), Invalid, TemplateError."""
    _format(form)
    with house.db.read() as tx:
        row = _seen(tx, actor, letter_id)
        lines, elsewhere = _lines(tx, row, actor)
        if elsewhere:
            # A paper is printed as it was issued, or not at all.
            raise OutsideScope("letter", letter_id)
        made_with = ask.template_by_id(tx, row.template_id)
        if made_with is None:
            raise NotFound("template", str(row.template_id))
        kind = LetterKind(row.kind)
        content, fields = made_with.content, dict(row.fields)
        name = f"{FORMS[kind].zh}{row.number or '（待签发）'}"
    if row.number is None:
        fields |= {
            "编号": "（待签发）",
            "日期": "",
            "签发人": "",
            "回复期限": fields.get("回复期限") or "（签发时确定）",
        }
    return set_in(form, name, kind, content, fields, {"案件": lines})


def set_in(
    form: str,
    name: str,
    kind: LetterKind,
    content: bytes,
    fields: Mapping[str, str | bytes | None],
    rows: Mapping[str, Sequence[Mapping[str, str]]],
) -> Print:
    """A template filled in, as DOCX or as PDF."""
    merged = template.merge(f"{FORMS[kind].zh}.docx", content, fields, FORMS[kind].rows, rows)
    if form == "docx":
        return Print(f"{name}.docx", DOCX_TYPE, merged)
    made, missing = pdf(template.read(name, merged))
    return Print(f"{name}.pdf", PDF_TYPE, made, missing)


def _format(form: str) -> None:
    if form not in FORMATS:
        raise Invalid("format", form, list(FORMATS))


def checked_format(form: str, kind: str) -> LetterKind:
    """The kind of a sheet. Raises Invalid."""
    _format(form)
    which = _kind(kind)
    if which not in SHEETS:
        raise Invalid("kind", kind, sorted(SHEETS))
    return which


def _line(house: House, case: CaseRow, number: int, units: Mapping[str, str], now: datetime) -> dict[str, str]:
    late = (now - case.deadline) if case.deadline is not None and case.closed_at is None else None
    return {
        "序号": str(number),
        "编号": case.number,
        "问题类别": str(case.category.get("name") or case.kind),
        "地点": case.address or case.source_name,
        "发现时间": minute(house, case.opened_at),
        "处置时限": case.limit,
        "截止时间": minute(house, case.deadline),
        "超期": span_text(late) if late is not None and late > timedelta(0) else "—",
        "责任单位": units.get(case.department_id or case.last_department_id or "", "—"),
        "状态": STATE_NAMES[CaseState(case.state)]["zh"],
    }


def minute(house: House, value: datetime | None) -> str:
    """Local date and time to the minute, or — ."""
    return "—" if value is None else f"{value.astimezone(house.settings.timezone):%Y-%m-%d %H:%M}"


def _days_hours_minutes(span: timedelta) -> tuple[int, int, int]:
    minutes = int(span.total_seconds() // 60)
    return minutes // 1440, minutes // 60 % 24, minutes % 60


def span_text(span: timedelta) -> str:
    """`2天3小时`, `3小时20分`, `5分钟`."""
    days, hours, rest = _days_hours_minutes(span)
    if days:
        return f"{days}天{hours}小时" if hours else f"{days}天"
    if hours:
        return f"{hours}小时{rest}分" if rest else f"{hours}小时"
    return f"{max(rest, 1)}分钟"


def span_en(span: timedelta) -> str:
    """`2 d 3 h`, `3 h 20 min`, `5 min`."""
    days, hours, rest = _days_hours_minutes(span)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{max(rest, 1)} min"
