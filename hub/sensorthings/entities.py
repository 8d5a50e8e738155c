"""The eight entity sets, their properties and how they hang together; each made from what the store holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from ..batch import microseconds, time_at
from ..house import House
from ..readings import kept_days
from ..store import Transaction, device_queries
from ..store import observation_queries as ask
from ..store.partitions import Grain
from ..store.readings import Series, Stored
from ..store.rows import SensorRow
from ..wire import Names

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
GEOJSON = "application/geo+json"
_UCUM = {
    "%": "%", "degC": "Cel", "deg": "deg", "mm": "mm", "cm": "cm", "m": "m", "V": "V", "mV": "mV", "A": "A", "mA": "mA",
    "W": "W", "kW": "kW", "kWh": "kW.h", "Wh": "W.h", "hPa": "hPa", "Pa": "Pa", "kPa": "kPa", "ug/m3": "ug/m3",
    "mg/m3": "mg/m3", "ppm": "[ppm]", "ppb": "[ppb]", "dB": "dB", "dBm": "dB[mW]", "lx": "lx", "Hz": "Hz", "m/s": "m/s",
    "s": "s", "min": "min", "h": "h", "L": "L", "m3": "m3", "kg": "kg", "%LEL": "%",
}  # fmt: skip
"""Our units -> the Unified Code for Units of Measure."""
NAVIGATION: Mapping[str, Mapping[str, str]] = {
    "Things": {"Locations": "Locations", "HistoricalLocations": "HistoricalLocations", "Datastreams": "Datastreams"},
    "Locations": {"Things": "Things", "HistoricalLocations": "HistoricalLocations"},
    "HistoricalLocations": {"Thing": "Things", "Locations": "Locations"},
    "Datastreams": {
        "Thing": "Things", "Sensor": "Sensors", "ObservedProperty": "ObservedProperties",
        "Observations": "Observations",
    },
    "Sensors": {"Datastreams": "Datastreams"},
    "ObservedProperties": {"Datastreams": "Datastreams"},
    "Observations": {"Datastream": "Datastreams", "FeatureOfInterest": "FeaturesOfInterest"},
    "FeaturesOfInterest": {"Observations": "Observations"},
}  # fmt: skip
"""Entity set -> name of a relation -> the set it leads to. A relation in the singular leads to one entity."""
SETS = tuple(NAVIGATION)


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: `times` are the properties that are instants, as such. `refs`: what relations need to know of it.

    `late`: makes the properties that cost questions of their own; asked only where they are told or compared.
    """

    set: str
    id: str | int
    properties: Mapping[str, Any]
    times: Mapping[str, datetime] = field(default_factory=dict)
    refs: Mapping[str, Any] = field(default_factory=dict)
    late: Callable[[], Mapping[str, Any]] = dict

    def whole(self) -> dict[str, Any]:
        """All properties."""
        return {**self.properties, **self.late()}


@dataclass(frozen=True, slots=True)
class Within:
    """Which observations: of which series (None: all), and in which time."""

    since: datetime
    until: datetime
    newest_first: bool = False


def single(relation: str) -> bool:
    """Whether a relation leads to one entity."""
    return relation not in SETS


