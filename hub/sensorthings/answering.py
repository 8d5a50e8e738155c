"""Resource paths and queries of SensorThings 1.1, answered: `answer` is the whole read side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from ..house import House
from .entities import NAVIGATION, SETS, Entity, Within, World, single
from .filtering import BadFilter
from .query import BadQuery, Query, read_query

CONFORMANCE = (
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data",
)
ORDERED_MOST = 10_000
"""Observations that are sorted by something else than their time, at most."""
LOOKED_AT_MOST = 200_000
"""Observations that one filter is held against, at most."""
SHOWN_MOST = 50_000
"""Entities in one answer, with all that is expanded in them."""
_PART = re.compile(r"([A-Za-z]+)(?:\((?:'((?:[^']|'')*)'|(\d{1,18}))\))?")
_TIMES = (("phenomenonTime",), ("resultTime",))


class NoSuch(LookupError):
    """There is nothing at that path."""


def answer(house: House, base: str, path: str, options: Mapping[str, str]) -> Any:
    """What stands at `path` (below `base`, the service's root URL), as JSON; a text or number for …/$value.

    Raises NoSuch, BadQuery.
    """
    parts = [part for part in path.strip("/").split("/") if part]
    if not parts:
        sets = [{"name": name, "url": f"{base}/{name}"} for name in SETS]
        return {"value": sets, "serverSettings": {"conformance": list(CONFORMANCE)}}
    with house.db.read() as tx:
        try:
            return _Request(World(tx, house), base).at(parts, read_query(options), options)
        except BadFilter as error:
            raise BadQuery(f"$filter: {error}") from None


class _Request:
    """One request: the world it sees, and the address that links begin with."""

    def __init__(self, world: World, base: str) -> None:
        self._world, self._base = world, base
        self._told = 0

    def at(self, parts: list[str], query: Query, options: Mapping[str, str]) -> Any:
        name, id_ = _read_part(parts[0])
        if name not in SETS:
            raise NoSuch(f"{parts[0]!r}: there are {', '.join(SETS)}")
        if id_ is None:
            return self._collection(name, None, "", parts[1:], name, query, options)
        entity = self._world.one(name, id_)
        if entity is None:
            raise NoSuch(f"{parts[0]}: there is none")
        return self._below(entity, parts[1:], query, options)

    def _below(self, entity: Entity, parts: list[str], query: Query, options: Mapping[str, str]) -> Any:
        """What lies below an entity: itself, a relation, a property."""
        if not parts:
            return self._shown(entity, query)
        if parts == ["$ref"]:
            return {"@iot.selfLink": self._link(entity)}
        relation, id_ = _read_part(parts[0])
        if relation in NAVIGATION[entity.set]:
            if single(relation):
                found = self._world.related(entity, relation)
                if not found:
                    raise NoSuch(f"{relation} of {entity.set}({entity.id!r}): there is none")
                return self._below(found[0], parts[1:], query, options)
            target = NAVIGATION[entity.set][relation]
            if id_ is None:
                where = f"{self._link(entity)}/{relation}"
                return self._collection(target, entity, relation, parts[1:], where, query, options)
            other = self._world.one(target, id_)
            if other is None:
                raise NoSuch(f"{parts[0]}: there is none")
            return self._below(other, parts[1:], query, options)
        return self._property(entity, parts)

    def _property(self, entity: Entity, parts: list[str]) -> Any:
        value: Any = {**entity.whole(), "id": entity.id}
        raw = parts[-1] == "$value"
        for part in parts[:-1] if raw else parts:
            if not isinstance(value, dict) or part not in value:
                raise NoSuch(f"{entity.set} have no {part!r}")
            value = value[part]
        return value if raw else {parts[-1]: value}

    # --- collections --------------------------------------------------------------------------------------------------

    def _collection(
        self,
        name: str,
        of: Entity | None,
        relation: str,
        rest: list[str],
        where: str,
        query: Query,
        options: Mapping[str, str],
    ) -> Any:
        if rest not in ([], ["$ref"]):
            raise NoSuch(f"{'/'.join(rest)}: below a collection there is only $ref")
        found, total, more = self._page(name, of, relation, query)
        if rest:
            value: list[Any] = [{"@iot.selfLink": self._link(entity)} for entity in found]
        else:
            value = [self._shown(entity, query) for entity in found]
        made: dict[str, Any] = {} if total is None else {"@iot.count": total}
        if more:
            here = where if where.startswith("http") else f"{self._base}/{where}"
            asked = {**options, "$skip": str(query.skip + query.top)}
            made["@iot.nextLink"] = (
                f"{here}{'/$ref' if rest else ''}?{urlencode(asked, safe='$,()/ ', quote_via=quote)}"
            )
        return {**made, "value": value}

    def _page(self, name: str, of: Entity | None, relation: str, query: Query) -> tuple[list[Entity], int | None, bool]:
        """(entities, how many in all if that was asked, whether there are more)."""
        if name == "Observations":
            return self._observations(of, query)
        entities: Iterable[Entity] = self._world.related(of, relation) if of else self._world.all(name)
        if query.filter is not None:
            entities = [e for e in entities if query.filter.holds(self._lookup(e), self._world.now)]
        ordered = self._ordered(entities, query)
        page = ordered[query.skip : query.skip + query.top]
        return page, len(ordered) if query.count else None, len(ordered) > query.skip + query.top

    def _ordered(self, entities: Iterable[Entity], query: Query) -> list[Entity]:
        found = list(entities)
        for path, descending in reversed(query.orderby):
            keys = {id(e): self._lookup(e)(path) for e in found}
            found.sort(key=lambda e: _rank(keys[id(e)]), reverse=descending)
        return found

    def _observations(self, of: Entity | None, query: Query) -> tuple[list[Entity], int | None, bool]:
        world = self._world
        numbers, within = world.series_of(of), self._within(query)
        if query.filter is not None:
            wanted = query.filter.equals(("Datastream", "id"))
            numbers = numbers if wanted is None else [n for n in numbers if str(n) == str(wanted)]
        found = self._fitting(world.observations(numbers, within), query)
        by_time = not query.orderby or query.orderby[0][0] in (*_TIMES, ("id",))
        if not by_time:
            found = iter(self._ordered(_at_most(found, ORDERED_MOST), query))
        page = list(islice(found, query.skip, query.skip + query.top + 1))
        total = self._counted(numbers, within, query) if query.count else None
        return page[: query.top], total, len(page) > query.top

    def _within(self, query: Query) -> Within:
        """The time that the filter leaves; bounds that are open are checked again with the filter itself."""
        within = self._world.always
        low, high = query.filter.bounds(("phenomenonTime",)) if query.filter else (None, None)
        since = within.since if low is None else max(low, within.since)
        until = within.until if high is None else min(high + timedelta(microseconds=1), within.until)
        descending = bool(query.orderby) and query.orderby[0][1]
        return replace(within, since=since, until=max(since, until), newest_first=descending)

    def _fitting(self, entities: Iterable[Entity], query: Query) -> Iterator[Entity]:
        for number, entity in enumerate(entities):
            if number >= LOOKED_AT_MOST:
                raise BadQuery(f"$filter: more than {LOOKED_AT_MOST} observations to look at; bound phenomenonTime")
            if query.filter is None or query.filter.holds(self._lookup(entity), self._world.now):
                yield entity

    def _counted(self, numbers: list[int], within: Within, query: Query) -> int:
        if query.filter is None:
            return self._world.count(numbers, within)
        return sum(1 for _ in self._fitting(self._world.observations(numbers, within), query))

    # --- entities -----------------------------------------------------------------------------------------------------

    def _lookup(self, entity: Entity) -> Any:
        def found(path: tuple[str, ...]) -> Any:
            first, *rest = path
            if first in NAVIGATION[entity.set]:
                if not single(first):
                    raise BadFilter(f"{first}: only relations to one entity can be compared")
                if first == "Datastream" and rest == ["id"]:
                    return entity.refs["series"]
                others = self._world.related(entity, first)
                return self._lookup(others[0])(tuple(rest)) if others and rest else None
            if first in entity.times and not rest:
                return entity.times[first]
            value: Any = entity.id if first == "id" else entity.properties.get(first, _ABSENT)
            if value is _ABSENT:
                if first not in _OPTIONAL.get(entity.set, ()):
                    raise BadFilter(f"{first}: {entity.set} have no such property")
                value = entity.late().get(first, _ABSENT)
            for part in rest:
                value = value.get(part) if isinstance(value, dict) else None
            return None if value is _ABSENT else value

        return found

    def _shown(self, entity: Entity, query: Query) -> dict[str, Any]:
        self._told += 1
        if self._told > SHOWN_MOST:
            raise BadQuery(f"$expand: more than {SHOWN_MOST} entities in one answer; ask for fewer with $top")
        link, relations = self._link(entity), NAVIGATION[entity.set]
        for name in query.expand:
            if name not in relations:
                raise BadQuery(f"$expand: {name!r}; {entity.set} have {', '.join(relations)}")
        told = entity.whole() if not query.select or _LATE & set(query.select) else entity.properties
        made: dict[str, Any] = {"@iot.id": entity.id, "@iot.selfLink": link, **told}
        made |= {f"{name}@iot.navigationLink": f"{link}/{name}" for name in relations if name not in query.expand}
        if query.select:
            made = self._selected(made, entity, query)
        for name, inner in query.expand.items():
            made |= self._expanded(entity, name, inner)
        return made

    def _selected(self, made: dict[str, Any], entity: Entity, query: Query) -> dict[str, Any]:
        known = {"id": "@iot.id", "@iot.id": "@iot.id", "selfLink": "@iot.selfLink", "@iot.selfLink": "@iot.selfLink"}
        known |= {name: f"{name}@iot.navigationLink" for name in NAVIGATION[entity.set]}
        optional = _OPTIONAL.get(entity.set, ())
        for name in query.select:
            if name not in known and name not in made and name not in optional:
                raise BadQuery(f"$select: {name!r}; {entity.set} have id, {', '.join(entity.properties)}")
        wanted = {known.get(name, name) for name in query.select}
        return {name: value for name, value in made.items() if name in wanted}

    def _expanded(self, entity: Entity, relation: str, query: Query) -> dict[str, Any]:
        if single(relation):
            found = self._world.related(entity, relation)
            return {relation: self._shown(found[0], query) if found else None}
        page, total, more = self._page(NAVIGATION[entity.set][relation], entity, relation, query)
        made: dict[str, Any] = {relation: [self._shown(other, query) for other in page]}
        if total is not None:
            made[f"{relation}@iot.count"] = total
        if more:
            link = f"{self._link(entity)}/{relation}?$top={query.top}&$skip={query.skip + query.top}"
            made[f"{relation}@iot.nextLink"] = link
        return made

    def _link(self, entity: Entity) -> str:
        id_ = entity.id if isinstance(entity.id, int) else "'" + quote(entity.id.replace("'", "''"), safe="") + "'"
        return f"{self._base}/{entity.set}({id_})"


_ABSENT: Any = object()
_OPTIONAL = {"Datastreams": ("observedArea", "phenomenonTime", "resultTime")}
"""Properties that an entity may lack."""
_LATE = frozenset({"phenomenonTime"})
"""Those of them that are asked for late."""


def _read_part(part: str) -> tuple[str, str | int | None]:
    """Things, Things('a'), Datastreams(7). Raises NoSuch."""
    match = _PART.fullmatch(part)
    if match is None:
        if part.startswith("$") or re.fullmatch(r"@?[A-Za-z][\w.-]*", part):
            return part, None
        raise NoSuch(f"{part!r} is neither a name nor NAME(ID)")
    if match[3] is not None:
        return match[1], int(match[3])
    return match[1], None if match[2] is None else match[2].replace("''", "'")


def _at_most(entities: Iterable[Entity], most: int) -> list[Entity]:
    found = list(islice(entities, most + 1))
    if len(found) > most:
        raise BadQuery(f"$orderby: more than {most} observations to sort; bound phenomenonTime")
    return found


def _rank(value: Any) -> tuple[int, Any]:
    """Nothing first, then numbers, times and texts among themselves."""
    if value is None:
        return 0, 0
    if isinstance(value, bool | int | float):
        return 1, value
    return (2, value) if isinstance(value, datetime) else (3, str(value))
