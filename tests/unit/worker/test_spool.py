"""The worker's durable memory: nothing is forgotten before the hub has it, nothing is kept after."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detectors.finding import Evidence, Finding
from hub.batch import unpacked
from hub.worker.spool import Spool, SpoolFull
from ingest.reading import Quality, Reading

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
    spool.keep([], explaining=((f"t{n % 5}", "sparkplug", bytes((n,)), NOW) for n in range(7)))
    spool.keep([], explaining=[("t9", "sparkplug", bytes(70_000), NOW)])
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
    spool.keep([reading(1), reading(2)])
    with pytest.raises(SpoolFull, match="2 readings"):
        spool.keep([reading(3)])


def posted_all(spool: Spool) -> list[Reading]:
    sent: list[Reading] = []
    while (waiting := spool.unposted())[1]:
        sent += unpacked(b",".join(waiting[1]))
        spool.posted(waiting[0])
    return sent


def test_readings_are_kept_once_and_come_back_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.unknown([reading(1), reading(2), reading(1)]) == [reading(1), reading(2)]
    spool.keep([reading(1), reading(2)])
    assert spool.unknown([reading(2), reading(3)]) == [reading(3)]
    spool.keep([reading(3)])
    assert [r for batch in spool.kept() for r in batch] == [reading(1), reading(2), reading(3)]
    assert posted_all(spool) == [reading(1), reading(2), reading(3)]


def test_a_reading_comes_back_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    whole = replace(
        reading(1),
        quality=Quality.LATE,
        battery_pct=81.5,
        rssi_dbm=-97.0,
        snr_db=6.2,
        seq=812,
        channel="L2",
        value=-0.1,
    )
    whole = replace(whole, observed_at=NOW + timedelta(microseconds=123457), source_format="chirpstack")
    spool = Spool(tmp_path)
    spool.keep([whole])
    assert posted_all(spool) == [whole]


def test_batches_are_posted_together_up_to_a_size(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for start in range(0, 5000, 700):
        spool.keep([reading(n) for n in range(start, min(5000, start + 700))])
    assert spool.waiting()["readings"] == 5000
    last, batches = spool.unposted(most=2000)
    assert [len(unpacked(batch)) for batch in batches] == [700, 700]
    spool.posted(last)
    assert spool.waiting()["readings"] == 3600
    spool.keep([reading(n) for n in range(5000, 50_000)])
    assert [r.value for r in posted_all(spool)] == [float(n) for n in range(1400, 50_000)]
    assert spool.waiting()["readings"] == 0


def test_rule_state_readings_and_findings_move_in_one_step(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.keep([reading(1), reading(2)], {"s1": {"high": 2}}, [finding(9)])
    spool.close()
    again = Spool(tmp_path)
    assert again.unknown([reading(1), reading(2)]) == []
    assert again.rule_states() == {"s1": {"high": 2}}
    item = again.next_outgoing()
    assert item is not None
    assert item.body["id"] == "f9"


def test_a_failed_step_changes_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_outgoing=1)
    with pytest.raises(SpoolFull):
        spool.keep([reading(1)], {"s1": {"high": 1}}, [finding(1), finding(2)])
    assert spool.unknown([reading(1)]) == [reading(1)]
    assert spool.waiting() == {"outgoing": 0, "readings": 0, "dead": 0}
    assert spool.rule_states() == {}
    assert spool.next_outgoing() is None


def test_posted_readings_are_not_posted_again_and_their_keys_are_still_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.worker.spool._KEPT_POSTED", 3)
    spool = Spool(tmp_path)
    for number in range(6):
        spool.keep([reading(number)])
    posted_all(spool)
    assert spool.unposted()[1] == []
    spool.close()
    again = Spool(tmp_path)
    assert again.unposted()[1] == []
    assert [r.value for r in again.unknown([reading(n) for n in range(6)])] == [0, 1, 2], "only the newest are known"
    again.keep([reading(7)])
    assert posted_all(again) == [reading(7)]


def test_of_keys_only_the_newest_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.worker.spool._KNOWN_KEYS", 10)
    spool = Spool(tmp_path)
    for number in range(40):
        spool.keep([reading(number)])
    known = [n for n in range(40) if not spool.unknown([reading(n)])]
    assert 10 <= len(known) <= 22
    assert known == list(range(known[0], 40))


def test_a_full_disk_is_told_and_gone_when_there_is_room_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.keep([reading(1)])
    pages = spool.limit_pages(0)
    many = [reading(n) for n in range(100, 1900)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        spool.keep(many, {"s1": {"high": 1}})
    assert spool.unknown(many) == many
    assert spool.rule_states() == {}
    kept = spool.waiting()["readings"]
    spool.limit_pages(pages)
    spool.keep([reading(2)])
    assert spool.waiting()["readings"] == kept + 1
    assert len(posted_all(spool)) == kept + 1


def test_what_a_spool_of_the_first_version_did_not_send_goes_on(tmp_path: Path) -> None:
    tmp_path.joinpath("evidence").mkdir()
    with sqlite3.connect(tmp_path / "spool.sqlite") as old:
        old.execute("CREATE TABLE readings (seq INTEGER PRIMARY KEY, key TEXT, body TEXT, evaluated INT, posted INT)")
        wire = asdict(reading(5)) | {"observed_at": NOW.isoformat(), "received_at": NOW.isoformat()}
        rows = [("k1", json.dumps(wire), 1, 1), ("k2", json.dumps(wire | {"key": "k2"}), 1, 0)]
        old.executemany("INSERT INTO readings (key, body, evaluated, posted) VALUES (?, ?, ?, ?)", rows)
    old.close()
    spool = Spool(tmp_path)
    assert [(r.key, r.value) for r in posted_all(spool)] == [("k2", 5.0)]
    spool.close()
    assert posted_all(Spool(tmp_path)) == []


def test_a_file_left_by_a_kill_is_swept_at_the_next_start(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    keep(spool, 1, b"wanted")
    spool.close()
    (tmp_path / "evidence" / "0123.partial").write_bytes(b"half")
    again = Spool(tmp_path)
    assert len(list((tmp_path / "evidence").iterdir())) == 1
    assert again.next_outgoing() is not None
