"""Where a report comes from: the seven inbound channels of the district (七大平台, domain.md §0), and programs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Channel(StrEnum):
    """A way in."""

    UNATTENDED = "unattended"
    WECHAT_GROUP = "wechat_group"
    CITY_PLATFORM = "city_platform"
    OFFICIAL_ACCOUNT = "official_account"
    GRID_APP = "grid_app"
    SNAPSHOT = "snapshot"
    HOTLINE = "hotline"
    OPEN311 = "open311"
    PATROL = "patrol"


_C = Channel

CHANNEL_NAMES: Mapping[Channel, dict[str, str]] = {
    _C.WECHAT_GROUP: {"zh": "六级网格微信群", "en": "Grid WeChat groups"},
    _C.CITY_PLATFORM: {"zh": "城管委信息平台", "en": "City-management platform"},
    _C.OFFICIAL_ACCOUNT: {"zh": "西峰城市管理公众号", "en": "WeChat official account"},
    _C.UNATTENDED: {"zh": "无人值守平台", "en": "Unattended platform (this hub)"},
    _C.GRID_APP: {"zh": "网格员“治理通”APP", "en": "Grid members' app"},
    _C.SNAPSHOT: {"zh": "“i西峰”随手拍", "en": "Citizens' snapshots"},
    _C.HOTLINE: {"zh": "12345政务热线", "en": "12345 hotline"},
    _C.OPEN311: {"zh": "Open311 接口", "en": "Open311"},
    _C.PATROL: {"zh": "监督员巡查", "en": "Collectors on patrol"},
}

PUBLIC_CHANNELS = frozenset({_C.WECHAT_GROUP, _C.OFFICIAL_ACCOUNT, _C.SNAPSHOT, _C.HOTLINE, _C.OPEN311})
"""Reports of the public, for 监督举报率 (domain.md §5.2)."""
