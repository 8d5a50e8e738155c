"""A chart as a PNG, for documents that take pictures."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from . import typeface
from .chart import Bar, Chart, Stroke, marks

_SCALE = 200 / 72
"""Pixels a point: 200 to the inch."""


def png(chart: Chart, width_pt: float, height_pt: float) -> bytes:
    """The chart on white."""
    wide, high = round(width_pt * _SCALE), round(height_pt * _SCALE)
    image = Image.new("RGB", (wide, high), "white")
    draw = ImageDraw.Draw(image)
    for mark in marks(chart, width_pt, height_pt, typeface.width):
        if isinstance(mark, Bar):
            left, top = mark.x * _SCALE, high - (mark.y + mark.height) * _SCALE
            box = (left, top, left + mark.width * _SCALE, top + mark.height * _SCALE)
            draw.rectangle(box, fill=f"#{mark.color}")
        elif isinstance(mark, Stroke):
            points = [(x * _SCALE, high - y * _SCALE) for x, y in mark.points]
            draw.line(points, fill=f"#{mark.color}", width=max(1, round(mark.width * _SCALE)), joint="curve")
        else:
            font = typeface.picture_font(mark.bold, round(mark.size * _SCALE))
            x = mark.x * _SCALE - mark.anchor * font.getlength(mark.text)
            draw.text((x, high - mark.y * _SCALE), mark.text, f"#{mark.color}", font, anchor="ls")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
