"""A state machine as one table, and the one error of an illegal move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class IllegalMove(ValueError):
    """`action` is not possible in `state`; `allowed` are the actions that are."""

    def __init__(self, thing: str, state: str, action: str, allowed: tuple[str, ...]) -> None:
        choices = ", ".join(allowed) or "none: this is an end"
        super().__init__(f"{thing} in state {state}: {action} is not possible; possible: {choices}")
        self.thing, self.state, self.action, self.allowed = thing, state, action, allowed


@dataclass(frozen=True, slots=True)
class Machine(Generic[S, A]):
    """`table` maps (state, action) to the next state; whatever is not in it is illegal."""

    thing: str
    table: Mapping[tuple[S, A], S]

    def allowed(self, state: S) -> tuple[A, ...]:
        """Actions possible in `state`, in the table's order."""
        return tuple(action for (at, action) in self.table if at == state)

    def next(self, state: S, action: A) -> S:
        """The state after `action`. Raises IllegalMove."""
        try:
            return self.table[state, action]
        except KeyError:
            raise IllegalMove(self.thing, state, action, self.allowed(state)) from None
