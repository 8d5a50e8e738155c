"""The system query options of SensorThings ($filter, $orderby, $expand …), read from a URL: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .filtering import BadFilter, Filter

TOP_USUAL, TOP_MOST = 100, 1000
EXPAND_DEPTH = 4
OPTIONS = ("$top", "$skip", "$count", "$orderby", "$select", "$expand", "$filter", "$resultFormat")


class BadQuery(ValueError):
    """A URL that cannot be answered: says which option, its value, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a collection. `orderby`: (path, descending); `select` empty: everything."""

    top: int = TOP_USUAL
    skip: int = 0
    count: bool = False
    orderby: tuple[tuple[tuple[str, ...], bool], ...] = ()
    select: tuple[str, ...] = ()
    expand: Mapping[str, Query] = field(default_factory=dict)
    filter: Filter | None = None


def read_query(options: Mapping[str, str], depth: int = 0) -> Query:
    """The query of `options`, by their names with $. Raises BadQuery."""
    for name in options:
        if name.startswith("$") and name not in OPTIONS:
            raise BadQuery(f"{name}: no such option; there are {', '.join(OPTIONS)}")
    if options.get("$resultFormat", "JSON").upper() != "JSON":
        raise BadQuery(f"$resultFormat: {options['$resultFormat']!r}; allowed: JSON")
    counted = options.get("$count", "false").lower()
    if counted not in ("true", "false"):
        raise BadQuery(f"$count: {counted!r}; allowed: true, false")
    try:
        wanted = Filter.parse(options["$filter"]) if "$filter" in options else None
    except BadFilter as error:
        raise BadQuery(f"$filter: {error}") from None
    return Query(
        top=min(_number(options, "$top", TOP_USUAL), TOP_MOST),
        skip=_number(options, "$skip", 0),
        count=counted == "true",
        orderby=_orderby(options.get("$orderby", "")),
        select=tuple(part.strip() for part in options.get("$select", "").split(",") if part.strip()),
        expand=_expand(options.get("$expand", ""), depth),
        filter=wanted,
    )


def _number(options: Mapping[str, str], name: str, usual: int) -> int:
    text = options.get(name)
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > 9:
        raise BadQuery(f"{name}: {text!r}; allowed: a whole number from 0")
    return int(text)


def _orderby(text: str) -> tuple[tuple[tuple[str, ...], bool], ...]:
    found = []
    for part in (p.strip() for p in text.split(",") if p.strip()):
        path, _, order = part.partition(" ")
        if order.strip().lower() not in ("", "asc", "desc"):
            raise BadQuery(f"$orderby: {part!r}; allowed: PATH, PATH asc, PATH desc")
        found.append((tuple(path.split("/")), order.strip().lower() == "desc"))
    return tuple(found)


def _expand(text: str, depth: int) -> dict[str, Query]:
    """`Datastreams/Observations`, `Datastreams($top=1;$expand=Observations($top=1))`, several with commas."""
    if depth >= EXPAND_DEPTH and text:
        raise BadQuery(f"$expand: deeper than {EXPAND_DEPTH}")
    found: dict[str, Query] = {}
    for part in _split(text, ","):
        name, options = part, ""
        if part.endswith(")") and "(" in part:
            name, _, options = part[:-1].partition("(")
        name, _, below = name.partition("/")
        inner = dict(_option(option) for option in _split(options, ";"))
        if below:
            # Options of `A/B(…)` are those of B.
            inner = {"$expand": f"{below}({options})" if options else below}
        found[name.strip()] = _joined(found.get(name.strip()), read_query(inner, depth + 1))
    return found


def _joined(one: Query | None, other: Query) -> Query:
    """`Datastreams/Sensor,Datastreams/ObservedProperty` expands both below the same."""
    if one is None:
        return other
    return Query(other.top, other.skip, other.count, other.orderby, other.select, {**one.expand, **other.expand})


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadQuery(f"$expand: {text!r}; allowed: $OPTION=VALUE; …")
    return name.strip(), value.strip()


def _split(text: str, at: str) -> list[str]:
    """Parts of `text` between `at`, outside of parentheses and quotes."""
    parts, depth, quoted, begin = [], 0, False, 0
    for place, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == at and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    if depth or quoted:
        raise BadQuery(f"$expand: {text!r}: a bracket or quote is not closed")
    return [part.strip() for part in (*parts, text[begin:]) if part.strip()]
