"""The worker's durable memory: nothing is forgotten before the hub has it, nothing is kept after."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detectors.finding import Evidence, Finding
from hub.worker.spool import Spool, SpoolFull
from ingest.reading import Reading

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def finding(number: int, content: bytes = b"") -> Finding:
    evidence = (Evidence("frame", hashlib.sha256(content).hexdigest(), "image/jpeg"),) if content else ()
    return Finding(f"f{number}", "garbage_exposed", NOW, NOW, 0.8, camera="cam-1", evidence=evidence)


def reading(number: int) -> Reading:
    at = NOW + timedelta(seconds=number)
    return Reading("bin-1", "fill_pct", float(number), "%", at, at, f"key-{number}")


def keep(spool: Spool, number: int, content: bytes) -> None:
    spool.add_finding(finding(number, content), {hashlib.sha256(content).hexdigest(): content})


def test_of_messages_that_explain_later_ones_the_newest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.worker.spool._KEPT_EXPLAINING", 3)
    spool = Spool(tmp_path)
    spool.keep_explaining((f"t{n % 5}", "sparkplug", bytes((n,)), NOW) for n in range(7))
    spool.keep_explaining([("t9", "sparkplug", bytes(70_000), NOW)])
    assert [(topic, data[0]) for topic, _, data, _ in spool.explaining()] == [("t4", 4), ("t0", 5), ("t1", 6)]
    spool.close()


def test_a_finding_survives_a_restart_with_its_picture(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    keep(spool, 1, b"picture")
    spool.close()
    again = Spool(tmp_path)
    item = again.next_outgoing()
    assert item is not None
    assert item.body["id"] == "f1"
    assert [again.read_file(sha256) for sha256 in item.files] == [b"picture"]


def test_sent_forgets_the_request_and_its_files_but_not_shared_ones(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    keep(spool, 1, b"same picture")
    keep(spool, 2, b"same picture")
    first = spool.next_outgoing()
    assert first is not None
    spool.sent(first)
    second = spool.next_outgoing()
    assert second is not None
    assert [spool.read_file(s) for s in second.files] == [b"same picture"]
    spool.sent(second)
    assert spool.next_outgoing() is None
    assert list((tmp_path / "evidence").iterdir()) == []


def test_what_the_hub_refuses_steps_aside_and_is_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    keep(spool, 1, b"a")
    keep(spool, 2, b"b")
    item = spool.next_outgoing()
    assert item is not None
    spool.refused(item, "unknown camera")
    following = spool.next_outgoing()
    assert following is not None
    assert following.body["id"] == "f2"
    assert spool.waiting() == {"outgoing": 1, "readings": 0, "dead": 1}


def test_the_same_finding_twice_is_kept_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    keep(spool, 1, b"a")
    keep(spool, 1, b"a")
    assert spool.waiting()["outgoing"] == 1


def test_a_full_spool_says_so(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_outgoing=1, max_readings=2)
    keep(spool, 1, b"a")
    with pytest.raises(SpoolFull, match="1 findings"):
        keep(spool, 2, b"b")
    spool.add_readings([reading(1), reading(2)])
    with pytest.raises(SpoolFull, match="2 readings"):
        spool.add_readings([reading(3)])


def test_readings_are_kept_once_and_come_back_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.add_readings([reading(1), reading(2)]) == 2
    assert spool.add_readings([reading(2), reading(3)]) == 1
    assert [r for _seq, r in spool.unevaluated()] == [reading(1), reading(2), reading(3)]


def test_rule_state_and_findings_move_in_one_step(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add_readings([reading(1), reading(2)])
    seqs = [seq for seq, _reading in spool.unevaluated()]
    spool.evaluated(seqs, {"s1": {"high": 2}}, [finding(9)])
    spool.close()
    again = Spool(tmp_path)
    assert again.unevaluated() == []
    assert again.rule_states() == {"s1": {"high": 2}}
    item = again.next_outgoing()
    assert item is not None
    assert item.body["id"] == "f9"


def test_a_failed_step_changes_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_outgoing=1)
    spool.add_readings([reading(1)])
    seqs = [seq for seq, _reading in spool.unevaluated()]
    with pytest.raises(SpoolFull):
        spool.evaluated(seqs, {"s1": {"high": 1}}, [finding(1), finding(2)])
    assert len(spool.unevaluated()) == 1
    assert spool.rule_states() == {}
    assert spool.next_outgoing() is None


def test_posted_readings_are_not_posted_again_and_their_keys_are_still_known(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add_readings([reading(1)])
    spool.posted([seq for seq, _wire in spool.unposted()])
    assert spool.unposted() == []
    assert spool.add_readings([reading(1)]) == 0


def test_a_file_left_by_a_kill_is_swept_at_the_next_start(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    keep(spool, 1, b"wanted")
    spool.close()
    (tmp_path / "evidence" / "0123.partial").write_bytes(b"half")
    again = Spool(tmp_path)
    assert len(list((tmp_path / "evidence").iterdir())) == 1
    assert again.next_outgoing() is not None
