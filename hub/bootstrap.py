"""The composition root: settings in, a hub out. Only here do the parts meet."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from detectors.kinds import load_kinds
from detectors.profiles import load_profiles
from ingest.inventory import RowError, read_cameras, read_sensors

from . import alerts, conditions, grids, letters, people, purging, quarantine, readings, supervisions, units
from .casework import climbing, timed
from .casework.ladder import SUPERVISE
from .config import ConfigError, Settings
from .domain import category, grid_geojson, routing
from .domain.clock import Calendar
from .domain.condition import read_english
from .domain.grid import GridError
from .domain.role import Role
from .domain.scoring import ScoringError, ScoringRule
from .domain.scoring import read_rules as read_scoring
from .evidence import EvidenceStore, replace_file
from .feed import Feed
from .house import House, Tally
from .learning import drift, shelf
from .live.views import Views
from .notices import Notices
from .office import read_office
from .outbox import Outbox, Post, Send
from .registry import Registry
from .rulebook import RuleBook
from .sensor_notices import SensorNotices
from .store import Database, ReadingStore, case_queries, delivery_queries, people_queries
from .timers import Fire, Timers

log = logging.getLogger("hub")

FIRES: Mapping[str, Fire] = {**timed.FIRES, **climbing.FIRES, SUPERVISE: supervisions.fire_timer}
"""What each kind of timer does."""

PAGE_FOLDER = Path(__file__).parent / "web" / "dist"
_HOUSEKEEPING_S = 600.0
_ROLL_UP_S = 15.0
_SENT_KEPT = timedelta(days=30)
_ORDERS_KEPT = timedelta(days=90)
"""A phone that was in a drawer for longer sends its answers anew at its own risk."""


@dataclass(slots=True)
class Hub:
    """A hub. `start` before serving `app`; `first_password` is set when `start` made the first administrator."""

    house: House
    registry: Registry
    accounts: list[dict[str, Any]]
    notices: Notices
    sensor_notices: SensorNotices
    timers: Timers
    views: Views
    first_password: str | None = None
    _app: Any = None
    _outbox: Outbox | None = None
    _send: Send | None = None
    _wake: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _keeper: threading.Thread | None = None
    _roller: threading.Thread | None = None

    @property
    def app(self) -> Any:
        """What answers HTTP, made when first asked for: commands need none, and it takes more than a second."""
        if self._app is None:
            from .api import create_app

            self._app = create_app(self.house, PAGE_FOLDER, self.accounts, self.views)
        return self._app

    @property
    def settings(self) -> Settings:
        """As given."""
        return self.house.settings

    @property
    def worker_token_file(self) -> Path:
        """Where the bearer token of this machine's workers lies (mode 0600)."""
        return self.settings.data_dir / "worker.token"

    def migrate(self) -> None:
        """Bring the database up to date, with the departments and conditions of the files. Raises StoreError."""
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.house.db.migrate()
        self._departments()
        conditions.seed(self.house)
        with self.house.db.write() as tx:
            letters.keep_shipped(tx, self.settings, self.house.now())

    def prepare(self) -> None:
        """Migrate, make the first administrator and the worker token, read the inventory files. May be repeated."""
        self.migrate()
        self._first_administrator()
        self._worker_token()
        self._inventory()

    def start(self) -> None:
        """Prepare, then send webhooks and tidy up in the background."""
        self.prepare()
        self._outbox = Outbox(self.house, self._send or Post(self._allowed_hosts()), self._wake)
        self._outbox.start()
        self.notices.start()
        self.sensor_notices.start()
        self.timers.start()
        self._keeper = threading.Thread(target=self._keep_house, name="housekeeping", daemon=True)
        self._keeper.start()
        self._roller = threading.Thread(target=self._sum_up, name="roll-ups", daemon=True)
        self._roller.start()

    def stop(self) -> None:
        """End the event streams, live views and threads, close the database."""
        self.house.feed.close()
        self.views.end()
        self._ended.set()
        if self._outbox is not None:
            self._outbox.end()
            self._outbox.join(timeout=5)
        self.notices.end()
        self.sensor_notices.end()
        self.timers.end()
        for thread in (self._keeper, self._roller, self.notices, self.sensor_notices, self.timers):
            if thread is not None and thread.is_alive():
                thread.join(timeout=5)
        self.house.db.close()

    def _departments(self) -> None:
        if self.settings.departments_file.is_file():
            found = units.read(self.settings.departments_file)
            with self.house.db.read() as tx:
                known = {d.id: d for d in people_queries.departments(tx)}
            new = [unit for unit in found if not _is_stored(unit, known.get(unit.id))]
            if new:
                self.registry.import_departments(new)

    def _allowed_hosts(self) -> tuple[str, ...]:
        """Private networks webhooks may reach; the demo's own department answers on this machine."""
        return self.settings.webhook_allow + (("127.0.0.0/8", "::1/128") if self.settings.demo else ())

    def _inventory(self) -> None:
        """The files that the settings name; rows that cannot be used are logged, the others go in."""
        settings, errors = self.settings, list[RowError]()
        if settings.grids_file is not None:
            self._grids(settings.grids_file)
        if settings.persons_file is not None:
            done = grids.import_persons(self.house, settings.persons_file.read_bytes())
            for problem in done["problems"]:
                log.error("%s: %s", settings.persons_file, problem["text"])
        if settings.cameras_file is not None:
            cameras, errors = read_cameras(settings.cameras_file)
            self.registry.import_cameras(cameras)
        if settings.sensors_file is not None:
            sensors, more = read_sensors(settings.sensors_file)
            self.registry.import_sensors(sensors)
            errors += more
        for error in errors:
            log.error("%s", error)

    def _grids(self, path: Path) -> None:
        try:
            self.registry.import_grids(grid_geojson.parsed(path.read_bytes()))
        except GridError as error:
            raise ConfigError([f"{path}: {problem}" for problem in error.problems]) from None

    def _first_administrator(self) -> None:
        with self.house.db.read() as tx:
            if people_queries.user_count(tx):
                return
        self.first_password = self.registry.add_user("admin", Role.ADMIN, shown_name="管理员")

    def _worker_token(self) -> None:
        path = self.worker_token_file
        token = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        with self.house.db.read() as tx:
            if token and people_queries.token(tx, people.token_hash(token)) is not None:
                return
        token = secrets.token_urlsafe(32)
        with self.house.db.write() as tx:
            people.keep_token(tx, "local-workers", Role.WORKER, token, self.house.now())
        replace_file(path, token.encode(), flush=True, mode=0o600)

    def _keep_house(self) -> None:
        while not self._ended.wait(_HOUSEKEEPING_S):
            try:
                self.tidy()
            except Exception:  # the thread must outlive a database that is away for a while
                log.exception("housekeeping: will try again")

    def _sum_up(self) -> None:
        while not self._ended.wait(_ROLL_UP_S):
            try:
                self.sum_up()
            except Exception:
                log.exception("roll-ups: will try again")

    def sum_up(self) -> None:
        """Roll up the readings of every five minutes that are complete."""
        while readings.roll_up(self.house) and not self._ended.is_set():
            pass

    def tidy(self) -> None:
        """Expire old alerts; let go of evidence, readings, sessions and sent deliveries whose time is over."""
        alerts.expire(self.house)
        self.sum_up()
        readings.forget_old(self.house)
        self.notices.forget()
        self.sensor_notices.forget()
        drift.watch(self.house)
        quarantine.forget(self.house)
        purging.purge(self.house)
        purging.sweep(self.house)
        shelf.forget(self.house)
        with self.house.db.write() as tx:
            people_queries.forget_sessions(tx, self.house.now())
            case_queries.forget_orders(tx, self.house.now() - _ORDERS_KEPT)
            delivery_queries.forget_sent(tx, self.house.now() - _SENT_KEPT)


