"""Breaking runs into lines as Chinese is set: anywhere between characters, but not inside a number or a Latin word,
no closing mark at the start of a line, no opening mark at its end. Pure; widths come from a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .paper import Run

_UNIT = re.compile(r"[A-Za-z0-9À-ɏ]+(?:[.,:/_+\-@%][A-Za-z0-9À-ɏ]+)*%?|\n|.", re.DOTALL)
_NOT_FIRST = frozenset("，。、；：？！）》」』】〕〉”’…—％℃·,.;:?!)]}%")
_NOT_LAST = frozenset("（《「『【〔〈“‘([{↑↓")

Width = Callable[[str, float, bool], float]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line in one look."""

    text: str
    run: Run
    size_pt: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """`width` without trailing spaces; `ends` a paragraph or stands before a forced break, so it is not spread."""

    pieces: tuple[Piece, ...]
    width: float
    ends: bool

    @property
    def size_pt(self) -> float:
        """Of its largest piece."""
        return max((p.size_pt for p in self.pieces), default=0.0)

    @property
    def gaps(self) -> int:
        """Places between characters."""
        return max(0, sum(len(p.text) for p in self.pieces) - 1)


def broken(runs: Sequence[Run], size_pt: float, first: float, rest: float, width: Width) -> list[Line]:
    """The lines; `first` and `rest` are the room on the first line and on the others."""
    lines: list[Line] = []
    at: list[Piece] = []
    room = first
    for unit in _units(runs, size_pt, max(rest, size_pt), width):
        if unit.text == "\n":
            lines.append(_line(at, ends=True))
            at, room = [], rest
            continue
        if at and _wide([*at, unit]) > room + 0.01 and unit.text != " ":
            kept, moved = _parted(at, unit)
            lines.append(_line(kept, ends=False))
            at, room = moved, rest
        if not at and unit.text == " " and lines:
            continue
        at.append(unit)
    lines.append(_line(at, ends=True))
    return lines


def _parted(at: list[Piece], following: Piece) -> tuple[list[Piece], list[Piece]]:
    """What stays on the line and what goes down with `following`, so that no mark stands where it may not."""
    cut = len(at)
    while cut > 1 and (_first_of(at, cut, following) in _NOT_FIRST or at[cut - 1].text[-1] in _NOT_LAST):
        cut -= 1
        if len(at) - cut > 3:
            return at, []
    return at[:cut], at[cut:]


def _first_of(at: list[Piece], cut: int, following: Piece) -> str:
    return at[cut].text[0] if cut < len(at) else following.text[0]


def _units(runs: Sequence[Run], size_pt: float, most: float, width: Width) -> Iterator[Piece]:
    for run in runs:
        size = run.size_pt or size_pt
        for match in _UNIT.finditer(run.text):
            text = match[0]
            long = 0.0 if text == "\n" else width(text, size, run.bold)
            if len(text) > 1 and long > most:
                yield from (Piece(c, run, size, width(c, size, run.bold)) for c in text)
            else:
                yield Piece(text, run, size, long)


def _wide(pieces: Sequence[Piece]) -> float:
    return sum(p.width for p in pieces)


def _line(pieces: list[Piece], *, ends: bool) -> Line:
    while pieces and pieces[-1].text == " ":
        pieces = pieces[:-1]
    merged: list[Piece] = []
    for piece in pieces:
        if merged and merged[-1].run is piece.run:
            last = merged[-1]
            merged[-1] = Piece(last.text + piece.text, last.run, last.size_pt, last.width + piece.width)
        else:
            merged.append(piece)
    return Line(tuple(merged), _wide(merged), ends)
