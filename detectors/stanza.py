"""Reading a YAML mapping key by key, collecting every problem instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Any

import yaml

from detectors.errors import KindsError

REQUIRED: Any = object()
"""Default of a key that has to be there."""


class Stanza:
    """One mapping of one file; each reader notes what is wrong as "file: key: value; allowed: ..." and goes on.

    `strange`: where given, keys that nobody knows are noted there, and are no problem.
    """

    def __init__(
        self,
        where: str,
        mapping: Mapping[Any, Any],
        problems: list[str],
        path: str = "",
        strange: list[str] | None = None,
    ) -> None:
        self.where = where
        self.problems = problems
        self._strange = problems if strange is None else strange
        self._mapping = mapping
        self._path = path
        self._read: set[str] = set()

    def wrong(self, key: str, value: object, allowed: str) -> None:
        """Note that `value` at `key` cannot be used."""
        self.problems.append(f"{self.where}: {self._path}{key}: {value!r}; allowed: {allowed}")

    def has(self, key: str) -> bool:
        """Whether the key is there with a value."""
        return self._mapping.get(key) is not None

    def raw(self, key: str, default: Any = REQUIRED) -> Any:
        """The value as written."""
        self._read.add(key)
        value = self._mapping.get(key)
        if value is not None:
            return value
        if default is REQUIRED:
            self.problems.append(f"{self.where}: {self._path}{key}: missing")
            return None
        return default

    def text(self, key: str, default: Any = REQUIRED) -> str:
        """A non-empty text (or the default)."""
        value = self.raw(key, default)
        if isinstance(value, str) and (value or value == default):
            return value
        if value is not None:
            self.wrong(key, value, "a text")
        return ""

    def number(self, key: str, low: float, high: float, default: Any = REQUIRED) -> Any:
        """A number from `low` to `high` (or the default, which may be None)."""
        value = self.raw(key, default)
        if value is None or value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.wrong(key, value, f"a number from {low:g} to {high:g}")
            return low
        return value

    def whole(self, key: str, low: int, high: int, default: Any = REQUIRED) -> Any:
        """A whole number from `low` to `high` (or the default)."""
        value = self.raw(key, default)
        if value is None or value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(key, value, f"a whole number from {low} to {high}")
            return low
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self.raw(key, default)
        if not isinstance(value, bool):
            self.wrong(key, value, "true, false")
            return default
        return value

    def choice(self, key: str, allowed: Sequence[str], default: Any = REQUIRED) -> str:
        """One of `allowed`."""
        value = self.raw(key, default)
        if value in allowed:
            return str(value)
        if value is not None:
            self.wrong(key, value, ", ".join(allowed))
        return allowed[0]

    def texts(self, key: str, default: Any = REQUIRED) -> tuple[str, ...]:
        """A list of texts."""
        value = self.raw(key, default)
        if isinstance(value, list | tuple) and all(isinstance(v, str) and v for v in value):
            return tuple(value)
        if value is not None:
            self.wrong(key, value, "a list of texts")
        return ()

    def mappings(self, key: str, default: Any = REQUIRED) -> list[Stanza]:
        """A list of mappings, each as a Stanza."""
        value = self.raw(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, dict) for v in value):
            if value is not None:
                self.wrong(key, value, "a list of mappings")
            return []
        return [self.part(v, f"{key}[{i}].") for i, v in enumerate(value)]

    def mapping(self, key: str, default: Any = REQUIRED) -> Stanza | None:
        """A mapping as a Stanza, None where it is not there."""
        value = self.raw(key, default)
        if isinstance(value, dict):
            return self.part(value, f"{key}.")
        if value is not None:
            self.wrong(key, value, "a mapping")
        return None

    def part(self, mapping: Mapping[Any, Any], key: str) -> Stanza:
        """A mapping that stands in this one at `key`, which ends with a full stop."""
        return Stanza(self.where, mapping, self.problems, f"{self._path}{key}", self._strange)

    def clock(self, key: str) -> time:
        """A time of day "HH:MM"; "24:00" is midnight at the end of the day."""
        value = self.raw(key)
        if value == "24:00":
            return time(0, 0)
        try:
            return time.fromisoformat(value)
        except (TypeError, ValueError):
            if value is not None:
                self.wrong(key, value, 'a time "HH:MM" in quotes')
            return time(0, 0)

    def keys(self) -> list[str]:
        """The keys as written."""
        return [str(key) for key in self._mapping]

    def done(self, also: Sequence[str] = ()) -> None:
        """Note every key that nobody asked for."""
        known = self._read | set(also)
        for key in self._mapping:
            if key not in known:
                self._strange.append(
                    f"{self.where}: {self._path}{key}: unknown key; allowed: {', '.join(sorted(known))}"
                )


def read_mapping(path: Path, problems: list[str]) -> dict[str, Any] | None:
    """The YAML mapping in `path`, or None and a line in `problems`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}")
    except yaml.YAMLError as error:
        problems.append(f"{path}: is not YAML: {' '.join(str(error).split())}")
    else:
        if isinstance(content, dict):
            return content
        problems.append(f"{path}: {type(content).__name__}; allowed: a mapping of keys")
    return None


def stanza_files(folder: Path) -> list[Path]:
    """The *.yaml files of `folder`, by name. Raises KindsError where the folder is not there."""
    if not folder.is_dir():
        raise KindsError([f"{folder}: no such folder"])
    return sorted(folder.glob("*.yaml"))
