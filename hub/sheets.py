"""案件处置单 and 核查单: one case on one page, printed whenever somebody goes out with it."""

from __future__ import annotations

from collections.abc import Sequence

from .case_wire import move_name
from .casework.seeing import sees
from .domain.case import STATE_NAMES, CaseState
from .domain.channel import CHANNEL_NAMES, Channel
from .domain.letter import FORMS
from .domain.stage_clock import Stage
from .domain.supervision import LEVEL_NAMES, Level
from .errors import NotFound
from .house import Actor, House
from .jpeg import fit_to_print
from .letters import Print, checked_format, minute, set_in
from .store import Transaction, case_queries, category_queries
from .store import supervision_queries as ask
from .store.case_rows import CaseRow, ClockRow, MoveRow
from .wire import Names

_HISTORY_MOST = 40
_NOTHING = "—"


def printed(house: House, actor: Actor, case_id: str, kind: str, form: str) -> Print:
    """The sheet of a case as `docx` or `pdf`. Raises NotFound, Invalid, TemplateError."""
    which = checked_format(form, kind)
    with house.db.read() as tx:
        case = case_queries.case(tx, case_id)
        if case is None or not sees(tx, actor, case):
            raise NotFound("case", case_id)
        made_with = ask.template(tx, which)
        if made_with is None:
            raise NotFound("template", which)
        moves = case_queries.moves(tx, case.id)
        fields: dict[str, str | bytes | None] = {
            **_what(tx, house, case),
            **_progress(house, case, moves, case_queries.clocks(tx, case.id)),
            **_pictures(tx, house, case, moves),
        }
        lines = [_line(house, move) for move in moves[-_HISTORY_MOST:]]
        content, number = made_with.content, case.number
    wanted = {name: fields.get(name, _NOTHING) for name in FORMS[which].fields}
    return set_in(form, f"{FORMS[which].zh}{number}", which, content, wanted, {"经过": lines})


def _what(tx: Transaction, house: House, case: CaseRow) -> dict[str, str]:
    names = Names.of(tx)
    grid = names.grid(case.grid_id)
    unit = names.department(case.department_id or case.last_department_id)
    authority = names.department(case.authority_id)
    return {
        "发文机关": house.office.issuer,
        "编号": case.number,
        "问题类别": str(case.category.get("name") or case.kind),
        "类别代码": f"{case.category.get('standard', '')} {case.category_code}".strip(),
        "立案条件": _filing(tx, case),
        "结案条件": case.closing or _NOTHING,
        "来源": CHANNEL_NAMES[Channel(case.channel)]["zh"],
        "地点": case.address or case.source_name or _NOTHING,
        "网格": grid["name"] if grid else _NOTHING,
        "单元网格": case.grid_code or _NOTHING,
        "主管部门": authority["name"] if authority else _NOTHING,
        "责任单位": unit["name"] if unit else _NOTHING,
        "处置时限": case.limit or _NOTHING,
        "紧急程度": "紧急" if case.urgent else "一般",
        "督办等级": LEVEL_NAMES[Level(case.supervised)]["zh"] if case.supervised else "无",
        "状态": STATE_NAMES[CaseState(case.state)]["zh"],
        "返工次数": str(case.rework_count),
        "是否超时": "曾超时（申诉通过，不计超时）" if case.timeout_exempt else ("是" if case.timed_out else "否"),
    }


def _filing(tx: Transaction, case: CaseRow) -> str:
    """The words of the condition; its id where the table has lost it since."""
    row = category_queries.condition(tx, case.condition_id) if case.condition_id else None
    return row.filing if row else case.condition_id or _NOTHING


def _progress(house: House, case: CaseRow, moves: Sequence[MoveRow], clocks: Sequence[ClockRow]) -> dict[str, str]:
    last = {move.action: move for move in moves}
    dispatched = next((m for m in moves if m.action == "dispatch"), None)
    answer, checked = last.get("feedback"), last.get("checked") or last.get("rework") or last.get("close")
    handle = next((c for c in reversed(clocks) if c.stage == Stage.HANDLE and c.part_id is None), None)
    first = next((m.note for m in moves if m.note), "")
    return {
        "发现时间": minute(house, case.opened_at),
        "立案时间": minute(house, case.filed_at),
        "派遣时间": minute(house, dispatched.at if dispatched else None),
        "截止时间": minute(house, handle.deadline if handle else None),
        "问题描述": case.description or first or str(case.category.get("name") or case.kind),
        "处置反馈": answer.note if answer else _NOTHING,
        "反馈时间": minute(house, answer.at if answer else None),
        "核查结果": _result(checked),
        "核查时间": minute(house, checked.at if checked else None),
        "结案时间": minute(house, case.closed_at),
        "打印时间": minute(house, house.now()),
    }


def _result(move: MoveRow | None) -> str:
    if move is None:
        return _NOTHING
    return f"{move_name(move.action)['zh']}{'：' + move.note if move.note else ''}"


def _pictures(tx: Transaction, house: House, case: CaseRow, moves: Sequence[MoveRow]) -> dict[str, str | bytes | None]:
    """处置前: what was found, or the first photo; 处置后: the newest photo of the answer, or of the second look."""
    attached = case_queries.attachments(tx, [case.id]).get(case.id, [])
    images = [(link, file) for link, file in attached if file.media_type.startswith("image/")]
    found = [link.sha256 for link, _file in images if link.role == "frame" or link.photo_type == "before"]
    before = found[0] if found else next((link.sha256 for link, _file in images), None)
    answered = [sha for move in moves if move.action == "feedback" for sha in move.evidence]
    recheck = case_queries.newest_rechecks(tx, [case.id]).get(case.id)
    looks = [look.sha256 for look in recheck.looks if look.sha256] if recheck else []
    after = answered[-1] if answered else (looks[-1] if looks else None)
    return {"图.处置前": _picture(house, before), "图.处置后": _picture(house, after if after != before else None)}


def _picture(house: House, sha256: str | None) -> bytes | None:
    if sha256 is None or not house.evidence.has(sha256):
        return None
    return fit_to_print(house.evidence.read(sha256))


def _line(house: House, move: MoveRow) -> dict[str, str]:
    return {
        "时间": minute(house, move.at),
        "办理人": move.by_name,
        "环节": move_name(move.action)["zh"],
        "说明": move.note,
    }
