"""What requests about learning may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from detectors.spread import BINS

from .bodies import Body, Id, PermitDrawn, Share, Text

Dwell = Annotated[float, Field(ge=0, le=30 * 86400, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)]
Windows = Annotated[list[dict[str, Any]], Field(max_length=50)]


class LookedFor(Body):
    """Where, when and from how long on something is looked for; `zone` null: in the whole picture."""

    dwell_s: Dwell | None = None
    schedule: Windows | None = None
    permitted: Annotated[list[PermitDrawn], Field(max_length=50)] | None = None
    zone: Annotated[list[tuple[Share, Share]], Field(min_length=3, max_length=100)] | None = None


class WhatIf(LookedFor):
    """Settings to try on the judged alerts of the last `days`, all of them together; `beside`: what else finds them."""

    camera: Id | None = None
    days: Annotated[float, Field(gt=0, le=3660)] = 90
    min_score: Score | None = None
    beside: Annotated[tuple[LookedFor, ...], Field(max_length=50)] = ()


class KindChange(Body):
    """Settings of a kind; what is left out stays, null goes back to the file's value."""

    camera: Id | None = None
    min_score: Score | None = None
    dwell_s: Dwell | None = None
    enabled: bool | None = None
    schedule: Windows | None = None
    note: Text = ""


class DatasetWanted(Body):
    """Which kinds' verdicts, of how many days, and why they are taken out."""

    kinds: Annotated[list[Id], Field(min_length=1, max_length=50)]
    days: Annotated[float, Field(gt=0, le=3660)] = 365
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ShadowWanted(Body):
    """Beside which model (as kinds name it)."""

    base: Id


class Judgement(Body):
    """A verdict on what a shadow found alone."""

    decision: Literal["confirmed", "rejected"]
    reason: Id | None = None


class ScoreRow(Body):
    """Counts of scores of one label at one camera."""

    camera: Id
    model: Id
    version: Annotated[str, Field(min_length=1, max_length=32)]
    label: Id
    bins: Annotated[list[Annotated[int, Field(ge=0, le=10**9)]], Field(min_length=BINS, max_length=BINS)]


class ScoresTold(Body):
    """A worker's counts since the last time."""

    rows: Annotated[list[ScoreRow], Field(max_length=200_000)]
