"""What somebody who went and looked says: 核实 before filing, 核查 after handling."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class VisitKind(StrEnum):
    """核实 looks whether a report is true, 核查 whether the work is done."""

    VERIFY = "verify"
    CHECK = "check"


RESULTS: Mapping[VisitKind, Mapping[str, dict[str, str]]] = {
    VisitKind.VERIFY: {
        "present": {"zh": "存在", "en": "It is there"},
        "absent": {"zh": "不存在", "en": "It is not there"},
        "unclear": {"zh": "无法核实", "en": "Cannot be verified"},
    },
    VisitKind.CHECK: {
        "fixed": {"zh": "已处置到位", "en": "Done"},
        "not_fixed": {"zh": "未处置到位", "en": "Not done"},
        "unclear": {"zh": "无法核查", "en": "Cannot be checked"},
    },
}

PHOTO_TYPES: Mapping[str, dict[str, str]] = {
    "near": {"zh": "近景", "en": "Near view"},
    "far": {"zh": "远景", "en": "Far view"},
    "reference": {"zh": "参照物", "en": "With a reference"},
    "before": {"zh": "处置前", "en": "Before handling"},
    "after": {"zh": "处置后", "en": "After handling"},
}
"""Types of evidence photos (domain.md §3.3)."""
