"""Who may do what: roles and their rights, one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Roles of people, and of the programs that work for the hub."""

    ADMIN = "admin"
    STAFF = "staff"
    DEPARTMENT = "department"
    ENGINEER = "engineer"
    WORKER = "worker"


class Right(StrEnum):
    """What a role can be allowed to do; moves of a case have their own table in `case.py`."""

    SEE_ALERTS = "see_alerts"
    DECIDE_ALERTS = "decide_alerts"
    SEE_CASES = "see_cases"
    SEE_OWN_CASES = "see_own_cases"
    SEE_DEVICES = "see_devices"
    EDIT_DEVICES = "edit_devices"
    SEE_EVIDENCE = "see_evidence"
    SEE_NUMBERS = "see_numbers"
    SEE_USERS = "see_users"
    SEE_AUDIT = "see_audit"
    WORK = "work"


_R = Right

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right) - {_R.SEE_OWN_CASES},
    Role.STAFF: frozenset(
        {_R.SEE_ALERTS, _R.DECIDE_ALERTS, _R.SEE_CASES, _R.SEE_DEVICES, _R.SEE_EVIDENCE, _R.SEE_NUMBERS}
    ),
    Role.DEPARTMENT: frozenset({_R.SEE_OWN_CASES, _R.SEE_EVIDENCE}),
    Role.ENGINEER: frozenset(
        {_R.SEE_ALERTS, _R.SEE_CASES, _R.SEE_DEVICES, _R.EDIT_DEVICES, _R.SEE_EVIDENCE, _R.SEE_NUMBERS}
    ),
    Role.WORKER: frozenset({_R.WORK, _R.SEE_EVIDENCE}),
}


def may(role: Role, right: Right) -> bool:
    """Whether `role` holds `right`."""
    return right in RIGHTS[role]
