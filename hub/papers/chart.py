"""Charts as a few marks (bars, lines, words), the same in a PDF and in the picture of a DOCX."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

COLORS = ("2F5D8C", "C0803A", "6B8E4E", "8C4A4A", "6A5B8C")
INK, GRID = "333333", "D8D8D8"
_FONT = 8.5

Measure = Callable[[str, float], float]
"""Width in points of a text in a font size."""


class Shape(StrEnum):
    """How values are drawn: upright columns, lying bars (for rankings), a line (for time)."""

    COLUMNS = "columns"
    BARS = "bars"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values, one for each label; None leaves a gap."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Labels and series; `unit` stands behind the values ("%")."""

    title: str
    shape: Shape
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled box; y grows upwards."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float = 0.6


@dataclass(frozen=True, slots=True)
class Words:
    """Text whose base line begins (0), is centred (0.5) or ends (1) at x."""

    x: float
    y: float
    text: str
    size: float = _FONT
    anchor: float = 0.0
    color: str = INK
    bold: bool = False


Mark = Bar | Stroke | Words


def marks(chart: Chart, width: float, height: float, measure: Measure) -> Iterator[Mark]:
    """What to draw in a box of `width` x `height` points, origin below left."""
    yield Words(width / 2, height - 12, chart.title, 10.5, 0.5, bold=True)
    top = height - 22
    if len(chart.series) > 1:
        yield from _legend(chart, width, top - 8, measure)
        top -= 16
    if chart.shape is Shape.BARS:
        yield from _bars(chart, width, top, measure)
    else:
        yield from _upright(chart, width, top, measure)


def _legend(chart: Chart, width: float, y: float, measure: Measure) -> Iterator[Mark]:
    wide = [measure(s.name, _FONT) + 24 for s in chart.series]
    x = (width - sum(wide)) / 2
    for number, series in enumerate(chart.series):
        yield Bar(x, y, 8, 7, _color(number))
        yield Words(x + 11, y, series.name)
        x += wide[number]


def _upright(chart: Chart, width: float, top: float, measure: Measure) -> Iterator[Mark]:
    low, high, step = _scale(chart)
    left = max(measure(_number(v, chart.unit), _FONT) for v in (low, high)) + 8
    bottom, right = 20.0, width - 6

    def at(value: float) -> float:
        return bottom + (value - low) / (high - low) * (top - 12 - bottom)

    for tick in range(round((high - low) / step) + 1):
        value = low + tick * step
        yield Stroke(((left, at(value)), (right, at(value))), GRID)
        yield Words(left - 4, at(value) - 3, _number(value, chart.unit), anchor=1.0)
    slot = (right - left) / max(1, len(chart.labels))
    for number, label in enumerate(chart.labels):
        yield Words(left + slot * (number + 0.5), 7, _cut(label, slot - 2, measure), anchor=0.5)
    if chart.shape is Shape.LINE:
        yield from _lines(chart, left, slot, at)
        return
    bar = min(26.0, slot * 0.8 / len(chart.series))
    for number, series in enumerate(chart.series):
        for place, high_of in enumerate(series.values):
            if high_of is None:
                continue
            value = high_of
            x = left + slot * (place + 0.5) + (number - len(chart.series) / 2) * bar
            yield Bar(x, at(max(low, 0)), bar - 1, max(0.5, at(value) - at(max(low, 0))), _color(number))
            text = _number(value, "")
            if measure(text, 7.5) <= bar + (6 if len(chart.series) == 1 else 0):
                yield Words(x + bar / 2, at(value) + 2, text, 7.5, 0.5)


def _lines(chart: Chart, left: float, slot: float, at: Callable[[float], float]) -> Iterator[Mark]:
    for number, series in enumerate(chart.series):
        run: list[tuple[float, float]] = []
        for place, value in enumerate((*series.values, None)):
            if value is None:
                if len(run) > 1:
                    yield Stroke(tuple(run), _color(number), 1.4)
                run = []
                continue
            x, y = left + slot * (place + 0.5), at(value)
            run.append((x, y))
            yield Bar(x - 1.8, y - 1.8, 3.6, 3.6, _color(number))
            if len(chart.series) == 1:
                yield Words(x, y + 4, _number(value, ""), 7.5, 0.5)


def _bars(chart: Chart, width: float, top: float, measure: Measure) -> Iterator[Mark]:
    longest = max((measure(label, _FONT) for label in chart.labels), default=0)
    left = min(longest + 8, width * 0.4)
    known = [abs(v) for s in chart.series for v in s.values if v is not None]
    most = max(known, default=0) or 1.0
    room = width - left - 48
    slot = top / max(1, len(chart.labels))
    bar = min(12.0, slot * 0.8 / len(chart.series))
    for place, label in enumerate(chart.labels):
        middle = top - slot * (place + 0.5)
        yield Words(left - 5, middle - 3, _cut(label, left - 5, measure), anchor=1.0)
        for number, series in enumerate(chart.series):
            value = series.values[place]
            if value is None:
                yield Words(left + 3, middle - 3, "—")
                continue
            y = middle + (len(chart.series) / 2 - number - 1) * bar
            long = max(0.5, value / most * room)
            yield Bar(left, y, long, bar - 1, _color(number))
            yield Words(left + long + 3, y + bar / 2 - 3.5, _number(value, chart.unit), 7.5)
    yield Stroke(((left, 0), (left, top)), INK)


def _scale(chart: Chart) -> tuple[float, float, float]:
    """(low, high, step) with at most six steps of 1, 2 or 5; a line of percents near the top need not begin at 0."""
    known = [v for s in chart.series for v in s.values if v is not None] or [0.0]
    high, low = max(known), 0.0
    if chart.shape is Shape.LINE and min(known) > 0.5 * high:
        low = min(known) - (high - min(known) or high * 0.1)
    raw = (high - low or 1.0) / 5
    ten = 10.0 ** math.floor(math.log10(raw))
    step = next((f * ten for f in (1, 2, 5, 10) if f * ten >= raw), 10 * ten)
    if not chart.unit:
        step = max(1.0, step)
    low = max(0.0, math.floor(low / step) * step)
    high = max(low + step, math.ceil(high / step) * step)
    if chart.unit == "%" and max(known) <= 100:
        high = min(high, max(100.0, low + step))
    return low, high, step


def _number(value: float, unit: str) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{text}{unit}"


def _cut(text: str, room: float, measure: Measure) -> str:
    if measure(text, _FONT) <= room:
        return text
    while text and measure(f"{text}…", _FONT) > room:
        text = text[:-1]
    return f"{text}…" if text else ""


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]
