"""What the English page says of the Chinese words in a letter's table. The letter itself stays as it was issued."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .domain.case import STATE_NAMES
from .house import House
from .store import Transaction
from .unit_names import UnitNames

_NAMED = ("问题类别", "责任单位", "状态")
_SPAN = re.compile(r"(?:\d+(?:天|小时|分钟|分))+")
_PART = re.compile(r"(\d+)(天|小时|分钟|分)")
_UNITS = {"天": "d", "小时": "h", "分钟": "min", "分": "min"}


@dataclass(frozen=True, slots=True)
class LetterWords:
    """English by Chinese of classes, kinds, units and states, as the hub calls them today."""

    names: Mapping[str, str]

    @classmethod
    def of(cls, tx: Transaction, house: House) -> LetterWords:
        """Read the small tables."""
        units = UnitNames.of(tx)
        classes = {one.name: one.en for one in house.rules.categories.all() if one.en}
        kinds = {kind.name["zh"]: kind.name["en"] for kind in house.rules.kinds.values()}
        states = {names["zh"]: names["en"] for names in STATE_NAMES.values()}
        return cls(kinds | classes | {units.zh[id_]: en for id_, en in units.en.items()} | states)

    def of_lines(self, lines: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """{Chinese: English} of what stands in these lines; words without English are left out."""
        found: dict[str, str] = {}
        for line in lines:
            for word in {str(line.get(column, "")) for column in _NAMED} & self.names.keys():
                found[word] = self.names[word]
            late = str(line.get("超期", ""))
            if _SPAN.fullmatch(late):
                found[late] = span_in_english(late)
        return found


def span_in_english(span: str) -> str:
    """`2天3小时` as `2 d 3 h`."""
    return " ".join(f"{number} {_UNITS[unit]}" for number, unit in _PART.findall(span))
