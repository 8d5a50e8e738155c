"""Sensor readings: stored once each, of known and unknown devices, summed up, shown over time, and forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from . import periods
from .batch import microseconds, time_at
from .errors import Invalid, NotFound
from .house import House
from .store import device_queries as ask
from .store import observation_queries, rollups
from .store.database import Transaction
from .store.partitions import DAY_US, HOUR_US, Grain, drop_before, kept_in, newest_us
from .store.readings import Series, Stored, newest, series_of
from .wire import time_text

SHOWN_MOST = 5000
AHEAD_MOST = timedelta(days=1)
"""A reading that claims to be from later than this is no reading."""
_AHEAD_US = AHEAD_MOST // timedelta(microseconds=1)
_RAW_SPAN = timedelta(hours=26)
_FIVE_MINUTES_SPAN = timedelta(days=15)
_ROLLED_AT_ONCE = 400
_ROWS_AT_ONCE = 10_000


def store_rows(house: House, rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """{stored, duplicates, dropped}; a row is the columns of `hub.batch`. On disk before this returns.

    What is older than readings are kept, or of the future, is dropped and counted.
    """
    with house.db.read() as tx:
        now_us, kept_us = microseconds(house.now()), kept_days(tx, house)[Grain.RAW] * DAY_US
    # Measured by the hub's clock or the worker's, whichever is kinder: a clock that jumped must cost no reading.
    within = [row for row in rows if min(now_us, row[6]) - kept_us <= row[5] < max(now_us, row[6]) + _AHEAD_US]
    stored = 0
    if within:
        with house.db.write() as tx:
            stored = house.readings.add(tx, within)
    dropped = len(rows) - len(within)
    house.tally.add("readings", by=stored)
    house.tally.add("reading_duplicates", by=len(within) - stored)
    if dropped:
        house.tally.add("dropped", "reading_out_of_time", by=dropped)
    return {"stored": stored, "duplicates": len(within) - stored} | ({"dropped": dropped} if dropped else {})


def store_readings(house: House, readings: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """As `store_rows`; a reading is the fields of `POST /api/readings`."""
    return store_rows(house, [_row(reading) for reading in readings])


def _row(reading: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        reading["device"], reading["prop"], reading.get("channel", ""), reading["unit"], reading["value"],
        microseconds(reading["observed_at"]), microseconds(reading["received_at"]), reading["key"],
        str(reading["quality"]), reading.get("seq"), reading["battery_pct"], reading["rssi_dbm"], reading.get("snr_db"),
        reading["source_format"],
    )  # fmt: skip


def of_sensor(house: House, sensor_id: str, hours: float) -> dict[str, Any]:
    """{sensor, items: [{prop, channel, value, unit, observed_at, quality}]}, oldest first. Raises NotFound."""
    until_us = microseconds(house.now() + AHEAD_MOST)
    since_us = microseconds(house.now() - timedelta(hours=hours))
    with house.db.read() as tx:
        series = {one.id: one for one in series_of(tx, _device(tx, sensor_id))}
        rows = newest(tx, series, since_us, until_us, SHOWN_MOST)
    items = [
        {
            "prop": series[row.series].prop,
            "channel": series[row.series].channel,
            "value": row.value,
            "unit": series[row.series].unit,
            "observed_at": time_text(time_at(row.at_us)),
            "quality": row.quality,
        }
        for row in rows
    ]
    return {"sensor": sensor_id, "items": items}


CSV_COLUMNS = ("sensor", "device", "prop", "channel", "value", "unit", "observed_at", "received_at", "quality")


def rows(
    house: House, sensor_id: str | None, since: datetime, until: datetime
) -> Iterator[tuple[str, str, str, str, float, str, datetime, datetime, str]]:
    """CSV_COLUMNS of every reading of a sensor, or of all, oldest first, read as they are wanted. Raises NotFound."""
    with house.db.read() as tx:
        device = None if sensor_id is None else _device(tx, sensor_id)
        series = {one.id: (one, sensor) for one, sensor in observation_queries.series(tx, device)}
    return _rows(house, series, microseconds(since), microseconds(until))


def _rows(
    house: House, series: Mapping[int, tuple[Series, str]], since_us: int, until_us: int
) -> Iterator[tuple[str, str, str, str, float, str, datetime, datetime, str]]:
    for row in _stretches(house, list(series), since_us, until_us):
        one, sensor = series[row.series]
        at, received = time_at(row.at_us), time_at(row.received_us)
        yield sensor, one.device, one.prop, one.channel, row.value, one.unit, at, received, row.quality


def _stretches(house: House, numbers: Sequence[int], since_us: int, until_us: int) -> Iterator[Stored]:
    """As `observation_queries.walk`, a stretch of time after the other, each read whole: between them no connection is
    held, however slowly they are wanted.
    """
    with house.db.read() as tx:
        days = kept_in(tx, Grain.RAW, since_us, until_us)
    width_us = HOUR_US
    for start_us, last_us in days:
        while start_us < last_us:
            end_us = min(last_us, start_us + width_us)
            with house.db.read() as tx:
                walk = observation_queries.walk(tx, numbers, start_us, end_us, newest_first=False)
                rows = list(islice(walk, None if width_us == 1 else _ROWS_AT_ONCE + 1))
            if len(rows) > _ROWS_AT_ONCE and width_us > 1:
                width_us = max(1, width_us // 4)
                continue
            yield from rows
            start_us = end_us
            if len(rows) < _ROWS_AT_ONCE // 8:
                width_us = min(DAY_US, 4 * width_us)


def chart(house: House, sensor_id: str, since: datetime, until: datetime, grain: Grain | None = None) -> dict[str, Any]:
    """{sensor, grain, since, until, series}: what a sensor measured, as fine as the span allows, for drawing.

    Each of `series` is {prop, channel, unit, at: [time], last: [number]}, and where summed up also `mean`, `lowest`,
    `highest` and `n`; lists are as long as each other, oldest first. Raises NotFound, Invalid.
    """
    if until <= since:
        raise Invalid("until", until.isoformat(), "a time after `since`")
    since_us, until_us = microseconds(since), microseconds(until)
    with house.db.read() as tx:
        series = series_of(tx, _device(tx, sensor_id))
        chosen = grain or _grain(tx, house, since, until)
        if chosen is Grain.RAW:
            rows = newest(tx, [one.id for one in series], since_us, until_us, SHOWN_MOST + 1)
            if len(rows) > SHOWN_MOST and grain is None:
                chosen = Grain.FIVE_MINUTES
        if chosen is Grain.RAW:
            drawn = {one.id: [(row.at_us, row.value) for row in rows if row.series == one.id] for one in series}
            shown = [_lines(one, drawn[one.id], ("last",)) for one in series if drawn[one.id]]
        else:
            first_us = since_us // chosen.width_us * chosen.width_us
            summed: dict[int, list[Any]] = {}
            for row in rollups.true(tx, chosen, [one.id for one in series], first_us, until_us):
                summed.setdefault(row.series, []).append(row[1:])
            names = ("n", "mean", "lowest", "highest", "last")
            shown = [_lines(one, summed[one.id], names) for one in series if one.id in summed]
    return {
        "sensor": sensor_id,
        "grain": chosen,
        "since": time_text(since),
        "until": time_text(until),
        "series": shown,
    }


TRENDS_MOST = 100
_TREND_POINTS = 48


def trends(house: House, sensor_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """{sensor: {prop, points}}: the last day of what each sensor is there for, in at most 48 points, oldest first.

    Sensors that are not known, or said nothing, are left out. Raises Invalid.
    """
    if len(sensor_ids) > TRENDS_MOST:
        raise Invalid("sensors", len(sensor_ids), f"at most {TRENDS_MOST}")
    found: dict[str, dict[str, Any]] = {}
    with house.db.read() as tx:
        now_us = microseconds(house.now())
        since_us = (now_us - DAY_US) // Grain.FIVE_MINUTES.width_us * Grain.FIVE_MINUTES.width_us
        for row in ask.sensors_of(tx, set(sensor_ids)):
            profile = house.rules.sensing.profile(row.profile)
            wanted = profile.rules[0].prop if profile and profile.rules else ""
            series = [one for one in series_of(tx, row.device) if one.prop == wanted]
            rows = list(rollups.true(tx, Grain.FIVE_MINUTES, [one.id for one in series[:1]], since_us, now_us))
            if rows:
                step = -(-len(rows) // _TREND_POINTS)
                found[row.id] = {"prop": wanted, "points": [r.last for r in rows[::-1][::step][::-1]]}
    return found


def _lines(series: Series, rows: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[str, Any]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    at = [time_text(time_at(us)) for us in columns[0]]
    lines = dict(zip(names, columns[1:], strict=True))
    return {"prop": series.prop, "channel": series.channel, "unit": series.unit, "at": at, **lines}


def _grain(tx: Transaction, house: House, since: datetime, until: datetime) -> Grain:
    """The finest that makes a chart of a few thousand points, and that is still kept so far back."""
    span, ago, kept = until - since, house.now() - since, kept_days(tx, house)
    if span <= _RAW_SPAN and ago <= timedelta(days=kept[Grain.RAW]):
        return Grain.RAW
    if span <= _FIVE_MINUTES_SPAN and ago <= timedelta(days=kept[Grain.FIVE_MINUTES]):
        return Grain.FIVE_MINUTES
    return Grain.HOUR


def _device(tx: Transaction, sensor_id: str) -> str:
    sensor = ask.sensor(tx, sensor_id)
    if sensor is None:
        raise NotFound("sensor", sensor_id)
    return sensor.device


def roll_up(house: House) -> int:
    """Sum up some of what is complete and not summed up yet; how many five minutes that were."""
    with house.db.write() as tx:
        return rollups.roll_up(tx, microseconds(house.now()), _ROLLED_AT_ONCE)


_PERIODS = {Grain.RAW: "readings", Grain.FIVE_MINUTES: "readings_5min", Grain.HOUR: "readings_1h"}


def kept_days(tx: Transaction, house: House) -> dict[Grain, int]:
    """For how many days readings and their roll-ups are kept: as hub.yaml says, or the administrator in its place."""
    days = periods.in_force(tx, house)
    return {grain: days[what] or 0 for grain, what in _PERIODS.items()}


def forget_old(house: House) -> Counter[str]:
    """Drop the partitions that are older than they are kept; how many of each grain. All must be rolled up before.

    Their age counts from now, or from the newest reading where that is older: after a jump of the clock nothing goes.
    """
    with house.db.write() as tx:
        kept = kept_days(tx, house)
        now_us = min(microseconds(house.now()), newest_us(tx))
        return Counter({grain: len(drop_before(tx, grain, now_us - days * DAY_US)) for grain, days in kept.items()})
