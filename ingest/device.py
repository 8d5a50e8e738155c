"""Cameras, sensors and the places they stand at: what an inventory row becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from .errors import shown_url

DEVICE_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.:-]{1,64}")
"""Ids of cameras and sensors stand in the paths of addresses: nothing that divides or shortens these."""
DEVICE_ID_FORM = "1 to 64 of the letters A-Z and a-z, digits, _ . : and -"
ASSET = re.compile(r"[1-9]\d{5}0[1-5]\d{3}\d{6}")
"""管理部件标识码 of GB/T 47678.5: 6 digits of the district, 2 of the major, 3 of the minor class, 6 of the sequence."""
ASSET_FORM = "17 digits: 6 district, 2 major class (01 to 05), 3 minor class, 6 sequence (管理部件标识码)"


class Watch(StrEnum):
    """How a camera is looked at."""

    STAY = "stay"
    PATROL = "patrol"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stands: WGS-84 degrees, and the words people use for it."""

    lon: float
    lat: float
    address: str = ""
    grid: str = ""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as the worker sees it. `url` may hold credentials and is therefore kept out of the repr.

    `preroll_s`: how much of a standing stream is kept coded, so that a clip begins before its finding (0: nothing).
    `platform`: cameras of one platform (an NVR, a cloud) share its sessions. `goto`: what turns the camera to its
    preset, a URL to GET, or "PUT " and a URL; its picture is right `settle_s` later. Cameras of one URL that have it
    take turns. `view`: changes when a person says that what it shows now is right.
    """

    id: str
    name: str
    url: str = field(repr=False)
    watch: Watch = Watch.STAY
    every_s: float = 10.0
    priority: int = 0
    preset: str | None = None
    place: Place | None = None
    preroll_s: float = 10.0
    platform: str = ""
    goto: str = field(default="", repr=False)
    settle_s: float = 4.0
    view: str = ""

    @property
    def host(self) -> str:
        """Host (and port) that the per-host limits count; the scheme for sources without one."""
        try:
            parts = urlsplit(self.url)
            return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or parts.scheme
        except ValueError:
            # A port that is no number: such a camera fails when it is opened, not where hosts are counted.
            return "?"

    @property
    def safe_url(self) -> str:
        """The URL as it may be shown and logged."""
        return shown_url(self.url)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor: `device` is the id in its payloads, `profile` names its rules, `every_s` is its usual interval.

    `settings`: what the profile leaves to each sensor, as (name, number), by name. `gateway`: the id of the gateway it
    speaks through. `asset`: the 17 digits of the component it sits on (管理部件标识码). `installed_on`: ISO date.
    """

    id: str
    name: str
    device: str
    profile: str
    every_s: float = 600.0
    place: Place | None = None
    settings: tuple[tuple[str, float], ...] = ()
    gateway: str = ""
    asset: str = ""
    installed_on: str = ""