def _is_stored(unit: units.Unit, row: Any) -> bool:
    return row is not None and all(getattr(row, name) == value for name, value in unit.columns().items())


def utc_now() -> datetime:
    """The hub's clock."""
    return datetime.now(UTC)


def read_rules(settings: Settings) -> RuleBook:
    """Kinds, profiles, codes, calendar, routing. Raises KindsError, Category-, Calendar-, Routing- and RuleError."""
    profiles = {key: profile.to_wire() for key, profile in load_profiles(settings.sensors_dir).items()}
    categories = category.load(settings.categories_dir)
    seed = settings.categories_dir / category.CONDITIONS_FILE
    return RuleBook.of(
        load_kinds(settings.kinds_dir),
        profiles,
        Calendar.from_yaml(settings.calendar_file),
        categories,
        routing.load(settings.routing_file, categories),
        read_english(seed) if seed.is_file() else {},
    )


def _scoring(settings: Settings) -> tuple[ScoringRule, ...]:
    try:
        return read_scoring(settings.scoring_dir)
    except ScoringError as error:
        raise ConfigError(error.problems) from None


def build_hub(
    settings: Settings,
    *,
    rules: RuleBook | None = None,
    now: Callable[[], datetime] = utc_now,
    send: Send | None = None,
) -> Hub:
    """Everything wired, nothing started. Tests replace the rules, the clock and the sending of webhooks."""
    wake = threading.Event()
    house = House(
        settings=settings,
        db=Database(settings.database),
        readings=ReadingStore(),
        rules=rules or read_rules(settings),
        office=read_office(settings.office_file),
        scoring=_scoring(settings),
        evidence=EvidenceStore(settings.data_dir / "evidence"),
        feed=Feed(int(now().timestamp() * 1000)),
        now=now,
        tally=Tally(),
        wake_outbox=wake.set,
    )
    return Hub(
        house,
        Registry(house),
        [],
        Notices(house),
        SensorNotices(house),
        Timers(house, FIRES, timed.show),
        Views(house),
        _send=send,
        _wake=wake,
    )


__all__ = ["Hub", "build_hub", "read_rules"]
