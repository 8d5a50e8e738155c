"""Stalls without a trained class: something new that stays, with people beside it; and the second look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from detectors.catalog import Catalog
from detectors.errors import CatalogError, KindsError, ModelError
from detectors.geometry import Zone
from detectors.kinds import Kind, check_labels, load_kinds
from detectors.model import Model
from detectors.pipeline import Binding, CameraTask, Found, Pipeline
from detectors.rules.company import MOST_LOOKS, Company, look, share_beside
from detectors.second_look import AskedClassifier, AskedDetector, SecondLook, SecondModel, cut
from detectors.watch import Watch
from ingest.frame import Frame

from .made import ColourModel, Image, after, kind, noisy, painted, street, with_box

ROOT = Path(__file__).resolve().parents[3]
STREET = street(7)
CART = (0.45, 0.55, 0.6, 0.72)
STALL = with_box(STREET, CART, (40, 70, 190))
BESIDE, FAR = (0.62, 0.45, 0.66, 0.72), (0.02, 0.45, 0.06, 0.72)
VENDOR = kind(
    {"type": "new_and_stays", "dwell_s": 120, "company": {"labels": ["person"], "share": 0.4}},
    {"model": "colours", "labels": [], "ignore": ["person"]},
    id="vendor",
)


def watch(pictures: Sequence[tuple[int, Image]]) -> list[Found]:
    pipe = Pipeline({"vendor": VENDOR}, lambda _name: ColourModel(), None, ZoneInfo("Asia/Shanghai"))
    pipe.set_tasks([CameraTask("c1", None, (Binding("vendor", Zone.whole()),))])
    return [f for t, image in pictures for f in pipe.look([Frame("c1", None, after(t), noisy(image, t))])]


def scene(stall: Image, person: tuple[float, float, float, float] | None, every: int = 1) -> list[tuple[int, Image]]:
    """An empty street for a minute, then `stall`, with `person` there at every so many looks."""
    empty = [(t, STREET) for t in range(0, 70, 10)]
    with_person = stall if person is None else painted(stall, "person", person)
    return empty + [(t, with_person if (t // 10) % every == 0 else stall) for t in range(70, 320, 10)]


def test_a_cart_with_people_beside_it_is_a_stall() -> None:
    found = watch(scene(STALL, BESIDE))
    assert len(found) == 1
    (box,) = found[0].finding.boxes
    assert box == pytest.approx(CART, abs=0.04)
    assert "旁边有人" in found[0].finding.why
    assert "people beside it in " in found[0].finding.why_en


def test_customers_may_go_and_come() -> None:
    assert len(watch(scene(STALL, BESIDE, every=2))) == 1


@pytest.mark.parametrize(
    "pictures",
    [
        pytest.param(scene(STALL, None), id="a thing that nobody attends"),
        pytest.param(scene(STALL, FAR), id="people elsewhere in the street"),
        pytest.param(scene(STALL, BESIDE, every=6), id="passers-by now and then"),
        pytest.param(scene(STREET, BESIDE), id="people and no thing"),
    ],
)
def test_what_is_no_stall_raises_nothing(pictures: list[tuple[int, Image]]) -> None:
    assert watch(pictures) == []


def test_only_looks_since_the_thing_came_count_and_few_are_kept() -> None:
    state = Company()
    for n in range(100):
        state = look(state, [BESIDE] if n >= 80 else [], after(10 * n))
    assert len(state.looks) == MOST_LOOKS
    assert share_beside(state, CART, after(800), 1.0) == 1.0
    assert share_beside(state, CART, after(600), 1.0) == 0.5
    assert share_beside(state, FAR, after(800), 1.0) == 0.0
    assert share_beside(Company(), CART, datetime(2026, 1, 1, tzinfo=UTC), 1.0) == 0.0
    assert VENDOR.rule is not None
    assert Watch.from_json(VENDOR.rule, Watch(state).to_json()) == Watch(state)


# ── the kinds that ship ──

TWENTY = (
    "garbage_exposed", "bin_overflow", "debris_pile", "road_dirty_spill", "goods_pile", "street_vendor",
    "road_occupying_trade", "out_of_shop_trade", "vehicle_parking", "bike_parking", "fire_lane_blocked",
    "hanging_laundry", "banner", "outdoor_ad", "open_burning", "open_bbq", "road_ponding", "manhole_abnormal",
    "road_damage", "works_occupying",
)  # fmt: skip
"""domain.md §11; `fire_lane` is called fire_lane_blocked here."""


def test_all_twenty_classes_have_a_stanza_with_codes_evidence_and_a_reason_where_they_are_off() -> None:
    kinds = load_kinds(ROOT / "configs" / "kinds")
    assert set(TWENTY) <= set(kinds)
    for kind_id in TWENTY:
        found = kinds[kind_id]
        assert found.evidence, kind_id
        assert found.enabled == (not found.off_because), kind_id
        assert found.enabled or (found.off_because["zh"] and found.off_because["en"])
        assert len(found.category) >= 2 or kind_id in ("manhole_abnormal",), kind_id


def test_what_looks_for_a_label_without_a_measurement_is_off() -> None:
    kinds = load_kinds(ROOT / "configs" / "kinds")
    card = Catalog(ROOT / "models").card("street").text
    measured = {label for part in card["measured"]["validation"].values() for label in part.get("classes", {})}
    for found in kinds.values():
        if found.look_for and found.look_for.labels and not found.look_for.labels <= measured:
            assert not found.enabled, found.id


def test_stalls_are_told_apart_by_zone_company_and_hours() -> None:
    kinds = load_kinds(ROOT / "configs" / "kinds")
    for kind_id in ("street_vendor", "road_occupying_trade", "out_of_shop_trade"):
        found = kinds[kind_id]
        assert found.enabled
        assert found.rule is not None
        assert found.rule.company is not None
        assert (found.zone, bool(found.schedule)) == ("required", True)


def test_a_kind_that_is_off_without_a_reason_is_refused(tmp_path: Path) -> None:
    stanza = yaml.safe_load((ROOT / "configs" / "kinds" / "banner.yaml").read_text(encoding="utf-8"))
    del stanza["off_because"]
    (tmp_path / "banner.yaml").write_text(yaml.safe_dump(stanza), encoding="utf-8")
    with pytest.raises(KindsError, match=r"banner.yaml: off_because: missing"):
        load_kinds(tmp_path)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"type": "dwell", "dwell_s": 5, "company": {"labels": ["person"]}}, "rule.company: 'dwell'"),
        (
            {"type": "new_and_stays", "dwell_s": 5, "company": {"labels": ["person"], "share": 3}},
            "rule.company.share: 3",
        ),
        ({"type": "new_and_stays", "dwell_s": 5, "company": {"label": "person"}}, "rule.company.label"),
    ],
)
def test_company_that_makes_no_sense_is_named(rule: dict[str, object], says: str) -> None:
    with pytest.raises(KindsError) as refused:
        kind(rule, {"model": "colours", "labels": ["person"]})
    assert says in str(refused.value)


# ── the second look ──


class Dirtometer:
    """Says that what is bright is dirty."""

    name, version, labels = "bins", "1", ("clean", "dirty")
    thresholds: dict[str, float] = {}  # noqa: RUF012

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        dirty = np.array([image.mean() / 255 for image in images], np.float32)
        return np.stack([1 - dirty, dirty], axis=1)


CHECKED = kind(
    {"type": "dwell", "dwell_s": 60}, {"model": "colours", "labels": ["garbage"]},
    check={"model": "bins", "label": "dirty", "min_score": 0.5},
)  # fmt: skip
BOX = (0.2, 0.2, 0.5, 0.5)


def grey(shade: int) -> NDArray[np.uint8]:
    return np.full((200, 300, 3), shade, np.uint8)


def holds(model: object, shade: int, checked: Kind = CHECKED) -> tuple[bool, Counter[str]]:
    counters: Counter[str] = Counter()

    def open_second(_name: str) -> SecondModel:
        if isinstance(model, Exception):
            raise model
        return AskedClassifier(model) if isinstance(model, Dirtometer) else AskedDetector(cast(Model, model))

    return SecondLook(open_second, counters).holds(checked, (BOX,), grey(shade)), counters


def test_the_second_look_holds_back_what_it_does_not_see() -> None:
    assert holds(Dirtometer(), 200) == (True, Counter(second_looks=1, second_held_back=0))
    assert holds(Dirtometer(), 50) == (False, Counter(second_looks=1, second_held_back=1))


def test_several_labels_count_together() -> None:
    check = {"model": "bins", "label": ["clean", "dirty"], "min_score": 0.9}
    either = kind({"type": "dwell", "dwell_s": 60}, {"model": "colours", "labels": ["garbage"]}, check=check)
    assert holds(Dirtometer(), 100, either)[0]
    alone = kind(
        {"type": "dwell", "dwell_s": 60}, {"model": "colours", "labels": ["garbage"]}, check=check | {"label": "dirty"}
    )
    assert not holds(Dirtometer(), 100, alone)[0]


@pytest.mark.parametrize(
    ("label", "says"), [([], "check.label: []; allowed: a text, or a list of texts"), (3, "label: 3")]
)
def test_a_check_without_a_usable_label_is_named(label: object, says: str) -> None:
    with pytest.raises(KindsError) as refused:
        kind({"type": "dwell", "dwell_s": 60}, {"model": "colours", "labels": ["garbage"]},
             check={"model": "bins", "label": label})  # fmt: skip
    assert says in str(refused.value)


class Failing(Dirtometer):
    def classify(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        raise ModelError("made to fail")


class Foreign(Dirtometer):
    labels = ("cat", "dog")


@pytest.mark.parametrize("model", [CatalogError("not there"), Failing(), Foreign()])
def test_it_fails_open(model: object) -> None:
    stands, counters = holds(model, 50)
    assert stands
    assert counters["second_errors"] == 1


def test_crops_stay_in_the_picture_and_tiny_ones_say_nothing() -> None:
    corner = cut(grey(0), (0.9, 0.9, 1.0, 1.0), 1.0)
    assert corner.picture.shape == (40, 60, 3)
    assert corner.box == pytest.approx((0.5, 0.5, 1.0, 1.0))
    counters: Counter[str] = Counter()
    assert SecondLook(lambda _name: AskedClassifier(Dirtometer()), counters).holds(
        CHECKED, ((0.1, 0.1, 0.11, 0.11),), grey(0)
    )
    assert counters["second_looks"] == 0


def seen_again(picture: Image, box: tuple[float, float, float, float] = BOX, **check: object) -> bool:
    """Whether garbage at `box` stands when the detector of colours looks at the crop around it."""
    again = kind(
        {"type": "dwell", "dwell_s": 60}, {"model": "colours", "labels": ["garbage"]},
        check={"model": "colours", "label": "garbage", "min_score": 0.5, "margin": 1.0} | check,
    )  # fmt: skip
    return SecondLook(lambda _name: AskedDetector(ColourModel()), Counter()).holds(again, (box,), picture)


def test_a_detector_may_look_again() -> None:
    assert seen_again(painted(STREET, "garbage", BOX))
    assert not seen_again(STREET), "nothing is seen there"
    assert not seen_again(painted(STREET, "person", BOX)), "something else is"
    assert seen_again(painted(STREET, "person", BOX), label=["garbage", "person"])
    assert not seen_again(painted(STREET, "garbage", BOX), min_score=0.9), "the detector is 0.8 sure"


def test_what_a_detector_sees_beside_the_finding_is_no_proof() -> None:
    beside = painted(STREET, "garbage", (0.55, 0.2, 0.75, 0.5))
    assert not seen_again(beside)
    assert seen_again(beside, (0.5, 0.2, 0.7, 0.5)), "three quarters of the finding"
    corner = (0.85, 0.8, 1.0, 1.0)
    assert seen_again(painted(STREET, "garbage", corner), corner), "its crop ends where the picture does"


def test_the_shipped_models_open_for_second_looks() -> None:
    catalog = Catalog(ROOT / "models")
    asked = {name: type(catalog.open_second(name, threads=1)) for name in ("bins", "street")}
    assert asked == {"bins": AskedClassifier, "street": AskedDetector}
    with pytest.raises(CatalogError):
        catalog.open_second("nothing")


def test_a_label_that_the_second_model_lacks_is_told_beforehand() -> None:
    with pytest.raises(KindsError, match=r"check.label: 'dirty'; model bins has: clean, full"):
        check_labels([CHECKED], "bins", ("clean", "full"))
    check_labels([CHECKED], "bins", ("clean", "dirty"))
