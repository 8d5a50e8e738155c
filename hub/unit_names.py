"""What units are called, in both languages: from here their names go into answers and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .store import Transaction, people_queries


@dataclass(frozen=True, slots=True)
class UnitNames:
    """Names by id; `en` holds only the units that have an English name. An unknown unit is called by its id."""

    zh: Mapping[str, str]
    en: Mapping[str, str]

    @classmethod
    def of(cls, tx: Transaction) -> UnitNames:
        """Read the small table."""
        found = people_queries.department_names(tx)
        return cls({id_: name for id_, name, _en in found}, {id_: en for id_, _name, en in found if en})

    def names(self, unit: str) -> dict[str, str]:
        """{name, name_en}; name_en is empty where the unit has none."""
        return {"name": self.zh.get(unit, unit), "name_en": self.en.get(unit, "")}

    def columns(self, unit: str | None) -> dict[str, str | None]:
        """{department, department_name, department_name_en}: None where nobody is meant."""
        if unit is None:
            return {"department": None, "department_name": None, "department_name_en": None}
        names = self.names(unit)
        return {"department": unit, "department_name": names["name"], "department_name_en": names["name_en"]}

    def said(self) -> dict[str, dict[str, Any] | str]:
        """As reports say them: {zh, en}, or the name alone where the unit has no English one."""
        return {id_: {"zh": zh, "en": self.en[id_]} if id_ in self.en else zh for id_, zh in self.zh.items()}
