"""The evidence store: whole files under the hash of their bytes, checked on the way in and out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.errors import HashMismatch, Invalid, NotFound, TooLarge
from hub.evidence import IMAGE_BYTES_MAX, DamagedEvidence, EvidenceStore, media_type_of

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


def test_a_file_lies_under_its_hash_and_is_written_once(store: EvidenceStore) -> None:
    digest = hashlib.sha256(JPEG).hexdigest()
    stored = store.put(JPEG, digest)
    assert (stored.sha256, stored.media_type, stored.size) == (digest, "image/jpeg", len(JPEG))
    path = store.folder / digest[:2] / digest[2:]
    assert path.read_bytes() == JPEG
    before = path.stat().st_ino
    assert store.put(JPEG) == stored
    assert path.stat().st_ino == before
    assert store.read(digest) == JPEG
    assert [p.name for p in path.parent.iterdir()] == [digest[2:]], "no temporary file stays"


def test_what_is_not_what_its_name_says_is_refused(store: EvidenceStore) -> None:
    with pytest.raises(HashMismatch):
        store.put(JPEG, "0" * 64)
    assert not store.folder.exists()


def test_damage_is_seen_and_mended_by_the_next_delivery(store: EvidenceStore) -> None:
    digest = store.put(JPEG).sha256
    store.path(digest).write_bytes(JPEG[:-1])
    with pytest.raises(DamagedEvidence):
        store.read(digest)
    store.put(JPEG)
    assert store.read(digest) == JPEG


@pytest.mark.parametrize("name", ["", "abc", "../" + "a" * 61, "A" * 64, "g" * 64])
def test_what_is_no_hash_names_nothing(store: EvidenceStore, name: str) -> None:
    assert not store.has(name)
    with pytest.raises(NotFound):
        store.read(name)


def test_only_pictures_and_clips_of_a_sane_size(store: EvidenceStore) -> None:
    for content in (b"", b"<svg/>", b"GIF89a", b"MZ", b"\x00\x00\x00\x18free"):
        with pytest.raises(Invalid):
            store.put(content)
    with pytest.raises(TooLarge):
        store.put(JPEG + bytes(IMAGE_BYTES_MAX))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
    ],
)
def test_the_media_type_is_that_of_the_content(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type


def test_many_writers_of_one_file(store: EvidenceStore) -> None:
    threads = [threading.Thread(target=store.put, args=(JPEG,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read(hashlib.sha256(JPEG).hexdigest()) == JPEG


def _aged(store: EvidenceStore, content: bytes) -> str:
    """The hash of a file that was put an hour before NOW."""
    sha256 = store.put(content).sha256
    at = (NOW - timedelta(hours=1)).timestamp()
    os.utime(store.path(sha256), (at, at))
    return sha256


def test_a_file_that_somebody_put_again_is_not_deleted(store: EvidenceStore) -> None:
    sha256 = _aged(store, JPEG)
    store.put(JPEG)
    assert store.discard(sha256, datetime.now(UTC) - timedelta(minutes=1)) is False
    assert store.read(sha256) == JPEG


def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(store: EvidenceStore) -> None:
    sha256 = _aged(store, JPEG)
    assert (store.discard(sha256, NOW), store.discard(sha256, NOW)) == (True, True)
    assert not store.has(sha256)
    assert list(store.path(sha256).parent.iterdir()) == []


def test_what_a_crash_left_is_cleared_and_what_was_half_deleted_comes_back(store: EvidenceStore) -> None:
    sha256 = _aged(store, JPEG)
    path = store.path(sha256)
    path.rename(path.with_name(".going-" + path.name))
    begun = path.with_name(".new-xyz")
    begun.write_bytes(b"half")
    at = (NOW - timedelta(hours=1)).timestamp()
    os.utime(begun, (at, at))
    assert store.stray(int(sha256[:2], 16), NOW) == [(sha256, len(JPEG))]
    assert store.read(sha256) == JPEG
    assert not begun.exists()


def test_many_who_put_and_one_who_deletes_never_lose_a_file_just_put(store: EvidenceStore) -> None:
    sha256, ends, lost = _aged(store, JPEG), threading.Event(), list[int]()

    def delete() -> None:
        while not ends.is_set():
            store.discard(sha256, datetime.now(UTC) - timedelta(seconds=30))

    deleter = threading.Thread(target=delete)
    deleter.start()
    for turn in range(300):
        store.put(JPEG)
        if not _comes(store, sha256):
            lost.append(turn)
        old = (NOW - timedelta(days=400)).timestamp()
        with contextlib.suppress(FileNotFoundError):
            os.utime(store.path(sha256), (old, old))
    ends.set()
    deleter.join()
    assert lost == []


def _comes(store: EvidenceStore, sha256: str) -> bool:
    """Whether it is there, or back within a moment: a rival looks at its time while it has another name."""
    for _ in range(1000):
        if store.has(sha256):
            return True
        time.sleep(0.0001)
    return False
