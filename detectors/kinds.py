"""What to look for: configs/kinds/*.yaml, each a kind of problem with its model, rule, codes, limit and department."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detectors.errors import KindsError
from detectors.hours import Window
from detectors.stanza import REQUIRED, Stanza, read_mapping, stanza_files

STANDARD = "GB/T 47678.5"
"""The standard whose code a kind is filed under; the others are kept for exchange."""
_CODES = {STANDARD: r"\d{5}", "GB/T 30428.2": r"\d\d-\d\d", "CJ/T 214": r"\d\d-\d\d"}
USUAL_SCORE = 0.35
"""Where neither the kind nor the card says from which score."""
RULES = ("presence", "dwell", "new_and_stays", "count")
ANCHORS = ("overlap", "foot")
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class LookFor:
    """Which labels of which model. Things with a label of `ignore` never count as something new.

    `min_score`: from which score; None: from the thresholds on the model's card, label by label.
    """

    model: str
    labels: frozenset[str]
    min_score: float | None = None
    ignore: frozenset[str] = frozenset()

    def scores(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """The least score of each wanted label; `thresholds` as on the model's card."""
        return {label: self._score(label, thresholds) for label in self.labels}

    def ignored_scores(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """The least score of each ignored label."""
        return {label: self._score(label, thresholds) for label in self.ignore}

    def scores_of(self, labels: frozenset[str], thresholds: Mapping[str, float]) -> dict[str, float]:
        """The least score of each of `labels`."""
        return {label: self._score(label, thresholds) for label in labels}

    def _score(self, label: str, thresholds: Mapping[str, float]) -> float:
        return thresholds.get(label, USUAL_SCORE) if self.min_score is None else self.min_score


@dataclass(frozen=True, slots=True)
class CompanySpec:
    """A new thing counts only if somebody (`labels`) stood beside it in `share` of the looks since it came.

    `reach`: how far beside, in widths and heights of the thing.
    """

    labels: frozenset[str]
    share: float = 0.3
    reach: float = 1.0


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """A slower model that looks again, at the crop: `labels` of `model` must score `min_score`.

    `margin`: how much of the box's sides is added around it. Where the model cannot be had, nothing is held back.
    """

    model: str
    labels: tuple[str, ...]
    min_score: float = 0.5
    margin: float = 0.25


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """When what was seen is a problem.

    presence: seen in `looks` of the last `of` looks, over `dwell_s`, about the same place (fire, smoke).
    dwell: the same thing stays at its place for `dwell_s` (rubbish, a parked car).
    count: at least `at_least` of them for `dwell_s`.
    new_and_stays: something that the long-term background does not hold stands there for `dwell_s`, whatever it is.
    `anchor`: a thing is in the zone with its foot point, or with `min_overlap` of its box. `min_area`: smallest share
    of the picture (new_and_stays). `repeat_s`: a problem that persists is found again this often.
    """

    type: str
    dwell_s: float
    looks: int = 3
    of: int = 5
    anchor: str = "overlap"
    min_overlap: float = 0.3
    at_least: int = 1
    min_area: float = 0.002
    repeat_s: float = 300.0
    company: CompanySpec | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem. Without `look_for` and `rule` only sensors find it. `category`: standard to code.

    `did_you_mean`: codes of GB/T 47678.5 that a reviewer may mean instead. `agrees_with`: kinds that say the same of a
    place, so that a camera and a sensor beside it speak for each other. `evidence`: what it was measured on, in both
    languages. `closing`: when its cases may be closed, `closing_en` in English.
    `off_because`: {zh, en}, why a kind that is off is off.
    """

    id: str
    name: Mapping[str, str]
    category: Mapping[str, str]
    limit: str
    department: str
    closing: str
    enabled: bool = True
    urgent: bool = False
    zone: str = "optional"
    look_for: LookFor | None = None
    rule: RuleSpec | None = None
    schedule: tuple[Window, ...] = ()
    did_you_mean: tuple[str, ...] = ()
    agrees_with: frozenset[str] = frozenset()
    evidence: Mapping[str, str] = field(default_factory=dict)
    check: CheckSpec | None = None
    off_because: Mapping[str, str] = field(default_factory=dict)
    closing_en: str = ""
    wire: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def code(self) -> str:
        """Its GB/T 47678.5 code."""
        return self.category[STANDARD]

    @property
    def model(self) -> str | None:
        """The model that looks for it; None for one that only sensors find."""
        return self.look_for.model if self.look_for else None

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], where: str = "kind", strange: list[str] | None = None) -> Kind:
        """The kind a stanza (YAML or JSON) describes. Raises KindsError with every problem in it.

        `strange`: where given, keys that this version does not know are noted there instead.
        """
        problems: list[str] = []
        kind = _kind(Stanza(where, wire, problems, strange=strange), wire)
        if problems:
            raise KindsError(problems)
        return kind

    def to_wire(self) -> dict[str, Any]:
        """The stanza it was read from, JSON-ready."""
        return dict(self.wire)


def load_kinds(folder: Path) -> dict[str, Kind]:
    """Every kind in `folder`, by id. Raises KindsError with every problem of every file."""
    problems: list[str] = []
    kinds: dict[str, Kind] = {}
    for path in stanza_files(folder):
        content = read_mapping(path, problems)
        if content is None:
            continue
        found: list[str] = []
        kind = _kind(Stanza(str(path), content, found), content)
        if not found and kind.id != path.stem:
            found.append(f"{path}: id: {kind.id!r}; allowed: {path.stem} (the file's name)")
        if not found and not kind.enabled and not kind.off_because:
            found.append(f"{path}: off_because: missing; allowed: {{zh, en}}, why it is off")
        problems += found
        if not found:
            kinds[kind.id] = kind
    if problems:
        raise KindsError(problems)
    return kinds


def check_labels(kinds: Iterable[Kind], model: str, labels: tuple[str, ...]) -> None:
    """Raises KindsError where a kind looks for a label that `model`, whose labels are given, does not have."""
    problems = [
        f"kind {kind.id}: {key}: {label!r}; model {model} has: {', '.join(labels)}"
        for kind in kinds
        for key, asked in _asked_of(kind, model).items()
        for label in sorted(asked - set(labels))
    ]
    if problems:
        raise KindsError(problems)


def _asked_of(kind: Kind, model: str) -> dict[str, frozenset[str]]:
    """Key of the kind's file to the labels that it asks of `model` there."""
    asked = {}
    if kind.look_for and kind.look_for.model == model:
        asked["look_for"] = kind.look_for.labels | kind.look_for.ignore | _company_of(kind)
    if kind.check and kind.check.model == model:
        asked["check.label"] = frozenset(kind.check.labels)
    return asked


def _company_of(kind: Kind) -> frozenset[str]:
    return kind.rule.company.labels if kind.rule and kind.rule.company else frozenset()


def _kind(stanza: Stanza, wire: Mapping[str, Any]) -> Kind:
    kind_id = stanza.text("id")
    if kind_id and not _ID.fullmatch(kind_id):
        stanza.wrong("id", kind_id, "lower-case letters, digits and _")
    rule = _rule(stanza.mapping("rule", None))
    did_you_mean = stanza.texts("did_you_mean", ())
    for code in did_you_mean:
        if not re.fullmatch(_CODES[STANDARD], code):
            stanza.wrong("did_you_mean", code, f"codes of {STANDARD} (five digits, in quotes)")
    closing = _closing(stanza)
    kind = Kind(
        id=kind_id,
        name=names(stanza),
        category=_category(stanza),
        limit=stanza.text("limit"),
        department=stanza.text("department"),
        closing=closing["zh"],
        closing_en=closing["en"],
        enabled=stanza.flag("enabled", True),
        urgent=stanza.flag("urgent", False),
        zone=stanza.choice("zone", ("optional", "required"), "optional"),
        look_for=_look_for(stanza.mapping("look_for", None), rule),
        rule=rule,
        schedule=tuple(_window(window) for window in stanza.mappings("schedule", ())),
        did_you_mean=did_you_mean,
        agrees_with=frozenset(stanza.texts("agrees_with", ())),
        evidence=names(stanza, "evidence") if stanza.has("evidence") else {},
        check=_check(stanza.mapping("check", None)),
        off_because=names(stanza, "off_because") if stanza.has("off_because") else {},
        wire=dict(wire),
    )
    if kind.rule and not kind.look_for and kind.rule.type != "new_and_stays":
        stanza.wrong("look_for", None, f"model and labels, which rule type {kind.rule.type} needs")
    if kind.rule and kind.rule.company and not kind.look_for:
        stanza.wrong("look_for", None, "the model that sees who keeps it company")
    if kind.look_for and not kind.rule:
        stanza.wrong("rule", None, "a rule for what look_for sees")
    stanza.done()
    return kind


def names(stanza: Stanza, key: str = "name") -> dict[str, str]:
    """`name: {zh, en}`."""
    name = stanza.mapping(key)
    if name is None:
        return {"zh": "", "en": ""}
    both = {"zh": name.text("zh"), "en": name.text("en")}
    name.done()
    return both


def _closing(stanza: Stanza) -> dict[str, str]:
    """`closing`, a text in Chinese or {zh, en}."""
    if isinstance(stanza.raw("closing", ""), Mapping):
        return names(stanza, "closing")
    return {"zh": stanza.text("closing"), "en": ""}


def _category(stanza: Stanza) -> dict[str, str]:
    category = stanza.mapping("category")
    if category is None:
        return {STANDARD: ""}
    codes = {STANDARD: category.text(STANDARD)}
    codes.update({standard: category.text(standard) for standard in _CODES if category.has(standard)})
    for standard, code in codes.items():
        if code and not re.fullmatch(_CODES[standard], code):
            category.wrong(standard, code, f"digits like {'06010' if standard == STANDARD else '01-10'}, in quotes")
    category.done(also=tuple(_CODES))
    return codes


def _look_for(stanza: Stanza | None, rule: RuleSpec | None) -> LookFor | None:
    if stanza is None:
        return None
    by_label = rule is None or rule.type != "new_and_stays"
    labels = stanza.texts("labels", REQUIRED if by_label else ())
    look_for = LookFor(
        model=stanza.text("model"),
        labels=frozenset(labels),
        min_score=stanza.number("min_score", 0.05, 1.0, None),
        ignore=frozenset(stanza.texts("ignore", ())),
    )
    if by_label and stanza.has("labels") and not labels:
        stanza.wrong("labels", [], "at least one label of the model")
    stanza.done()
    return look_for


def _rule(stanza: Stanza | None) -> RuleSpec | None:
    if stanza is None:
        return None
    rule = RuleSpec(
        type=stanza.choice("type", RULES),
        dwell_s=stanza.number("dwell_s", 0, 30 * 86400),
        looks=stanza.whole("looks", 1, 32, 3),
        of=stanza.whole("of", 1, 32, 5),
        anchor=stanza.choice("anchor", ANCHORS, "overlap"),
        min_overlap=stanza.number("min_overlap", 0.01, 1.0, 0.3),
        at_least=stanza.whole("at_least", 1, 1000, 1),
        min_area=stanza.number("min_area", 0.0002, 0.5, 0.002),
        repeat_s=stanza.number("repeat_s", 10, 86400, 300.0),
        company=_company(stanza.mapping("company", None)),
    )
    if rule.company and rule.type != "new_and_stays":
        stanza.wrong("company", rule.type, "only with type new_and_stays")
    if rule.looks > rule.of:
        stanza.wrong("looks", rule.looks, f"at most of ({rule.of})")
    stanza.done()
    return rule


def _company(stanza: Stanza | None) -> CompanySpec | None:
    if stanza is None:
        return None
    spec = CompanySpec(
        labels=frozenset(stanza.texts("labels")),
        share=stanza.number("share", 0.01, 1.0, 0.3),
        reach=stanza.number("reach", 0.0, 10.0, 1.0),
    )
    stanza.done()
    return spec


def _check(stanza: Stanza | None) -> CheckSpec | None:
    if stanza is None:
        return None
    label = stanza.raw("label", "")
    if label == []:
        stanza.wrong("label", label, "a text, or a list of texts")
    spec = CheckSpec(
        model=stanza.text("model"),
        labels=stanza.texts("label") if isinstance(label, list) else (stanza.text("label"),),
        min_score=stanza.number("min_score", 0.05, 1.0, 0.5),
        margin=stanza.number("margin", 0.0, 3.0, 0.25),
    )
    stanza.done()
    return spec


def _window(stanza: Stanza) -> Window:
    days = stanza.raw("days", [1, 2, 3, 4, 5, 6, 7])
    if not (isinstance(days, list) and days and all(d in range(1, 8) for d in days)):
        stanza.wrong("days", days, "a list of 1 (Monday) to 7 (Sunday)")
        days = []
    window = Window(frozenset(days), stanza.clock("from"), stanza.clock("to"))
    if window.start == window.end and days and str(stanza.raw("to")) != "24:00":
        stanza.wrong("to", stanza.raw("to"), "a time other than from")
    stanza.done()
    return window
