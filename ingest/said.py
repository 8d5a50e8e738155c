"""What is said of a device: a sentence in English, and what it says, so that screens can say it in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORD_MOST = 300


class Said(str):
    """The English sentence. `code` names what it says and `values` fill its blanks: numbers, or words that are the same
    in every language. Percentages are whole numbers."""

    __slots__ = ("code", "values")

    code: str
    values: Mapping[str, str | float]

    def __new__(cls, text: str, code: str, **values: str | float) -> Said:
        """`values` by the names of the blanks."""
        said = super().__new__(cls, text)
        said.code, said.values = code, values
        return said

    def coded(self) -> dict[str, Any]:
        """{code, values} for those who say it in words of their own; a word is cut at WORD_MOST characters."""
        short = {name: value[:WORD_MOST] if isinstance(value, str) else value for name, value in self.values.items()}
        return {"code": self.code, "values": short}


def percent(share: float) -> int:
    """Of a share of one."""
    return round(100 * share)
