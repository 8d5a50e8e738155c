"""Messages that one worker passes to another: workers share what the broker delivers, but each judges its own devices.

Which worker judges a device follows from the device's id alone, so everything a device says is judged in one place and
in the order of time, whoever received it. A parcel goes through the broker (QoS 1) to a topic of that worker's own; the
original is acknowledged only after the broker has the parcel.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import orjson

from ingest.errors import PayloadError
from ingest.sensors.mqtt import Message

from ..batch import microseconds, time_at

FORMAT = "gridhub-parcel"
_PARCEL_BYTES = 256 << 10


@lru_cache(100_000)
def owner(device: str, workers: int) -> int:
    """Which of `workers` judges a device, as the hub assigns sensors too."""
    return zlib.crc32(device.encode()) % workers


def topic(group: str, index: int, workers: int) -> str:
    """Where parcels for a worker go; other numbers of workers have other topics, so that none reaches a wrong one."""
    return f"gridhub-workers/{group}/{index}-of-{workers}"


def parcels(messages: Sequence[Message]) -> list[bytes]:
    """Messages as payloads that any broker carries."""
    found, begun, size = list[bytes](), 0, 0
    for n, message in enumerate(messages):
        if size and size + len(message.payload) > _PARCEL_BYTES:
            found.append(parcel(messages[begun:n]))
            begun, size = n, 0
        size += len(message.payload)
    return [*found, parcel(messages[begun:])]


def parcel(messages: Sequence[Message]) -> bytes:
    """Messages as one payload: a line of JSON that says what they are, then their payloads."""
    forms = sorted({message.format for message in messages})
    rows = [(m.topic, forms.index(m.format), microseconds(m.received_at), m.retained, len(m.payload)) for m in messages]
    return orjson.dumps({"forms": forms, "messages": rows}) + b"\n" + b"".join(m.payload for m in messages)


def unpacked(payload: bytes, at_topic: str) -> list[Message]:
    """The inverse of `parcel`. Raises PayloadError: anybody may publish to the topic."""
    head, _, rest = payload.partition(b"\n")
    messages, at = [], 0
    try:
        told = orjson.loads(head)
        forms = [str(form) for form in told["forms"]]
        for name, form, received_us, retained, size in told["messages"]:
            if not 0 <= size <= len(rest) - at:
                raise ValueError(f"{size} bytes more, {len(rest) - at} are there")
            data = rest[at : at + size]
            messages.append(Message(str(name), data, time_at(int(received_us)), bool(retained), forms[form]))
            at += size
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise PayloadError(f"{at_topic}: no parcel of another worker ({error}): {payload[:40]!r}") from None
    return messages