class World:
    """What one request sees; read as it is needed."""

    def __init__(self, tx: Transaction, house: House) -> None:
        self._tx, self._house = tx, house
        self.now = house.now()
        kept = timedelta(days=kept_days(tx, house)[Grain.RAW] + 1)
        self.always = Within(self.now - kept, self.now + timedelta(days=2))

    @cached_property
    def _names(self) -> Names:
        return Names.of(self._tx)

    @cached_property
    def _sensors(self) -> dict[str, SensorRow]:
        return {row.id: row for row in device_queries.sensors(self._tx)}

    @cached_property
    def _series(self) -> dict[int, tuple[Series, str]]:
        return {series.id: (series, sensor) for series, sensor in ask.series(self._tx)}

    # --- sets ---------------------------------------------------------------------------------------------------------

    def all(self, name: str) -> Sequence[Entity]:
        """Every entity of a set, by id. Observations are asked for with `observations`."""
        makers: dict[str, Callable[[], list[Entity]]] = {
            "Things": lambda: [self._thing(row) for row in self._sensors.values()],
            "Locations": lambda: [self._location(row) for row in self._placed()],
            "HistoricalLocations": lambda: [self._history(row) for row in self._placed()],
            "FeaturesOfInterest": lambda: [self._feature(row) for row in self._sensors.values()],
            "Datastreams": self._datastreams,
            "Sensors": lambda: [self._procedure(key) for key in sorted(self._house.rules.profiles)],
            "ObservedProperties": lambda: [self._observed(prop, u) for prop, (u, _) in ask.props(self._tx).items()],
        }
        return makers[name]()

    def _datastreams(self) -> list[Entity]:
        _at_once = self._sensors
        return [self._datastream(*found) for found in self._series.values()]

    def _placed(self) -> list[SensorRow]:
        return [row for row in self._sensors.values() if row.lon is not None]

    def one(self, name: str, id_: str | int) -> Entity | None:
        """The entity, if there is one."""
        if name == "Observations":
            return self._observation_of(str(id_))
        if name == "Datastreams":
            found = ask.series(self._tx, number=id_) if isinstance(id_, int) else []
            return self._datastream(*found[0]) if found else None
        if name in ("Things", "Locations", "HistoricalLocations", "FeaturesOfInterest"):
            row = device_queries.sensor(self._tx, str(id_))
            if row is None or (row.lon is None and name in ("Locations", "HistoricalLocations")):
                return None
            makers = {"Things": self._thing, "Locations": self._location, "HistoricalLocations": self._history}
            return makers.get(name, self._feature)(row)
        return next((entity for entity in self.all(name) if entity.id == id_), None)

    def related(self, entity: Entity, relation: str) -> list[Entity]:
        """What a relation of an entity leads to; not for Observations."""
        target, sensor, refs = NAVIGATION[entity.set][relation], entity.refs.get("sensor"), entity.refs
        if target == "Datastreams":
            return list(self._datastreams_of(entity))
        if target == "Sensors":
            return [e for e in (self.one("Sensors", refs["profile"]),) if e is not None]
        if target == "ObservedProperties":
            return [self._observed(refs["prop"], refs["unit"])]
        found = self.one(target, sensor) if sensor is not None else None
        return [] if found is None else [found]

    def _datastreams_of(self, entity: Entity) -> Iterator[Entity]:
        if "series" in entity.refs:
            found = self._series.get(entity.refs["series"]) or next(
                iter(ask.series(self._tx, number=entity.refs["series"])), None
            )
            if found is not None:
                yield self._datastream(*found)
            return
        if entity.set == "Things":
            for found in ask.series(self._tx, device=entity.refs["device"]):
                yield self._datastream(*found)
            return
        for series, sensor in self._series.values():
            same = series.prop == entity.id if entity.set == "ObservedProperties" else (
                self._sensors[sensor].profile == entity.id
            )  # fmt: skip
            if same:
                yield self._datastream(series, sensor)

    # --- observations -------------------------------------------------------------------------------------------------

    def series_of(self, entity: Entity | None) -> list[int]:
        """The series whose observations an entity leads to; all of them for None."""
        if entity is None:
            return list(self._series)
        if entity.set == "Datastreams":
            return [int(entity.id)]
        return [series.id for series, _ in ask.series(self._tx, device=entity.refs["device"])]

    def observations(self, numbers: Sequence[int], within: Within) -> Iterator[Entity]:
        """One after the other, read as they are wanted."""
        since, until = microseconds(within.since), microseconds(within.until)
        for row in ask.walk(self._tx, numbers, since, until, newest_first=within.newest_first):
            yield self._observation(row)

    def count(self, numbers: Sequence[int], within: Within) -> int:
        """How many there are."""
        return ask.count(self._tx, numbers, microseconds(within.since), microseconds(within.until))

    def _observation_of(self, id_: str) -> Entity | None:
        number, _, at = id_.partition("-")
        if not (number.isdecimal() and at.isdecimal() and len(number) < 16 and len(at) < 18):
            return None
        if not ask.series(self._tx, number=int(number)):
            return None
        row = next(ask.walk(self._tx, [int(number)], int(at), int(at) + 1, newest_first=False), None)
        return None if row is None else self._observation(row)

    def _observation(self, row: Stored) -> Entity:
        at, received = time_at(row.at_us), time_at(row.received_us)
        extra = {"rssi_dbm": row.rssi_dbm, "snr_db": row.snr_db, "battery_pct": row.battery_pct, "seq": row.seq}
        properties = {
            "phenomenonTime": _instant(at),
            "resultTime": _instant(received),
            "result": row.value,
            "resultQuality": row.quality,
            "parameters": {name: value for name, value in extra.items() if value is not None},
        }
        times = {"phenomenonTime": at, "resultTime": received}
        found = self._series.get(row.series)
        refs = {"series": row.series, "sensor": found[1] if found else None}
        return Entity("Observations", f"{row.series}-{row.at_us}", properties, times, refs)

    # --- entities -----------------------------------------------------------------------------------------------------

    def _thing(self, row: SensorRow) -> Entity:
        grid = self._names.grid(row.grid_id)
        about = {
            "device": row.device, "profile": row.profile, "asset": row.asset, "address": row.address,
            "grid": grid["id"] if grid else None, "gateway": row.gateway, "heard_by": row.heard_by,
            "installed_on": row.installed_on, "state": row.state, "level": row.level,
        }  # fmt: skip
        properties = {
            "name": row.name,
            "description": row.address or row.name,
            "properties": {name: value for name, value in about.items() if value not in (None, "", [])},
        }
        return Entity("Things", row.id, properties, refs={"sensor": row.id, "device": row.device})

    def _location(self, row: SensorRow) -> Entity:
        properties = {
            "name": row.address or row.name,
            "description": row.address or row.name,
            "encodingType": GEOJSON,
            "location": _point(row),
        }
        return Entity("Locations", row.id, properties, refs={"sensor": row.id})

    def _history(self, row: SensorRow) -> Entity:
        """Where it stands, since it was installed; where it stood before is not kept."""
        since = datetime.fromisoformat(row.installed_on or "2000-01-01").replace(tzinfo=UTC)
        return Entity("HistoricalLocations", row.id, {"time": _instant(since)}, {"time": since}, {"sensor": row.id})

    def _feature(self, row: SensorRow) -> Entity:
        feature = _point(row) if row.lon is not None else None
        properties = {
            "name": row.name,
            "description": row.address or row.name,
            "encodingType": GEOJSON,
            "feature": feature,
        }
        return Entity("FeaturesOfInterest", row.id, properties, refs={"sensor": row.id, "device": row.device})

    def _datastream(self, series: Series, sensor: str) -> Entity:
        row = self._sensors.get(sensor) if "_sensors" in self.__dict__ else device_queries.sensor(self._tx, sensor)
        assert row is not None
        channel = f" {series.channel}" if series.channel else ""
        name = f"{row.name} {series.prop}{channel}"
        properties = {
            "name": name,
            "description": name,
            "observationType": MEASUREMENT,
            "unitOfMeasurement": {
                "name": series.unit or "state",
                "symbol": series.unit or "",
                "definition": f"http://unitsofmeasure.org/ucum.html#{_UCUM.get(series.unit, '{state}')}",
            },
            "properties": {"prop": series.prop, "channel": series.channel, "device": series.device},
        }
        if row.lon is not None:
            properties["observedArea"] = _point(row)
        refs = {
            "sensor": sensor, "device": series.device, "profile": row.profile, "prop": series.prop, "unit": series.unit,
        }  # fmt: skip
        return Entity("Datastreams", series.id, properties, refs=refs, late=partial(self._span, series.id))

    def _span(self, number: int) -> dict[str, str]:
        span = ask.span(self._tx, number, microseconds(self.always.since), microseconds(self.always.until))
        return {} if span is None else {"phenomenonTime": "/".join(_instant(time_at(us)) for us in span)}

    def _procedure(self, key: str) -> Entity:
        name = self._house.rules.profiles[key]["name"]
        properties = {
            "name": name["en"],
            "description": name["zh"],
            "encodingType": "text/html",
            "metadata": "/api/profiles",
            "properties": {"profile": key},
        }
        return Entity("Sensors", key, properties, refs={"profile": key})

    def _observed(self, prop: str, unit: str) -> Entity:
        properties = {
            "name": prop,
            "definition": f"urn:gridhub:property:{prop}",
            "description": f"{prop}{f' in {unit}' if unit else ' (1: yes, 0: no)'}",
        }
        return Entity("ObservedProperties", prop, properties, refs={"prop": prop})


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _point(row: SensorRow) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [round(row.lon or 0.0, 7), round(row.lat or 0.0, 7)]}
