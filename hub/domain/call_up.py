"""Why somebody calls up a camera's live picture: the register that the law asks for (domain.md §10, art. 16(2))."""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "other"

REASONS: Mapping[str, dict[str, str]] = {
    "alert": {"zh": "核实告警", "en": "Verify an alert"},
    "case": {"zh": "核查案件", "en": "Check a case"},
    "emergency": {"zh": "应急处置", "en": "Emergency"},
    "complaint": {"zh": "群众诉求核实", "en": "Verify a citizen's request"},
    "duty": {"zh": "值守巡查", "en": "Duty watch"},
    "supervision": {"zh": "督查检查", "en": "Supervision"},
    "maintenance": {"zh": "设备检修", "en": "Maintenance of the camera"},
    OTHER: {"zh": "其他（须说明）", "en": "Other (say what)"},
}
"""Code to names. `duty` is the wall's; `other` needs words."""

NOTE_MOST = 200


def needs_words(reason: str) -> bool:
    """Whether the code alone says too little."""
    return reason == OTHER
