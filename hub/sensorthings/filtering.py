"""$filter: OData expressions parsed, and judged over one entity at a time. The only importer of odata_query. Pure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from odata_query import ast, exceptions, grammar
from odata_query.grammar import ODataLexer, ODataParser
from shapely import wkt
from shapely.errors import ShapelyError
from shapely.geometry import shape

MOST_LENGTH = 4000
# Of SensorThings 1.1 (and OData 2), and not of the OData 4 that the parser knows.
grammar.ODATA_FUNCTIONS.setdefault("substringof", 2)
grammar.ODATA_FUNCTIONS.setdefault("st_within", 2)
Path = tuple[str, ...]
Lookup = Callable[[Path], Any]
"""What an entity has at a path; None where there is nothing."""


class BadFilter(ValueError):
    """An expression that cannot be read, or compares what cannot be compared."""


_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt,
    ast.LtE: operator.le,
}  # fmt: skip
_COUNT: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}  # fmt: skip
_CALL: dict[str, Callable[..., Any]] = {
    "substringof": lambda part, whole: part in whole,
    "contains": lambda whole, part: part in whole,
    "startswith": lambda whole, part: whole.startswith(part),
    "endswith": lambda whole, part: whole.endswith(part),
    "length": len,
    "indexof": lambda whole, part: whole.find(part),
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": str.strip,
    "concat": operator.add,
    "substring": lambda whole, start, *length: whole[int(start) :][: int(length[0]) if length else None],
    "year": lambda at: at.year,
    "month": lambda at: at.month,
    "day": lambda at: at.day,
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
    "round": lambda number: math.floor(number + 0.5),
    "floor": math.floor,
    "ceiling": math.ceil,
}
_FLIPPED = {ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Eq: ast.Eq}


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed expression."""

    text: str
    tree: Any

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Raises BadFilter."""
        if len(text) > MOST_LENGTH:
            raise BadFilter(f"{len(text)} characters, at most {MOST_LENGTH}")
        # The parser knows plain names only.
        plain = text.replace("@iot.id", "id").replace("@iot.selfLink", "selfLink")
        try:
            return cls(text, ODataParser().parse(ODataLexer().tokenize(plain)))
        except (exceptions.ODataException, RecursionError) as error:
            raise BadFilter(f"{text[:200]!r}: {error or type(error).__name__}") from None

    def holds(self, lookup: Lookup, now: datetime) -> bool:
        """Whether an entity fits; comparing with what it does not have is false. Raises BadFilter."""
        try:
            return bool(_value(self.tree, lookup, now))
        except (TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
            raise BadFilter(f"{self.text[:200]!r}: {error}") from None

    def bounds(self, *paths: Path) -> tuple[datetime | None, datetime | None]:
        """(earliest, latest) that `paths` can be where the whole expression holds; None: no bound."""
        low: datetime | None = None
        high: datetime | None = None
        for kind, value in self._conjuncts(paths):
            if isinstance(value, datetime):
                if kind in (ast.Gt, ast.GtE, ast.Eq):
                    low = value if low is None else max(low, value)
                if kind in (ast.Lt, ast.LtE, ast.Eq):
                    high = value if high is None else min(high, value)
        return low, high

    def equals(self, *paths: Path) -> Any:
        """What `paths` must be, where the whole expression demands one value; None where it does not."""
        return next((value for kind, value in self._conjuncts(paths) if kind is ast.Eq), None)

    def _conjuncts(self, paths: Sequence[Path]) -> list[tuple[type, Any]]:
        found: list[tuple[type, Any]] = []
        left = [self.tree]
        while left:
            node = left.pop()
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
                left += [node.left, node.right]
            elif isinstance(node, ast.Compare) and type(node.comparator) in _FLIPPED:
                for one, other, kind in (
                    (node.left, node.right, type(node.comparator)),
                    (node.right, node.left, _FLIPPED[type(node.comparator)]),
                ):
                    if _path(one) in paths and _path(other) is None:
                        found.append((kind, _value(other, lambda _path: None, datetime.now(UTC))))
        return found


def _path(node: Any) -> Path | None:
    if isinstance(node, ast.Identifier):
        return (node.name,)
    if isinstance(node, ast.Attribute):
        before = _path(node.owner)
        return None if before is None else (*before, node.attr)
    return None


def _value(node: Any, lookup: Lookup, now: datetime) -> Any:
    path = _path(node)
    if path is not None:
        return lookup(path)
    if isinstance(node, ast.BoolOp):
        left = bool(_value(node.left, lookup, now))
        if isinstance(node.op, ast.And):
            return left and bool(_value(node.right, lookup, now))
        return left or bool(_value(node.right, lookup, now))
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, lookup, now)
        return not inner if isinstance(node.op, ast.Not) else -inner
    if isinstance(node, ast.Compare):
        return _compared(node, lookup, now)
    if isinstance(node, ast.BinOp):
        return _COUNT[type(node.op)](_value(node.left, lookup, now), _value(node.right, lookup, now))
    if isinstance(node, ast.Call):
        return _called(node, lookup, now)
    return _literal(node)


def _compared(node: Any, lookup: Lookup, now: datetime) -> bool:
    left = _value(node.left, lookup, now)
    if isinstance(node.comparator, ast.In):
        return left in [_value(item, lookup, now) for item in node.right.val]
    right = _value(node.right, lookup, now)
    if left is None or right is None:
        return bool(_COMPARE[type(node.comparator)](left, right)) if isinstance(
            node.comparator, ast.Eq | ast.NotEq
        ) else False  # fmt: skip
    left, right = _alike(left, right)
    return bool(_COMPARE[type(node.comparator)](left, right))


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Ids are texts or numbers; a number and the text of one are alike."""
    if isinstance(left, str) and isinstance(right, int | float):
        return left, f"{right}"
    if isinstance(right, str) and isinstance(left, int | float):
        return f"{left}", right
    return left, right


def _called(node: Any, lookup: Lookup, now: datetime) -> Any:
    name = ".".join((*node.func.namespace, node.func.name))
    if name == "now":
        return now
    if name in ("geo.distance", "st_within"):
        return _placed(name, node.args, lookup, now)
    if name not in _CALL:
        raise ValueError(f"{name}: not offered; there are {', '.join(sorted(_CALL))}, now, geo.distance, st_within")
    values = [_value(argument, lookup, now) for argument in node.args]
    return None if None in values else _CALL[name](*values)


def _placed(name: str, arguments: Sequence[Any], lookup: Lookup, now: datetime) -> Any:
    """Distance in degrees (as FROST), or whether the first lies within the second."""
    shapes = []
    for argument in arguments:
        given = argument.val if isinstance(argument, ast.Geography) else _value(argument, lookup, now)
        if given is None:
            return None
        try:
            shapes.append(shape(given) if isinstance(given, dict) else wkt.loads(given))
        except ShapelyError as error:
            raise ValueError(f"{str(given)[:80]!r} is no geometry: {error}") from None
    return shapes[0].distance(shapes[1]) if name == "geo.distance" else shapes[0].within(shapes[1])


def _literal(node: Any) -> Any:
    if isinstance(node, ast.DateTime | ast.Date):
        at = datetime.fromisoformat(node.val)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    if isinstance(node, ast.Null):
        return None
    if isinstance(node, ast.String | ast.Integer | ast.Float | ast.Boolean | ast.GUID):
        return node.py_val
    raise ValueError(f"{type(node).__name__} is not offered")
