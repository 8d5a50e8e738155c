"""The part of JSONPath (RFC 9535) that finds values in a sensor's message: pure, and no longer than its message.

`$` the message, `@` the record at hand; `.name`, `['name']`, `[0]`, `[-1]`, `[?@.name == 'x']`; `[*]` or `.*` for
records. A text that holds JSON is stepped into: platforms like to wrap a device's message in one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

MOST_STEPS = 32
MOST_FOUND = 1000
_MOST_OPENED = 200
"""Lists and objects in a text that is stepped into: it can then not be nested too deep either."""

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]*?'"\s@$]+) | \[(?P<index>-?\d{1,6})\] | \[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]
      | (?P<all>\.\*|\[\*\])
      | \[\?\s?\(?@\.(?P<field>[\w-]+)\s?==\s?
        (?:(?P<mark>['"])(?P<text>.*?)(?P=mark)|(?P<number>-?\d+(?:\.\d+)?))\)?\]""",
    re.VERBOSE,
)
_Step = Callable[[object], Iterator[object]]


class JsonPath:
    """Read once, used for every message. `one`: it finds one value at most."""

    def __init__(self, text: str) -> None:
        """Raises ValueError with what is allowed."""
        if not isinstance(text, str) or text[:1] not in ("$", "@"):
            raise ValueError("a path that begins with $ (the message) or @ (the record)")
        self.text, self.one = text, True
        self._of_record = text[0] == "@"
        self._steps: list[_Step] = []
        at = 1
        while at < len(text):
            found = _STEP.match(text, at)
            if found is None or len(self._steps) >= MOST_STEPS:
                raise ValueError(
                    f"steps .name, ['name'], [0], [*] or [?@.name == 'x'], where it says {text[at:][:40]!r}"
                )
            self._steps.append(_step(found))
            self.one = self.one and not found["all"]
            at = found.end()

    def all(self, message: object, record: object) -> Iterator[object]:
        """Every value found, at most MOST_FOUND."""
        found: list[object] = [record if self._of_record else message]
        for step in self._steps:
            found = [inner for outer in found for inner in step(_opened(outer))][:MOST_FOUND]
        return iter(found)

    def first(self, message: object, record: object) -> object:
        """The first value found; None where there is none."""
        return next(self.all(message, record), None)


def _opened(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("{", "[") and value.count("[") + value.count("{") <= _MOST_OPENED:
        try:
            opened: object = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return opened
    return value


def _step(found: re.Match[str]) -> _Step:
    if found["all"]:
        return _everything
    if found["index"] is not None:
        return _at(int(found["index"]))
    if found["field"] is not None:
        return _where(found["field"], found["text"] if found["mark"] else float(found["number"]))
    return _named(found["name"] if found["name"] is not None else found["quoted"])


def _everything(value: object) -> Iterator[object]:
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _at(index: int) -> _Step:
    def step(value: object) -> Iterator[object]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _named(name: str) -> _Step:
    def step(value: object) -> Iterator[object]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _where(field: str, wanted: str | float) -> _Step:
    def step(value: object) -> Iterator[object]:
        for inner in _everything(value):
            if isinstance(inner, dict) and inner.get(field) == wanted and not isinstance(inner.get(field), bool):
                yield inner

    return step
