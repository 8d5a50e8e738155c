"""The demo district as its files in `configs/demo` describe it: name, people, devices, grid."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from .sensors import SimulatedSensor


@dataclass(frozen=True, slots=True)
class Account:
    """A person of the demo; the password is shown on the sign-in page."""

    user: str
    password: str
    role: str
    name: str
    department: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As `GET /api/hub` shows it."""
        shown = {"user": self.user, "password": self.password, "role": self.role, "name": self.name}
        return shown | ({"department": self.department} if self.department else {})


@dataclass(frozen=True, slots=True)
class District:
    """What `district.yaml` says, and where the other files are."""

    folder: Path
    name: str
    district_code: str
    timezone: ZoneInfo
    accounts: tuple[Account, ...]
    payloads: dict[str, str]

    @classmethod
    def load(cls, folder: Path) -> District:
        """Read `folder`/district.yaml."""
        raw = yaml.safe_load((folder / "district.yaml").read_text(encoding="utf-8"))
        return cls(
            folder,
            raw["name"],
            raw["district_code"],
            ZoneInfo(raw["timezone"]),
            tuple(Account(**account) for account in raw["accounts"]),
            raw["payloads"],
        )

    def grids(self) -> dict[str, Any]:
        """The grid as a GeoJSON FeatureCollection."""
        found: dict[str, Any] = json.loads((self.folder / "grids.geojson").read_text(encoding="utf-8"))
        return found

    def write_cameras(self, to: Path, street: str) -> Path:
        """Write the camera inventory with the simulator's address (HOST:PORT) filled in; returns `to`."""
        text = (self.folder / "cameras.yaml").read_text(encoding="utf-8")
        to.write_text(text.replace("{street}", street), encoding="utf-8")
        return to

    def simulated_sensors(self) -> list[SimulatedSensor]:
        """The inventory's sensors as the simulator plays them."""
        rows = yaml.safe_load((self.folder / "sensors.yaml").read_text(encoding="utf-8"))["sensors"]
        return [
            SimulatedSensor(
                row["id"], row["device"], row["profile"], self.payloads[row["profile"]], float(row["every_s"]), index
            )
            for index, row in enumerate(rows)
        ]
