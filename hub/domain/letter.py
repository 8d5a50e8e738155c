"""Letters of supervision: their kinds, numbers, fields and their short life from draft to answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .machine import Machine
from .role import Role


class LetterKind(StrEnum):
    """What is printed: letters with numbers, and two sheets that belong to one case."""

    URGE = "urge"
    ORDER = "order"
    OFFICIAL = "official"
    CONTACT = "contact"
    PROBLEMS = "problems"
    MINUTES = "minutes"
    CASE_SHEET = "case_sheet"
    CHECK_SHEET = "check_sheet"


SHEETS = frozenset({LetterKind.CASE_SHEET, LetterKind.CHECK_SHEET})
"""Printed at any time, kept nowhere, without a number."""

_CASES = ("序号", "编号", "问题类别", "地点", "发现时间", "处置时限", "截止时间", "超期", "责任单位", "状态")
_HEAD = ("发文机关", "标题", "编号", "主送", "日期", "联系人", "联系电话")
_ASKING = (*_HEAD, "抄送", "事由", "要求", "回复期限", "签发人", "附件")
_CASE = (
    "发文机关",
    "编号",
    "问题类别",
    "类别代码",
    "立案条件",
    "结案条件",
    "来源",
    "地点",
    "网格",
    "单元网格",
    "主管部门",
    "发现时间",
    "立案时间",
    "派遣时间",
    "责任单位",
    "处置时限",
    "截止时间",
    "状态",
    "紧急程度",
    "督办等级",
    "问题描述",
    "处置反馈",
    "反馈时间",
    "核查结果",
    "核查时间",
    "返工次数",
    "是否超时",
    "结案时间",
    "打印时间",
    "图.处置前",
    "图.处置后",
)


@dataclass(frozen=True, slots=True)
class LetterForm:
    """How a kind is called, which fields and which repeated rows its template may use, who must sign it.

    `counter` names the yearly sequence; `prefix` is the 机关代字 of its number, `{n}` in `pattern` its sequence.
    """

    zh: str
    en: str
    fields: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    prefix: str = ""
    pattern: str = "{prefix}〔{year}〕{n}号"
    signed: bool = False


FORMS: Mapping[LetterKind, LetterForm] = {
    LetterKind.URGE: LetterForm("催办单", "Urging note", _ASKING, {"案件": _CASES}, "西网催"),
    LetterKind.ORDER: LetterForm("督办单", "Supervision order", _ASKING, {"案件": _CASES}, "西网督办"),
    LetterKind.OFFICIAL: LetterForm(
        "工作督办函", "Letter of supervision", _ASKING, {"案件": _CASES}, "西网督", signed=True
    ),
    LetterKind.CONTACT: LetterForm("联系函", "Letter of contact", _ASKING, {"案件": _CASES}, "西网联", signed=True),
    LetterKind.PROBLEMS: LetterForm(
        "问题清单", "List of problems", (*_HEAD, "要求", "合计"), {"案件": _CASES}, "", "{year}年第{n}批"
    ),
    LetterKind.MINUTES: LetterForm(
        "会议纪要",
        "Minutes",
        (*_HEAD, "抄送", "时间", "会议地点", "主持人", "参加人员", "内容", "签发人"),
        {"案件": _CASES},
        "西网纪",
        signed=True,
    ),
    LetterKind.CASE_SHEET: LetterForm("案件处置单", "Case sheet", _CASE, {"经过": ("时间", "办理人", "环节", "说明")}),
    LetterKind.CHECK_SHEET: LetterForm("核查单", "Check sheet", _CASE, {"经过": ("时间", "办理人", "环节", "说明")}),
}


def number_text(form: LetterForm, year: int, sequence: int, prefix: str = "") -> str:
    """`西网督〔2026〕12号`; `prefix` overrides the form's 机关代字."""
    return form.pattern.format(prefix=prefix or form.prefix, year=year, n=sequence)


class LetterState(StrEnum):
    """Where a letter stands."""

    DRAFT = "draft"
    ISSUED = "issued"
    ANSWERED = "answered"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class LetterAction(StrEnum):
    """What can be done with a letter."""

    SIGN = "sign"
    REPLY = "reply"
    REFUSE_REPLY = "refuse_reply"
    ACCEPT_REPLY = "accept_reply"
    WITHDRAW = "withdraw"


_S, _A = LetterState, LetterAction

LETTER: Machine[LetterState, LetterAction] = Machine(
    "letter",
    {
        (_S.DRAFT, _A.SIGN): _S.ISSUED,
        (_S.DRAFT, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.ISSUED, _A.REPLY): _S.ANSWERED,
        (_S.ISSUED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.ANSWERED, _A.REFUSE_REPLY): _S.ISSUED,
        (_S.ANSWERED, _A.ACCEPT_REPLY): _S.DONE,
    },
)

_CENTRE = frozenset({Role.ADMIN, Role.STAFF, Role.SHIFT_LEADER, Role.DISPATCHER})
_SIGNS = frozenset({Role.ADMIN, Role.STAFF, Role.SHIFT_LEADER, Role.LEADER})

LETTER_ROLES: Mapping[LetterAction, frozenset[Role]] = {
    _A.SIGN: _SIGNS,
    _A.REPLY: frozenset({Role.ADMIN, Role.DEPARTMENT, Role.DEPARTMENT_LEAD}),
    _A.REFUSE_REPLY: _CENTRE,
    _A.ACCEPT_REPLY: _CENTRE,
    _A.WITHDRAW: _SIGNS,
}
"""Who may do what; `staff` is a centre where one person does everything."""

LETTER_STATE_NAMES: Mapping[LetterState, dict[str, str]] = {
    _S.DRAFT: {"zh": "待签发", "en": "To be signed"},
    _S.ISSUED: {"zh": "已发出", "en": "Issued"},
    _S.ANSWERED: {"zh": "已回复", "en": "Answered"},
    _S.DONE: {"zh": "已销号", "en": "Settled"},
    _S.WITHDRAWN: {"zh": "已撤回", "en": "Withdrawn"},
}
LETTER_ACTION_NAMES: Mapping[LetterAction, dict[str, str]] = {
    _A.SIGN: {"zh": "签发", "en": "Sign"},
    _A.REPLY: {"zh": "回复", "en": "Reply"},
    _A.REFUSE_REPLY: {"zh": "退回重报", "en": "Refuse the reply"},
    _A.ACCEPT_REPLY: {"zh": "销号", "en": "Accept the reply"},
    _A.WITHDRAW: {"zh": "撤回", "en": "Withdraw"},
}
