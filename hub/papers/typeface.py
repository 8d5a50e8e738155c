"""Which face has which character: the two that ship, and the machine's own TrueType fonts for what is rare."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

log = logging.getLogger("hub.papers")

FOLDER = Path(__file__).parent / "fonts"
REGULAR, BOLD, RARE = "Song", "Song-Bold", "Song-Rare"
PACKAGE = "fonts-wqy-zenhei"
"""The Debian package with the rarest characters in a form that can be embedded."""
SYSTEM_FONTS = (
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/wqy-zenhei/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/truetype/arphic/uming.ttc"),
    Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
)
GETA = "〓"
"""Printed in place of a character that no face has, as typesetters do."""


def load() -> None:
    """Make the shipped faces known to the PDF library."""
    if REGULAR not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(REGULAR, str(FOLDER / "NotoSerifSC-Regular.ttf")))
        pdfmetrics.registerFont(TTFont(BOLD, str(FOLDER / "NotoSerifSC-Bold.ttf")))


@cache
def _covers(name: str) -> frozenset[int]:
    return frozenset(pdfmetrics.getFont(name).face.charToGlyph)


@cache
def rare_face() -> str | None:
    """The name of a face of this machine for characters that do not ship; None when there is none."""
    for path in SYSTEM_FONTS:
        if not path.is_file():
            continue
        try:
            pdfmetrics.registerFont(TTFont(RARE, str(path)))
        except TTFError as error:
            log.warning("%s cannot be used: %s", path, error)
            continue
        return RARE
    return None


def faces(text: str, bold: bool) -> Iterator[tuple[str, str]]:
    """(face, piece of the text that it sets), in order; what nobody can set comes as 〓."""
    face, piece = "", ""
    for character in text:
        wanted, shown = _face_of(character, bold)
        if wanted != face and piece:
            yield face, piece
            piece = ""
        face, piece = wanted, piece + shown
    if piece:
        yield face, piece


@cache
def _face_of(character: str, bold: bool) -> tuple[str, str]:
    load()
    code = ord(character)
    if code < 32:
        return (BOLD if bold else REGULAR), ""
    for name in (BOLD, REGULAR) if bold else (REGULAR,):
        if code in _covers(name):
            return name, character
    rare = rare_face()
    if rare is not None and code in _covers(rare):
        return rare, character
    return (BOLD if bold else REGULAR), GETA


def missing(text: str) -> str:
    """The characters of `text` that would be printed as 〓, each once."""
    return "".join(dict.fromkeys(c for c in text if c != GETA and _face_of(c, False)[1] == GETA))


def complaint(characters: str) -> str:
    """What to say about `missing` characters."""
    return (
        f"字体缺字：{characters}（已印作{GETA}）。请在服务器上安装 Debian 软件包：apt-get install {PACKAGE}；"
        f"no installed font has these characters: install {PACKAGE}"
    )


def width(text: str, size_pt: float, bold: bool = False) -> float:
    """Points that the text takes on one line."""
    return sum(float(pdfmetrics.stringWidth(piece, face, size_pt)) for face, piece in faces(text, bold))


@cache
def picture_font(bold: bool, size_px: int) -> ImageFont.FreeTypeFont:
    """The shipped face for drawing into pictures."""
    return ImageFont.truetype(str(FOLDER / f"NotoSerifSC-{'Bold' if bold else 'Regular'}.ttf"), size_px)
