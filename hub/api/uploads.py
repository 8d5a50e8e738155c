"""Bodies with files: JSON alone, or a multipart form with one JSON (or text) field and pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from ..errors import Invalid, TooLarge
from ..evidence import CLIP_BYTES_MAX

BODY_BYTES_MAX = 64 * 1024 * 1024
STRANGERS_BYTES_MAX = 2 * 1024 * 1024
"""Of a request without session or token: a sign-in, a sensor's telemetry."""
PHOTOS_MOST = 9
_FILES_MAX = 12
_JSON_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """Text fields, and files as (name of the part, bytes)."""

    fields: dict[str, str]
    files: tuple[tuple[str, bytes], ...] = field(default=())

    def by_name(self) -> dict[str, bytes]:
        """Files by the name of their part."""
        return dict(self.files)


def photos_of(upload: Upload) -> list[tuple[str, bytes]]:
    """(type or "", bytes) of the parts `photos`, `photos[]` and `photos:TYPE`. Raises Invalid (too many of them)."""
    parts = [(name.partition(":"), content) for name, content in upload.files]
    found = [(kind, content) for (base, _colon, kind), content in parts if base in ("photos", "photos[]")]
    if len(found) > PHOTOS_MOST:
        raise Invalid("photos", len(found), f"at most {PHOTOS_MOST} photos")
    return found


async def read_upload(request: Request, json_field: str | None = None) -> Upload:
    """The body: JSON counts as the one field `json_field`. Raises TooLarge, Invalid."""
    length = request.headers.get("Content-Length", "0")
    if length.isdigit() and int(length) > BODY_BYTES_MAX:
        raise TooLarge("body", BODY_BYTES_MAX)
    media_type = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return await _multipart(request)
    body = await _whole(request)
    if json_field is not None:
        return Upload({json_field: _text(body)})
    values = parsed(_text(body) or "{}", "body")
    return Upload({k: v for k, v in values.items() if isinstance(v, str)})


def parsed(text: str, name: str) -> dict[str, Any]:
    """A JSON object. Raises Invalid."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Invalid(name, text[:100], f"JSON ({error})") from None
    if not isinstance(value, dict):
        raise Invalid(name, text[:100], "a JSON object")
    return value


async def _multipart(request: Request) -> Upload:
    fields: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    form = await request.form(max_files=_FILES_MAX, max_fields=20, max_part_size=_JSON_BYTES_MAX)
    try:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields[name] = value
                continue
            content = await value.read(CLIP_BYTES_MAX + 1)
            if len(content) > CLIP_BYTES_MAX:
                raise TooLarge(name, CLIP_BYTES_MAX)
            files.append((name, content))
    finally:
        await form.close()
    return Upload(fields, tuple(files))


async def _whole(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _JSON_BYTES_MAX:
            raise TooLarge("body", _JSON_BYTES_MAX)
        chunks.append(chunk)
    return b"".join(chunks)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Invalid("body", f"{len(body)} bytes", "JSON in UTF-8") from None
