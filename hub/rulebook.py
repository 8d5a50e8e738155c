"""What the hub knows before the first finding: kinds, sensor profiles, code sets, working calendar, routing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from detectors.kinds import STANDARD, Kind
from detectors.sensing import SensorRules

from .domain.category import Categories
from .domain.clock import Calendar, LimitError, parse_limit
from .domain.routing import RoutingTable


class RuleError(ValueError):
    """Kinds that the hub cannot file cases for; `problems` holds one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Kinds by id, sensor profiles (stanzas) by id, code sets and calendar. Made with `of`, which checks the limits.

    `sensing`: the rules of the profiles, for what the hub itself asks of them. `english`: words of conditions, and
    closing conditions of the kinds, to their English.
    """

    kinds: Mapping[str, Kind]
    profiles: Mapping[str, Mapping[str, Any]]
    calendar: Calendar
    categories: Categories
    sensing: SensorRules
    routing: RoutingTable = field(default_factory=RoutingTable)
    versions: Mapping[str, str] = field(default_factory=dict)
    english: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        kinds: Mapping[str, Kind],
        profiles: Mapping[str, Mapping[str, Any]],
        calendar: Calendar,
        categories: Categories,
        routing: RoutingTable | None = None,
        english: Mapping[str, str] | None = None,
    ) -> RuleBook:
        """Check and version the kinds. Raises RuleError with every limit that cannot be read, or KindsError."""
        problems = []
        for kind in kinds.values():
            try:
                parse_limit(kind.limit)
            except LimitError as error:
                problems.append(f"kind {kind.id}: limit: {error}")
            for other in sorted(kind.agrees_with - set(kinds)):
                problems.append(f"kind {kind.id}: agrees_with: {other!r}; allowed: {', '.join(sorted(kinds))}")
        if problems:
            raise RuleError(problems)
        versions = {k.id: _version(k.to_wire()) for k in kinds.values()}
        said = {kind.closing: kind.closing_en for kind in kinds.values() if kind.closing_en} | dict(english or {})
        sensing = SensorRules(profiles, kinds)
        return cls(kinds, profiles, calendar, categories, sensing, routing or RoutingTable(), versions, said)

    def category_of(self, kind: Kind, code: str | None = None) -> dict[str, Any]:
        """{standard, code, name} of a kind, or of another `code` of the same standard."""
        code = code or kind.code
        name = self.categories.name(STANDARD, code) or (kind.name["zh"] if code == kind.code else "")
        return {"standard": STANDARD, "code": code, "name": name}

    def class_names(self, category: Mapping[str, Any]) -> dict[str, str]:
        """{zh, en} of a case's class; its Chinese name alone where the code set has no English for it."""
        name = str(category.get("name") or category.get("code") or "")
        one = self.categories.get(str(category.get("standard")), str(category.get("code")))
        return {"zh": name, "en": one.en if one and one.en else name}

    def with_english(self, category: Mapping[str, Any]) -> dict[str, Any]:
        """{standard, code, name, en}: the class of a case or kind, as the page gets it."""
        return {**category, "en": self.class_names(category)["en"]}

    def agreeing(self, kind_id: str) -> frozenset[str]:
        """Kinds that say the same of a place as `kind_id`, itself among them: seen by a camera, felt by a sensor."""
        kind = self.kinds.get(kind_id)
        named = kind.agrees_with if kind else frozenset[str]()
        return frozenset({kind_id, *named, *(k.id for k in self.kinds.values() if kind_id in k.agrees_with)})

    def knows_code(self, code: str) -> bool:
        """Whether `code` is one of the standard's, or of a configured kind."""
        known = self.categories.name(STANDARD, code) is not None
        return known or any(kind.code == code for kind in self.kinds.values())

    def name_of(self, kind_id: str) -> dict[str, str]:
        """{zh, en} of a kind; the id itself for one that is no longer configured."""
        kind = self.kinds.get(kind_id)
        return dict(kind.name) if kind else {"zh": kind_id, "en": kind_id}


def _version(stanza: Mapping[str, Any]) -> str:
    canonical = json.dumps(stanza, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
