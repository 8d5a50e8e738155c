"""A plain SVG of lines over time: what a long run looked like, for those without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_WIDTH_PX, _PANEL_PX, _LEFT_PX, _GAP_PX = 900, 150, 70, 45


def plot(path: Path, title: str, minutes: Sequence[float], panels: Mapping[str, Sequence[float]]) -> None:
    """One panel a line, one below the other; each from 0 to a little above its largest value."""
    height = 40 + len(panels) * (_PANEL_PX + _GAP_PX)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH_PX}" height="{height}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT_PX}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for n, (name, values) in enumerate(panels.items()):
        parts += _panel(40 + n * (_PANEL_PX + _GAP_PX), name, minutes, values)
    path.write_text("\n".join([*parts, "</svg>"]), encoding="utf-8")


def _panel(top: int, name: str, minutes: Sequence[float], values: Sequence[float]) -> list[str]:
    bottom, right = top + _PANEL_PX, _WIDTH_PX - 20
    most, last = max([*values, 1e-9]) * 1.1, max([*minutes, 1e-9])
    points = " ".join(
        f"{_LEFT_PX + t / last * (right - _LEFT_PX):.1f},{bottom - max(0.0, v) / most * _PANEL_PX:.1f}"
        for t, v in zip(minutes, values, strict=True)
    )
    return [
        f'<text x="{_LEFT_PX}" y="{top + 12}">{escape(name)}</text>',
        f'<path d="M{_LEFT_PX} {top}V{bottom}H{right}" fill="none" stroke="#888"/>',
        f'<text x="{_LEFT_PX - 6}" y="{top + 12}" text-anchor="end">{most:.3g}</text>',
        f'<text x="{_LEFT_PX - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{right}" y="{bottom + 15}" text-anchor="end">{last:.1f} min</text>',
        f'<polyline points="{points}" fill="none" stroke="#0b62a4" stroke-width="1.5"/>',
    ]
