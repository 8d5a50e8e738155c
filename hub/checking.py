"""`gridhub check`: everything that could be wrong before the hub starts, listed in one go."""

from __future__ import annotations

from collections.abc import Callable, Sized
from pathlib import Path
from typing import TypeVar

from detectors.catalog import Catalog
from detectors.errors import DetectorError
from detectors.kinds import Kind, check_labels, load_kinds
from detectors.sensing import load_profiles
from ingest.inventory import read_cameras, read_sensors
from ingest.sensors.decode.mapping import MappingError, load_mappings

from .config import ConfigError, Settings, default_settings, load
from .domain import category
from .domain.clock import Calendar, CalendarError

T = TypeVar("T")


def problems(config: Path | None) -> tuple[list[str], dict[str, int]]:
    """(one line a problem; how many of what could be read)."""
    try:
        settings = load(config) if config else default_settings(Path("data/hub"))
    except ConfigError as error:
        return error.problems, {}
    report = _Report()
    kinds = report.read("kinds", lambda: load_kinds(settings.kinds_dir)) or {}
    report.read("sensor profiles", lambda: load_profiles(settings.sensors_dir))
    report.read("mapping profiles", lambda: load_mappings(settings.sensors_dir / "mappings"))
    report.read("categories", lambda: category.load(settings.categories_dir).classes)
    report.read("working calendars", lambda: [Calendar.from_yaml(settings.calendar_file)])
    report.read("models", lambda: _models(settings.models_dir, kinds))
    _read_inventory(settings, report)
    return report.found, report.counts


class _Report:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.counts: dict[str, int] = {}

    def read(self, what: str, reader: Callable[[], T]) -> T | None:
        try:
            value = reader()
        except (DetectorError, category.CategoryError, CalendarError, MappingError) as error:
            self.found += str(error).splitlines()
            return None
        if isinstance(value, Sized):
            self.counts[what] = len(value)
        return value


def _models(folder: Path, kinds: dict[str, Kind]) -> list[str]:
    """Open every model (which checks its hash) and see that it knows the labels that kinds ask of it."""
    catalog = Catalog(folder)
    names = []
    for card in catalog.cards():
        model = catalog.open(card.name)
        check_labels(kinds.values(), card.name, model.labels)
        names.append(card.name)
    return names


def _read_inventory(settings: Settings, report: _Report) -> None:
    if settings.cameras_file is not None:
        cameras, errors = read_cameras(settings.cameras_file)
        report.counts["cameras"] = len(cameras)
        report.found += [str(error) for error in errors]
    if settings.sensors_file is not None:
        sensors, errors = read_sensors(settings.sensors_file)
        report.counts["sensors"] = len(sensors)
        report.found += [str(error) for error in errors]
