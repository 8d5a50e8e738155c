"""Kinds and sensor profiles from YAML: what is shipped is sound, and every error is named at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from detectors.errors import KindsError
from detectors.kinds import Kind, check_labels, load_kinds
from detectors.profiles import load_profiles, profile_from_wire
from detectors.sensing import SensorRules

GOOD = """
id: good
name: {zh: 好, en: Good}
category: {"GB/T 47678.5": "06010"}
limit: 4工作时
department: sanitation
closing: 清理
look_for: {model: street, labels: [garbage], min_score: 0.3}
rule: {type: dwell, dwell_s: 600, looks: 3, of: 5}
schedule: [{days: [1, 2], from: "07:00", to: "22:00"}]
"""


def test_the_shipped_kinds_are_sound_and_know_their_codes(project: Path) -> None:
    kinds = load_kinds(project / "configs" / "kinds")
    codes = {kind.id: kind.code for kind in kinds.values()}
    assert codes == codes | {
        "garbage_exposed": "06010",
        "open_burning": "06020",
        "vehicle_parking": "09009",
        "goods_pile": "06036",
        "bin_overflow": "06042",
        "manhole_abnormal": "01023",
        "road_ponding": "10999",
        "smoke_alarm": "10997",
    }
    assert all(kind.evidence for kind in kinds.values())
    zoned = {"vehicle_parking", "goods_pile", "fire_lane_blocked", "bin_overflow"}
    zoned |= {"street_vendor", "road_occupying_trade", "out_of_shop_trade"}
    assert {k.id for k in kinds.values() if k.zone == "required" and k.enabled} == zoned
    assert {k.id for k in kinds.values() if k.rule is None} >= {"manhole_abnormal", "smoke_alarm"}


def test_the_shipped_profiles_are_sound_and_only_name_kinds_there_are(project: Path) -> None:
    profiles = load_profiles(project / "configs" / "sensors")
    assert set(profiles) == {
        "bin_level", "cabinet", "door", "dust", "fire_lane", "gas", "manhole", "noise", "parking", "smoke",
        "street_lamp", "tilt", "water_depth", "well_level",
    }  # fmt: skip
    SensorRules(profiles, load_kinds(project / "configs" / "kinds"))


def test_a_kind_survives_the_wire(project: Path) -> None:
    for kind in load_kinds(project / "configs" / "kinds").values():
        assert Kind.from_wire(json.loads(json.dumps(kind.to_wire()))) == kind
    for profile in load_profiles(project / "configs" / "sensors").values():
        assert profile_from_wire(json.loads(json.dumps(profile.to_wire()))) == profile


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: good", "id: Good", "id: 'Good'; allowed: lower-case letters"),
        ("id: good", "id: other", "id: 'other'; allowed: good (the file's name)"),
        ("limit: 4工作时", "limits: 4工作时", "limits: unknown key; allowed: "),
        ("limit: 4工作时", "", "limit: missing"),
        ('"06010"', "6010", "category.GB/T 47678.5: 6010; allowed: a text"),
        ('"06010"', '"6010"', "category.GB/T 47678.5: '6010'; allowed: digits like 06010"),
        ("type: dwell", "type: loiter", "rule.type: 'loiter'; allowed: presence, dwell, new_and_stays, count"),
        ("dwell_s: 600", "dwell_s: ten minutes", "rule.dwell_s: 'ten minutes'; allowed: a number from 0"),
        ("looks: 3", "looks: 6", "rule.looks: 6; allowed: at most of (5)"),
        ("looks: 3", "hooks: 3", "rule.hooks: unknown key"),
        ("min_score: 0.3", "min_score: 30", "look_for.min_score: 30; allowed: a number from 0.05 to 1"),
        ("labels: [garbage]", "labels: []", "look_for.labels: []; allowed: at least one label"),
        ("days: [1, 2]", "days: [0]", "schedule[0].days: [0]; allowed: a list of 1 (Monday) to 7 (Sunday)"),
        ('from: "07:00"', 'from: "25:00"', "schedule[0].from: '25:00'; allowed: a time"),
        ("closing: 清理", "closing: [清理", "is not YAML"),
    ],
)
def test_a_broken_key_is_named_with_file_value_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    (tmp_path / "good.yaml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(KindsError) as caught:
        load_kinds(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "good.yaml"))
    assert message in str(caught.value)


def test_all_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD.replace("urgent", "x").replace("looks: 3", "looks: 9"), encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("- a\n- list\n", encoding="utf-8")
    (tmp_path / "worse.yaml").write_bytes(b"id: \xff\xfe")
    with pytest.raises(KindsError) as caught:
        load_kinds(tmp_path)
    assert len(caught.value.problems) >= 3
    assert all(str(tmp_path) in problem for problem in caught.value.problems)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(KindsError, match="nowhere: no such folder"):
        load_kinds(tmp_path / "nowhere")


def test_scores_come_from_the_kind_or_else_from_the_card() -> None:
    stanza = yaml.safe_load(GOOD)
    assert Kind.from_wire(stanza).look_for.scores({"garbage": 0.5}) == {"garbage": 0.3}  # type: ignore[union-attr]
    del stanza["look_for"]["min_score"]
    assert Kind.from_wire(stanza).look_for.scores({"garbage": 0.5}) == {"garbage": 0.5}  # type: ignore[union-attr]


def test_a_label_that_the_model_does_not_have_is_named() -> None:
    kind = Kind.from_wire(yaml.safe_load(GOOD))
    check_labels([kind], "street", ("garbage", "fire"))
    with pytest.raises(KindsError, match=r"kind good: look_for: 'garbage'; model street has: fire, smoke"):
        check_labels([kind], "street", ("fire", "smoke"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alarm": 60, "clear": 70, "warn": 65}, "clear and warn on its good side"),
        ({"alarm": True, "clear": 3}, "nothing, where alarm is true"),
        ({"hold": 0}, "hold: 0; allowed: a whole number from 1"),
        ({"alarms": 90}, "alarms: unknown key"),
        ({"high": 80}, "high on its bad side"),
        ({"alarm": {"of": "crown_cm"}}, "alarm.of: 'crown_cm'; allowed: one of the profile's settings: it has none"),
        ({"span": {"how": "median", "over_s": 60}}, "span.how: 'median'; allowed: average, change, count"),
        ({"lasts": True, "hold": 2}, "hold 1 and no span"),
        ({"kind": None}, "a kind, a notice, or no alarm"),
        ({"hours": [{"from": "dawn", "to": "22:00"}]}, "a time"),
        ({"hours": [{"from": "sunset+9999", "to": "22:00"}]}, "sunset+MINUTES"),
        ({"label": {"zh": "满溢度"}}, "{zh: …, en: …}"),
    ],
)
def test_a_broken_profile_is_named(change: dict[str, object], message: str) -> None:
    rule = {"kind": "bin_overflow", "prop": "fill_pct", "label": "满溢度", "alarm": 90, "clear": 70} | change
    stanza = {"id": "bin", "name": {"zh": "桶", "en": "Bin"}, "rules": [rule], "silence_s": 600}
    with pytest.raises(KindsError) as caught:
        profile_from_wire(stanza)
    assert message in str(caught.value)
    assert "rules[0]" in str(caught.value)
