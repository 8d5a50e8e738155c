"""The part of Home Assistant's value templates that picks one value; anything that computes is refused by name.

`{{ value }}`, `{{ value_json.a.b['c'][0] }}`, filters (`| float`, `| int(0)`, `| round(1)`), and one `* N` or `/ N`.
"""

from __future__ import annotations

import re

from .plain import load_json
from .values import number

_WHOLE = re.compile(
    r"""\{\{-?\s* \(?\s* (?P<of>value_json|value) (?P<path>(?:\.\w+|\[\s*(?:\d+|'[^']*'|"[^"]*")\s*\])*)
        (?P<filters>(?:\s*\|\s*(?:float|int|round|default|string|lower|upper)(?:\([^()]*\))?)*) \s*\)?
        (?:\s*(?P<sign>[*/])\s*(?P<by>\d+(?:\.\d+)?))?
        (?:\s*\)?\s*\|\s*(?:float|int|round|string)(?:\([^()]*\))?)* \s*-?\}\}""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.(\w+)|\[\s*(?:(\d+)|'([^']*)'|"([^"]*)")\s*\]""")


class TemplateError(ValueError):
    """A template that does more than pick a value."""


class Template:
    """Read once, used for every message."""

    def __init__(self, text: str) -> None:
        """Raises TemplateError naming the template."""
        found = _WHOLE.fullmatch(" ".join(text.split()))  # one space at most: nothing to go back and forth over
        if found is None or (found["of"] == "value" and found["path"]):
            raise TemplateError(
                f"{text[:80]!r} does more than pick a value; allowed: {{{{ value_json.NAME }}}} and so on"
            )
        self._json = found["of"] == "value_json"
        self._path = [int(n) if n else name or one or two for name, n, one, two in _STEP.findall(found["path"])]
        by = float(found["by"] or 1)
        if not by:
            raise TemplateError(f"{text[:80]!r} multiplies or divides by 0")
        self._factor = 1 / by if found["sign"] == "/" else by

    def value(self, topic: str, payload: bytes) -> object:
        """What the template picks; None where it is not there. Raises PayloadError for what is no JSON."""
        if not self._json:
            found: object = payload[:200].decode("utf-8", "replace").strip()
        else:
            found = load_json(topic, payload)
            for step in self._path:
                found = _step(found, step)
        if self._factor == 1 or (found := number(found)) is None:
            return found
        return float(f"{found * self._factor:.12g}")


def _step(value: object, step: str | int) -> object:
    if isinstance(value, dict):
        return value.get(str(step))
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
