"""What a report is made of, as JSON-ready values: the page shows them, print-outs set them, an issue keeps them.

What is said is said in both languages; a text alone is the same in both (a place, a day, a unit without an English
name). Reports that were issued before 2026-11-28 are kept in Chinese alone: texts, too.

A number knows which cases it counted (`drill`), so the page can open their list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..domain.evaluation import NOTHING, Change, percent_text

Json = dict[str, Any]
Said = Json | str
"""{zh, en}, or a text that is the same in both languages."""


def words(zh: str, en: str) -> Json:
    """A name or sentence in both languages."""
    return {"zh": zh, "en": en}


def in_zh(said: Said) -> str:
    """As it is printed."""
    return said if isinstance(said, str) else str(said["zh"])


def in_en(said: Said) -> str:
    """As the English page shows it."""
    return said if isinstance(said, str) else str(said["en"] or said["zh"])


def count(value: int, drill: Mapping[str, Any] | None = None) -> Json:
    """A number of cases."""
    return {"value": value, "text": str(value), "drill": dict(drill) if drill and value else None}


def share(value: Decimal | None, drill: Mapping[str, Any] | None = None) -> Json:
    """A rate in percent; — without a denominator."""
    return {
        "value": None if value is None else float(value),
        "text": percent_text(value),
        "percent": True,
        "drill": dict(drill) if drill and value is not None else None,
    }


def points(value: Decimal | None) -> Json:
    """A score."""
    return {"value": None if value is None else float(value), "text": NOTHING if value is None else f"{value:.2f}"}


def fact(name: Mapping[str, str], key: str, number: Json, before: Change, year: Change) -> Json:
    """A number with its name, its 环比 (`before`) and its 同比 (`year`)."""
    return {
        "key": key,
        "name": dict(name),
        **number,
        "before": _change(before),
        "year": _change(year),
        **before.fields(key, "HB"),
        **year.fields(key, "TB"),
    }


def _change(change: Change) -> Json:
    return {
        "was": None if change.was is None else float(change.was),
        "rise": change.rise,
        "rate": None if change.rate is None else float(change.rate),
        "text": change.text(),
        "en": change.english(),
    }


def table(columns: Sequence[Mapping[str, str]], rows: Sequence[Sequence[Said]]) -> Json:
    """Columns with names in both languages; cells are texts, words in both languages or numbers."""
    return {"columns": [dict(c) for c in columns], "rows": [list(row) for row in rows]}


def chart(
    title: Mapping[str, str],
    shape: str,
    labels: Sequence[Said],
    series: Sequence[tuple[Mapping[str, str], Sequence[Any]]],
    unit: str = "",
) -> Json:
    """`shape` is columns, bars or line; values are numbers or None."""
    return {
        "title": dict(title),
        "shape": shape,
        "unit": unit,
        "labels": list(labels),
        "series": [
            {"name": dict(name), "values": [None if v is None else float(v) for v in values]} for name, values in series
        ],
    }


def section(
    id_: str,
    heading: Mapping[str, str],
    *,
    text: Sequence[Json] = (),
    facts: Sequence[Json] = (),
    table: Json | None = None,
    chart: Json | None = None,
    note: Said = "",
) -> Json:
    """One part of a report; `text` are paragraphs in both languages: the Chinese ones are printed."""
    return {
        "id": id_,
        "heading": dict(heading),
        "text": list(text),
        "facts": list(facts),
        "table": table,
        "chart": chart,
        "note": note,
    }
