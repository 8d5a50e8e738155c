"""Who may do what: roles and their rights, one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Roles of people, and of the programs that work for the hub (domain.md §4.1, §9.3).

    `staff` is a centre where one person does everything (受理, 派遣, 值班); `department` likewise a unit all of whose
    people may do what its lead and its handlers may.
    """

    ADMIN = "admin"
    STAFF = "staff"
    SHIFT_LEADER = "shift_leader"
    ACCEPTOR = "acceptor"
    DISPATCHER = "dispatcher"
    DEPARTMENT = "department"
    DEPARTMENT_LEAD = "department_lead"
    HANDLER = "handler"
    COLLECTOR = "collector"
    EVALUATOR = "evaluator"
    LEADER = "leader"
    AUDITOR = "auditor"
    ENGINEER = "engineer"
    WORKER = "worker"
    READER = "reader"
    CLIENT = "client"


UNIT_ROLES = frozenset({Role.DEPARTMENT, Role.DEPARTMENT_LEAD, Role.HANDLER})
"""Roles of a department's people: they see the cases of their own unit only."""
SCOPED_ROLES = frozenset({Role.STAFF, Role.SHIFT_LEADER, Role.ACCEPTOR, Role.DISPATCHER, Role.LEADER})
"""Roles of the centre that may be limited to some grids of the district."""
PROGRAM_ROLES = frozenset({Role.WORKER, Role.READER, Role.CLIENT})

ROLE_NAMES: Mapping[Role, dict[str, str]] = {
    Role.ADMIN: {"zh": "管理员", "en": "Administrator"},
    Role.STAFF: {"zh": "中心人员", "en": "Centre staff"},
    Role.SHIFT_LEADER: {"zh": "值班长", "en": "Shift leader"},
    Role.ACCEPTOR: {"zh": "受理员", "en": "Acceptor"},
    Role.DISPATCHER: {"zh": "派遣员", "en": "Dispatcher"},
    Role.DEPARTMENT: {"zh": "处置部门", "en": "Department"},
    Role.DEPARTMENT_LEAD: {"zh": "部门负责人", "en": "Department lead"},
    Role.HANDLER: {"zh": "处置人员", "en": "Handler"},
    Role.COLLECTOR: {"zh": "网格员/监督员", "en": "Grid member"},
    Role.EVALUATOR: {"zh": "考核员", "en": "Evaluator"},
    Role.LEADER: {"zh": "领导", "en": "Leader"},
    Role.AUDITOR: {"zh": "审计员", "en": "Auditor"},
    Role.ENGINEER: {"zh": "工程师", "en": "Engineer"},
    Role.WORKER: {"zh": "工作进程", "en": "Worker"},
    Role.READER: {"zh": "数据读取程序", "en": "Data reader"},
    Role.CLIENT: {"zh": "接口程序", "en": "API client"},
}


class Right(StrEnum):
    """What a role can be allowed to do; moves of a case have their own table in `case.py`."""

    SEE_ALERTS = "see_alerts"
    DECIDE_ALERTS = "decide_alerts"
    SEE_CASES = "see_cases"
    SEE_OWN_CASES = "see_own_cases"
    SEE_DEVICES = "see_devices"
    EDIT_DEVICES = "edit_devices"
    SEE_EVIDENCE = "see_evidence"
    SEE_LIVE = "see_live"
    SEE_NUMBERS = "see_numbers"
    SEE_USERS = "see_users"
    SEE_AUDIT = "see_audit"
    SEE_RULES = "see_rules"
    EDIT_RULES = "edit_rules"
    SEE_PHONES = "see_phones"
    SEE_LETTERS = "see_letters"
    SUPERVISE = "supervise"
    EDIT_TEMPLATES = "edit_templates"
    SEE_WHISTLES = "see_whistles"
    BLOW_WHISTLES = "blow_whistles"
    SEE_REPORTS = "see_reports"
    EVALUATE = "evaluate"
    HOLD_EVIDENCE = "hold_evidence"
    WORK = "work"


_R = Right

_CENTRE = frozenset(
    {_R.SEE_ALERTS, _R.SEE_CASES, _R.SEE_DEVICES, _R.SEE_EVIDENCE, _R.SEE_LIVE, _R.SEE_NUMBERS, _R.SEE_RULES}
)
_UNIT = frozenset({_R.SEE_OWN_CASES, _R.SEE_EVIDENCE})
_READS = frozenset({_R.SEE_LETTERS, _R.SEE_WHISTLES})
_LEADS = _READS | {_R.SUPERVISE, _R.BLOW_WHISTLES, _R.EDIT_TEMPLATES, _R.SEE_REPORTS}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right) - {_R.SEE_OWN_CASES},
    Role.STAFF: _CENTRE | _LEADS | {_R.DECIDE_ALERTS, _R.SEE_PHONES, _R.EVALUATE, _R.HOLD_EVIDENCE},
    Role.SHIFT_LEADER: _CENTRE | _LEADS | {_R.DECIDE_ALERTS, _R.SEE_PHONES, _R.HOLD_EVIDENCE},
    Role.ACCEPTOR: _CENTRE | _READS | {_R.DECIDE_ALERTS, _R.SEE_PHONES, _R.SEE_REPORTS},
    Role.DISPATCHER: _CENTRE | _READS | {_R.SEE_PHONES, _R.SUPERVISE, _R.SEE_REPORTS},
    Role.DEPARTMENT: _UNIT | _READS | {_R.BLOW_WHISTLES},
    Role.DEPARTMENT_LEAD: _UNIT | _READS | {_R.BLOW_WHISTLES},
    Role.HANDLER: _UNIT | _READS,
    Role.COLLECTOR: _UNIT,
    Role.EVALUATOR: _READS | {_R.SEE_CASES, _R.SEE_EVIDENCE, _R.SEE_NUMBERS, _R.SEE_REPORTS, _R.EVALUATE},
    Role.LEADER: _READS
    | {_R.SEE_CASES, _R.SEE_EVIDENCE, _R.SEE_NUMBERS, _R.SEE_REPORTS, _R.SUPERVISE, _R.HOLD_EVIDENCE},
    # Logs, and nothing that could be changed or looked at besides.
    Role.AUDITOR: frozenset({_R.SEE_AUDIT}),
    Role.ENGINEER: _CENTRE | {_R.EDIT_DEVICES, _R.EDIT_RULES},
    # A program of another house that reads sensors and their readings.
    Role.READER: frozenset({_R.SEE_DEVICES}),
    Role.WORKER: frozenset({_R.WORK, _R.SEE_EVIDENCE}),
    Role.CLIENT: frozenset({_R.SEE_OWN_CASES}),
}


def may(role: Role, right: Right) -> bool:
    """Whether `role` holds `right`."""
    return right in RIGHTS[role]
