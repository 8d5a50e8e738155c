"""What a person decided about an alert, and why: ground truth for precision, thresholds and retraining."""

from __future__ import annotations

from enum import StrEnum


class Decision(StrEnum):
    """The three answers of a reviewer."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNSURE = "unsure"


REJECT_REASONS: dict[str, dict[str, str]] = {
    "false_detection": {"zh": "误检", "en": "False detection"},
    "wrong_class": {"zh": "类别错误", "en": "Wrong class"},
    "already_handled": {"zh": "已在处理", "en": "Already being handled"},
    "permitted": {"zh": "允许行为/审批内", "en": "Permitted or approved"},
    "unclear": {"zh": "画面不清", "en": "Picture unclear"},
    "duplicate": {"zh": "重复", "en": "Duplicate"},
    "permitted_time": {"zh": "时段允许", "en": "Permitted at this time"},
}
"""Reasons for a rejection (domain.md §11), by id."""
