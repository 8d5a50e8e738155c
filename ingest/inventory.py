"""Rows of cameras and sensors from YAML, CSV or XLSX; every error at once, each naming file, row, key and value."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml

from .cameras import SOURCES, open_source
from .cameras.libav import PREFIX
from .cameras.preset import split_goto
from .device import ASSET, ASSET_FORM, DEVICE_ID, DEVICE_ID_FORM, Camera, Place, Sensor, Watch
from .errors import InventoryError, WrongWatch, shown_url, without_credentials

_Device = TypeVar("_Device", Camera, Sensor)

_PLACE = ("lon", "lat", "address", "grid")
CAMERA_KEYS = ("id", "name", "url", "watch", "every_s", "priority", "preset", "platform", "goto", "settle_s", *_PLACE)
SENSOR_KEYS = (
    "id", "name", "device", "profile", "every_s", *_PLACE, "settings", "gateway", "asset", "installed_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one value: `row` counts from 1, as spreadsheets do (a heading is row 1); key "": the row."""

    file: str
    row: int
    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.file}: row {self.row}" + (f": {self.key}" if self.key else "")
        return without_credentials(f"{where}: {self.value!r} is not allowed; allowed: {self.allowed}")


def read_cameras(path: Path) -> tuple[list[Camera], list[RowError]]:
    """Cameras of a YAML (`cameras:` or a list), CSV or XLSX file (first line: the keys); good rows and all errors.

    Raises InventoryError where the file itself cannot be read.
    """
    rows, errors = cameras_by_row(path)
    return list(rows.values()), errors


def read_sensors(path: Path) -> tuple[list[Sensor], list[RowError]]:
    """Sensors of a YAML (`sensors:` or a list), CSV or XLSX file; as `read_cameras`.

    `settings`: a mapping, or in a table `crown_cm=180; other=3`.
    """
    rows, errors = sensors_by_row(path)
    return list(rows.values()), errors


def cameras_by_row(path: Path) -> tuple[dict[int, Camera], list[RowError]]:
    """As `read_cameras`, each by the number of its row."""
    return _read(path, "cameras", CAMERA_KEYS, _camera)


def sensors_by_row(path: Path) -> tuple[dict[int, Sensor], list[RowError]]:
    """As `read_sensors`, each by the number of its row."""
    return _read(path, "sensors", SENSOR_KEYS, _sensor)


