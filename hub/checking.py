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

from . import units
from .config import ConfigError, Settings, default_settings, load
from .domain import category, grid_geojson, routing
from .domain.clock import Calendar, CalendarError
from .domain.condition import read_english, read_seed
from .domain.grid import Grid, GridError
from .domain.grid_survey import survey
from .domain.letter import FORMS, LetterKind
from .domain.routing import RoutingError
from .domain.scoring import ScoringError
from .domain.scoring import read_rules as read_scoring
from .office import read_office
from .papers import template
from .papers.template import TemplateError
from .units import UnitsError

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
    _read_rules(settings, report)
    report.read("working calendars", lambda: [Calendar.from_yaml(settings.calendar_file)])
    _read_office(settings, report)
    report.read("models", lambda: _models(settings.models_dir, kinds))
    _read_inventory(settings, report)
    return report.found, report.counts


def off(config: Path | None) -> dict[str, str]:
    """Kinds that are not looked for, and why; nothing where the kinds cannot be read."""
    try:
        kinds = load_kinds((load(config) if config else default_settings(Path("data/hub"))).kinds_dir)
    except (ConfigError, DetectorError):
        return {}
    return {kind.id: kind.off_because.get("en", "") for kind in kinds.values() if not kind.enabled}


_REFUSED = (
    *(DetectorError, category.CategoryError, CalendarError, MappingError, UnitsError, RoutingError, GridError),
    *(ConfigError, ScoringError, TemplateError),
)


class _Report:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.counts: dict[str, int] = {}

    def read(self, what: str, reader: Callable[[], T]) -> T | None:
        try:
            value = reader()
        except _REFUSED as error:
            self.found += str(error).splitlines()
            return None
        if isinstance(value, Sized):
            self.counts[what] = len(value)
        return value


def _read_office(settings: Settings, report: _Report) -> None:
    """Supervision, scoring rules and the templates of letters."""
    report.read("supervision levels", lambda: read_office(settings.office_file).ladder)
    report.read("scoring rules", lambda: read_scoring(settings.scoring_dir))
    report.read("letter templates", lambda: _templates(settings.letters_dir))


def _templates(folder: Path) -> list[LetterKind]:
    problems = list[str]()
    for kind, form in FORMS.items():
        path = folder / f"{kind}.docx"
        if not path.is_file():
            problems.append(f"{path}: is missing: every kind of letter needs its template")
            continue
        problems += template.check(str(path), path.read_bytes(), form.fields, form.rows)
    if problems:
        raise TemplateError(problems)
    return list(FORMS)


def _read_rules(settings: Settings, report: _Report) -> None:
    """Codes, conditions, units and routing, each checked against those before."""
    classes = report.read("categories", lambda: category.load(settings.categories_dir))
    found = report.read("handling units", lambda: units.read(settings.departments_file))
    grids = report.read("grids", lambda: _grids(settings))
    if classes is None:
        return
    report.counts["categories"] = len(classes.classes)
    seed = settings.categories_dir / category.CONDITIONS_FILE
    if seed.is_file() and report.read("conditions", lambda: read_seed(seed, classes)) is not None:
        report.read("words of conditions in English", lambda: read_english(seed))
    ids = None if found is None else {unit.id for unit in found}
    table = report.read("routing", lambda: routing.load(settings.routing_file, classes, ids))
    if table is not None:
        report.counts["routed classes"] = len(table.duties) + len(table.owners)
        if grids:
            known = {grid.id for grid in grids}
            for rule in table.areas:
                if rule.area not in known:
                    report.found.append(f"{settings.routing_file}: areas: {rule.area!r} is not the code of a grid")


def _grids(settings: Settings) -> list[Grid]:
    """The grids of the file, surveyed. Raises GridError."""
    if settings.grids_file is None:
        return []
    try:
        tree = grid_geojson.read(grid_geojson.parsed(settings.grids_file.read_bytes()))
        problems = survey(tree)
    except OSError as error:
        raise GridError([f"{settings.grids_file}: cannot be read: {error.strerror}"]) from None
    except GridError as error:
        problems = error.problems
    if problems:
        raise GridError([f"{settings.grids_file}: {problem}" for problem in problems])
    return list(tree.grids.values())


def _models(folder: Path, kinds: dict[str, Kind]) -> list[str]:
    """Open every model (which checks its hash) and see that it knows the labels that kinds ask of it."""
    catalog = Catalog(folder)
    names = []
    for card in catalog.cards():
        opened = catalog.open_classifier if card.task == "classify" else catalog.open
        check_labels(kinds.values(), card.name, opened(card.name).labels)
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
