"""The evidence store: whole files under the hash of their bytes, checked on the way in and out."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from hub.errors import HashMismatch, Invalid, NotFound, TooLarge
from hub.evidence import IMAGE_BYTES_MAX, DamagedEvidence, EvidenceStore, media_type_of

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
    before = path.stat().st_mtime_ns
    assert store.put(JPEG) == stored
    assert path.stat().st_mtime_ns == before
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