class _Row:
    """One row being read; collects what is wrong with it."""

    def __init__(self, file: str, number: int, values: Mapping[str, Any], errors: list[RowError]) -> None:
        self._file, self._number, self._values, self._errors = file, number, values, errors

    def wrong(self, key: str, value: object, allowed: str) -> None:
        self._errors.append(RowError(self._file, self._number, key, str(value), allowed))

    def unknown_keys(self, allowed: tuple[str, ...]) -> None:
        for key in self._values:
            if key not in allowed:
                self.wrong("", key, f"the keys {', '.join(allowed)}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._values.get(key)
        if value is None or value == "":
            if default is None:
                self.wrong(key, "" if value is None else value, "a text; it must be given")
            return default or ""
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            self.wrong(key, value, "a text")
            return default or ""
        return str(value).strip()

    def device_id(self) -> str:
        device_id = self.text("id")
        if device_id and not DEVICE_ID.fullmatch(device_id):
            self.wrong("id", device_id, DEVICE_ID_FORM)
        return device_id

    def number(self, key: str, least: float, most: float, default: float | None) -> float | None:
        value = self._values.get(key)
        if value is None or value == "":
            return default
        try:
            number = float(value) if not isinstance(value, bool) else float("nan")
        except (TypeError, ValueError):
            number = float("nan")
        if not least <= number <= most:
            self.wrong(key, value, f"a number from {least:g} to {most:g}")
            return default
        return number

    def goto(self) -> str:
        goto = self.text("goto", "")
        try:
            _ = goto and split_goto(goto)
        except ValueError as error:
            self.wrong("goto", shown_url(goto), str(error))
            return ""
        return goto

    def settings(self) -> tuple[tuple[str, float], ...]:
        """A mapping of YAML, or `name=number; name=number` of a table; by name."""
        given = self._values.get("settings")
        if given is None or given == "":
            return ()
        pairs: dict[Any, Any] = given if isinstance(given, dict) else {}
        if not isinstance(given, dict):
            pairs = dict(part.partition("=")[::2] for part in str(given).split(";") if part.strip())
        found = []
        for name, value in pairs.items():
            try:
                found.append((str(name).strip(), float(value)))
            except (TypeError, ValueError):
                self.wrong("settings", f"{name}={value}", "name=number; name=number")
        return tuple(sorted(found))

    def asset(self) -> str:
        code = self.text("asset", "")
        if code and not ASSET.fullmatch(code):
            self.wrong("asset", code, ASSET_FORM)
            return ""
        return code

    def day(self, key: str) -> str:
        value = self._values.get(key)
        text = value.isoformat() if isinstance(value, date) else self.text(key, "")
        try:
            return date.fromisoformat(text).isoformat() if text else ""
        except ValueError:
            self.wrong(key, text, "a date, YYYY-MM-DD")
            return ""

    def place(self) -> Place | None:
        lon, lat = self.number("lon", -180, 180, None), self.number("lat", -90, 90, None)
        given = [key for key in ("lon", "lat") if self._values.get(key) not in (None, "")]
        if len(given) == 1:
            self.wrong("lat" if given == ["lon"] else "lon", "", "both of lon and lat, or neither")
        if lon is None or lat is None:
            return None
        return Place(lon, lat, self.text("address", ""), self.text("grid", ""))


def _camera(row: _Row) -> Camera:
    row.unknown_keys(CAMERA_KEYS)
    watch = row.text("watch", Watch.STAY.value)
    if watch not in {w.value for w in Watch}:
        row.wrong("watch", watch, ", ".join(Watch))
        watch = Watch.STAY.value
    camera_id, url = row.device_id(), row.text("url")
    camera = Camera(
        id=camera_id,
        name=row.text("name", "") or camera_id,
        url=url,
        watch=Watch(watch),
        every_s=row.number("every_s", 0.2, 86400, 10.0) or 10.0,
        priority=int(row.number("priority", -8, 8, 0) or 0),
        preset=row.text("preset", "") or None,
        place=row.place(),
        platform=row.text("platform", ""),
        goto=row.goto(),
        settle_s=_given(row.number("settle_s", 0, 60, None), 4.0),
    )
    if url and (fault := url_fault(camera)):
        row.wrong(*fault)
    return camera


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


def url_fault(camera: Camera) -> tuple[str, str, str] | None:
    """Why no reader can read its URL: (url or watch, its value as it may be shown, what is allowed).

    Connects to nothing.
    """
    scheme, colon, _rest = camera.url.partition("://")
    scheme = scheme.lower()
    if not colon or (scheme not in SOURCES and not scheme.startswith(PREFIX)):
        return "url", _odd(camera), f"SCHEME://… with one of the schemes {', '.join(SOURCES)}, {PREFIX}…"
    try:
        parts = urlsplit(camera.url.removeprefix(PREFIX))
        _ = parts.port  # raises ValueError where it is no number
        if scheme != "file" and not scheme.startswith(PREFIX) and not parts.hostname:
            return "url", _odd(camera), f"{scheme}://HOST[:PORT]/PATH"
        open_source(camera).close()
    except WrongWatch as error:
        return "watch", camera.watch.value, error.allowed
    except InventoryError as error:
        return "url", camera.safe_url, str(error)
    except ValueError:
        # Python's own words would show a part of the password.
        allowed = f"{scheme}://[USER:PASSWORD@]HOST[:PORT]/PATH with / @ : in a password written %2F %40 %3A"
        return "url", camera.safe_url, allowed
    return None


def _odd(camera: Camera) -> str:
    """As it may be shown: without a scheme, or a host, nothing says where a password would stand."""
    return "(hidden)" if "@" in camera.safe_url else camera.safe_url


def _sensor(row: _Row) -> Sensor:
    row.unknown_keys(SENSOR_KEYS)
    sensor_id = row.device_id()
    return Sensor(
        id=sensor_id,
        name=row.text("name", "") or sensor_id,
        device=row.text("device"),
        profile=row.text("profile"),
        every_s=row.number("every_s", 1, 30 * 86400, 600.0) or 600.0,
        place=row.place(),
        settings=row.settings(),
        gateway=row.text("gateway", ""),
        asset=row.asset(),
        installed_on=row.day("installed_on"),
    )


def _read(
    path: Path, what: str, keys: tuple[str, ...], make: Callable[[_Row], _Device]
) -> tuple[dict[int, _Device], list[RowError]]:
    errors: list[RowError] = []
    rows: dict[int, _Device] = {}
    first: dict[str, int] = {}
    for number, values in _rows(path, what, keys):
        found: list[RowError] = []
        if not isinstance(values, dict):
            errors.append(RowError(str(path), number, "", str(values), f"an object with the keys {', '.join(keys)}"))
            continue
        row = _Row(str(path), number, values, found)
        made = make(row)
        if made.id and made.id in first:
            row.wrong("id", made.id, f"an id of its own (row {first[made.id]} has it)")
        first.setdefault(made.id, number)
        if not found:
            rows[number] = made
        errors += found
    return rows, errors


def _rows(path: Path, what: str, keys: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InventoryError(f"{path}: {error.strerror}") from None
    if path.suffix.lower() == ".csv":
        yield from _lines(csv.reader(io.StringIO(_decoded(path, data), newline="")))
        return
    if path.suffix.lower() == ".xlsx":
        from .sheet import rows as sheet_rows  # spreadsheets are rare, and their library is slow to load

        yield from sheet_rows(path)
        return
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise InventoryError(f"{path}: {path.suffix!r} is not a known kind of file; allowed: .yaml, .yml, .csv, .xlsx")
    try:
        content = yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise InventoryError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    listed = content.get(what) if isinstance(content, dict) else content
    if isinstance(content, dict) and (unknown := set(content) - {what}):
        raise InventoryError(f"{path}: unknown key {sorted(map(str, unknown))[0]!r}; allowed: {what}")
    if not isinstance(listed, list):
        raise InventoryError(f"{path}: wanted a list of {what}, each with the keys {', '.join(keys)}")
    yield from enumerate(listed, 1)


def _lines(lines: Iterator[list[str]]) -> Iterator[tuple[int, dict[str | None, Any]]]:
    """The lines below the heading by their number in a spreadsheet, where the heading is row 1; empty ones left out."""
    heading = next(lines, [])
    for number, cells in enumerate(lines, 2):
        values: dict[str | None, Any] = dict(zip(heading, cells, strict=False))
        if cells[len(heading) :]:
            values[None] = cells[len(heading) :]
        if any(cells):
            yield number, values


def _decoded(path: Path, data: bytes) -> str:
    """UTF-8, or GB 18030, which is what spreadsheets on Chinese Windows write."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InventoryError(f"{path}: neither UTF-8 nor GB 18030 text")
