"""models/README.md's table: every kind, what it was measured on, the scores with their intervals, the speed.

Written out of the kinds' stanzas and the models' cards, so that it claims nothing they don't: `gridhub model table`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from detectors.catalog import Card
from detectors.kinds import Kind

BEGIN = "<!-- gridhub model table: begin -->"
END = "<!-- gridhub model table: end -->"
_HEAD = (
    "| kind | found by | on | measured on (validation pictures / boxes) | score (95 % interval) | CPU ms a picture |",
    "|---|---|---|---|---|---|",
)


def table(kinds: Iterable[Kind], cards: Mapping[str, Card]) -> str:
    """The table in Markdown: a row for each label of a kind's model, one for a kind without a model."""
    rows: list[str] = []
    for kind in sorted(kinds, key=lambda k: k.id):
        rows += _rows(kind, cards)
    return "\n".join([*_HEAD, *rows]) + "\n"


def models_table(cards: Iterable[Card]) -> str:
    """Every model in Markdown: what it sees, input, size of its file, speed alone and in eights."""
    lines = [
        "| model | version | sees | input px | weights, MB | CPU ms a picture alone / in eights | arithmetic |",
        "|---|---|---|---|---|---|---|",
    ]
    for card in sorted(cards, key=lambda c: c.name):
        speed = card.text.get("speed", {})
        size = card.file.stat().st_size / 1e6
        alone, eights = speed.get("cpu_ms_per_picture"), speed.get("cpu_ms_per_picture_in_eights")
        seen, ms = ", ".join(card.labels), f"{_told(alone)} / {_told(eights)} | {speed.get('arithmetic', '-')}"
        lines.append(f"| `{card.name}` | {card.version} | {seen} | {card.form.width} | {size:.1f} | {ms} |")
    return "\n".join(lines) + "\n"


def replaced(page: str, text: str) -> str:
    """`page` with `text` between the marks. Raises ValueError where they are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{text}{END}{after}"


def whole(kinds: Iterable[Kind], cards: Sequence[Card]) -> str:
    """Both tables, as they stand between the marks of models/README.md."""
    return models_table(cards) + "\n" + table(kinds, {card.name: card for card in cards})


def write_table(page: Path, kinds: Iterable[Kind], cards: Sequence[Card]) -> bool:
    """Bring the tables in `page` up to date; whether they were not. Raises ValueError where the marks are missing."""
    old = page.read_text(encoding="utf-8")
    new = replaced(old, whole(kinds, cards))
    if new != old:
        page.write_text(new, encoding="utf-8")
    return new != old


def _rows(kind: Kind, cards: Mapping[str, Card]) -> list[str]:
    name = f"`{kind.id}` {kind.name.get('zh', '')}"
    on = "yes" if kind.enabled else "no"
    if kind.off_because:
        on += f": {kind.off_because.get('en', '')}"
    if kind.look_for is None or kind.rule is None:
        if kind.off_because:
            return [f"| {name} | nothing | {on} | not measured | - | - |"]
        return [f"| {name} | sensor's rule | {on} | no pictures involved | - | - |"]
    card = cards[kind.look_for.model]
    by = f"`{card.name}`, rule {kind.rule.type}"
    seen = [(f"{by}: {label}", card, label) for label in sorted(kind.look_for.labels)]
    if kind.check is not None:
        checks = cards[kind.check.model]
        labels = kind.check.labels
        told = labels if checks.task == "detect" else labels[:1]
        seen += [(f"second look: `{checks.name}`: {' or '.join(labels)}", checks, label) for label in told]
    rows = []
    if not kind.look_for.labels:
        speed = _speed(card)
        rows.append(
            f"| {name} | {by} (no label of its own) | {on} | rule only: no picture of it measured | - | {speed} |"
        )
    for found_by, model, label in seen:
        measured = measured_on(model, label) or [("not measured", "-")]
        for number, (where, score) in enumerate(measured):
            first = (f"{name} | {found_by} | {on}", _speed(model)) if number == 0 else (" | | ", "")
            rows.append(f"| {first[0]} | {where} | {score} | {first[1]} |")
    return rows


def _speed(card: Card) -> str:
    return _told(card.text.get("speed", {}).get("cpu_ms_per_picture_in_eights"))


def measured_on(card: Card, label: str) -> list[tuple[str, str]]:
    """Of one label: each validation set that holds it with its size, and AP50 or AUC with the interval."""
    measured = card.text.get("measured", {})
    found = []
    for name, entry in (measured.get("validation", {}) if isinstance(measured, Mapping) else {}).items():
        row = entry.get("classes", {}).get(label)
        if row is None:
            continue
        if card.task == "classify":
            where = f"{name}: {entry['pictures']} / -"
            found.append((where, f"AUC {entry['auc']:.2f}{_range(entry.get('auc_range'))}"))
        else:
            where = f"{name}: {entry['pictures']} / {row['boxes']}"
            found.append((where, f"AP50 {row['ap50']:.2f}{_range(row.get('ap50_range'))}"))
    return found


def _range(ends: Sequence[float] | None) -> str:
    return f" ({ends[0]:.2f}-{ends[1]:.2f})" if ends else ""


def _told(value: Any) -> str:
    return "-" if value is None else f"{float(value):.1f}"
