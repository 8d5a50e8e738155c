"""Pictures and clips, each a file named by the SHA-256 of its bytes: written whole or not at all, never changed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .errors import HashMismatch, Invalid, NotFound, TooLarge

IMAGE_BYTES_MAX = 8 * 1024 * 1024
CLIP_BYTES_MAX = 32 * 1024 * 1024
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "video/mp4")

FOLDERS = 256
BEGUN, GOING = ".new-", ".going-"
"""How the names of files begin that are being written, and being deleted."""

_HEX64 = re.compile(r"[0-9a-f]{64}")


class DamagedEvidence(Exception):
    """A stored file whose bytes no longer have the hash of its name."""


def media_type_of(content: bytes) -> str | None:
    """The media type that the first bytes show, None when it is not one of MEDIA_TYPES."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return None


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the store: its hash (hex), what it is, and its size in bytes."""

    sha256: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class EvidenceStore:
    """Files under `folder` as `ab/cdef…`."""

    folder: Path

    def put(self, content: bytes, expected_sha256: str | None = None) -> Stored:
        """Keep `content`; on disk before this returns. Raises HashMismatch, TooLarge, Invalid (no picture or clip)."""
        digest = hashlib.sha256(content).hexdigest()
        if expected_sha256 is not None and digest != expected_sha256:
            raise HashMismatch("evidence", expected_sha256, f"the SHA-256 of the bytes, which is {digest}")
        media_type = media_type_of(content)
        if media_type is None:
            raise Invalid("evidence", digest, "a picture or clip by its content: " + ", ".join(MEDIA_TYPES))
        most = CLIP_BYTES_MAX if media_type.startswith("video/") else IMAGE_BYTES_MAX
        if len(content) > most:
            raise TooLarge(f"evidence {digest}", most)
        path = self.path(digest)
        if not self._touched(path) or not self._whole(path, digest):
            write_durably(path, content)
        return Stored(digest, media_type, len(content))

    def read(self, sha256: str) -> bytes:
        """The bytes, verified. Raises NotFound, DamagedEvidence."""
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise NotFound("evidence", sha256) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DamagedEvidence(f"evidence {sha256}: the stored bytes have another hash")
        return content

    def has(self, sha256: str) -> bool:
        """Whether the file is there."""
        return bool(_HEX64.fullmatch(sha256)) and self.path(sha256).is_file()

    def discard(self, sha256: str, untouched_since: datetime) -> bool:
        """Delete the file, unless somebody has put the same bytes since then; whether there is none any more.

        Who puts it touches it first: here the file is moved away before its time is read, so that a rival either finds
        none and writes it anew, or has touched this one, which then comes back.
        """
        path = self.path(sha256)
        going = path.with_name(GOING + path.name)
        try:
            os.replace(path, going)
        except FileNotFoundError:
            return True
        if going.stat().st_mtime >= untouched_since.timestamp():
            os.replace(going, path)
            return False
        going.unlink()
        return True

    def stray(self, folder: int, untouched_since: datetime) -> list[tuple[str, int]]:
        """(hash, bytes) of the files in one of the 256 folders that nobody put since then.

        Beginnings and ends that a crash left are cleared on the way.
        """
        found = []
        for path in sorted((self.folder / f"{folder:02x}").glob("*")):
            try:
                about = path.stat()
                if about.st_mtime >= untouched_since.timestamp():
                    continue
                if path.name.startswith(GOING):
                    back = path.with_name(path.name.removeprefix(GOING))
                    os.replace(path, back)
                    path = back
                if path.name.startswith(BEGUN):
                    path.unlink()
                elif _HEX64.fullmatch(sha256 := path.parent.name + path.name):
                    found.append((sha256, about.st_size))
            except FileNotFoundError:
                continue
        return found

    def path(self, sha256: str) -> Path:
        """Where the file lies or would lie. Raises NotFound for what is no hash."""
        if not _HEX64.fullmatch(sha256):
            raise NotFound("evidence", sha256)
        return self.folder / sha256[:2] / sha256[2:]

    @staticmethod
    def _touched(path: Path) -> bool:
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    @staticmethod
    def _whole(path: Path, digest: str) -> bool:
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest() == digest
        except FileNotFoundError:
            return False


def write_durably(path: Path, content: bytes) -> None:
    """Write beside, flush to disk, rename: after a crash there is the whole file or none."""
    replace_file(path, content, flush=True)
    _flush_folder(path.parent)
    _flush_folder(path.parent.parent)


def replace_file(path: Path, content: bytes, *, flush: bool = False, mode: int = 0o640) -> None:
    """Write beside and rename: readers see the old file or the new one. Without `flush` a power cut may lose both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=BEGUN)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if flush:
                os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
