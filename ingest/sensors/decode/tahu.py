"""The Sparkplug B payload, as much of it as readings need: protobuf bytes in, metrics out, and one request back.

Source: Eclipse Sparkplug 3.0 specification, chapter 6 and its sparkplug_b.proto; the wire format is that of Protocol
Buffers, "Encoding". Everything else in a payload (metadata, data sets, templates) is stepped over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_METRICS = 5000

INT8, INT16, INT32, INT64, FLOAT, DOUBLE, BOOLEAN, STRING, TEXT = 1, 2, 3, 4, 9, 10, 11, 12, 14
DATETIME = 13
_SIGNED_BITS = {INT8: 8, INT16: 16, INT32: 32, INT64: 64}


class NotTahu(ValueError):
    """The bytes are no Sparkplug B payload; the text says where."""


@dataclass(slots=True)
class Metric:
    """One metric. `value` is None where it is null, or of a kind that no reading can hold."""

    name: str = ""
    alias: int | None = None
    time_ms: int | None = None
    datatype: int | None = None
    value: float | str | None = None
    historical: bool = False
    unit: str = ""


@dataclass(slots=True)
class Payload:
    """What one message carries."""

    time_ms: int | None = None
    seq: int | None = None
    kind: str = ""
    metrics: list[Metric] = field(default_factory=list)


def parse(data: bytes) -> Payload:
    """Raises NotTahu."""
    payload = Payload()
    for number, wire, value in _fields(data):
        if number == 1:
            payload.time_ms = _whole(wire, value)
        elif number == 2:
            if len(payload.metrics) >= MOST_METRICS:
                raise NotTahu(f"more than {MOST_METRICS} metrics")
            payload.metrics.append(_metric(_piece(wire, value)))
        elif number == 3:
            payload.seq = _whole(wire, value)
        elif number == 4:
            payload.kind = _text(wire, value)
    return payload


def typed(metric: Metric, datatype: int | None) -> float | str | None:
    """The value with the sign that its datatype gives it; integers travel without one."""
    bits = _SIGNED_BITS.get(datatype or 0)
    if bits is None or not isinstance(metric.value, int) or isinstance(metric.value, bool):
        return metric.value
    value = metric.value & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value


def _metric(data: bytes) -> Metric:
    metric, null = Metric(), False
    for number, wire, value in _fields(data):
        if number == 1:
            metric.name = _text(wire, value)
        elif number in (2, 3, 4):
            setattr(metric, ("alias", "time_ms", "datatype")[number - 2], _whole(wire, value))
        elif number == 5:
            metric.historical = bool(_whole(wire, value))
        elif number == 7:
            null = bool(_whole(wire, value))
        elif number == 9:
            metric.unit = _engineering_unit(_piece(wire, value))
        elif 10 <= number <= 15:
            metric.value = _value(number, wire, value)
    if null:
        metric.value = None
    return metric


def _value(number: int, wire: int, value: int | bytes) -> float | str:
    """Of the fields 10 to 15 of a metric, which are 3 to 8 of a property: int, long, float, double, boolean, string."""
    if number in (10, 11):
        return _whole(wire, value)
    if number == 12:
        return float(struct.unpack("<f", _piece(wire, value, 5))[0])
    if number == 13:
        return float(struct.unpack("<d", _piece(wire, value, 1))[0])
    return float(bool(_whole(wire, value))) if number == 14 else _text(wire, value)


def _engineering_unit(data: bytes) -> str:
    """The property `engUnit` of a property set, whose keys and values are two lists in step."""
    keys: list[str] = []
    values: list[bytes] = []
    for number, wire, value in _fields(data):
        if number == 1:
            keys.append(_text(wire, value))
        elif number == 2:
            values.append(_piece(wire, value))
    for key, held in zip(keys, values, strict=False):
        if key.lower() in ("engunit", "engunits", "engineering units"):
            return next((_text(wire, value) for number, wire, value in _fields(held) if number == 8), "")
    return ""


def _fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(field number, wire type, value) in order: an int of a varint, the bytes of everything else."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            found, at = _varint(data, at)
            yield number, wire, found
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise NotTahu(f"wire type {wire} at byte {at}")
        if number == 0 or size > end - at:
            raise NotTahu(f"{size} bytes of field {number} at byte {at} of {end}")
        yield number, wire, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise NotTahu(f"a number without an end at byte {at}")


def _whole(wire: int, value: int | bytes) -> int:
    if wire != 0 or not isinstance(value, int):
        raise NotTahu(f"wire type {wire} in place of a number")
    return value


def _piece(wire: int, value: int | bytes, wanted: int = 2) -> bytes:
    if wire != wanted or not isinstance(value, bytes):
        raise NotTahu(f"wire type {wire} in place of {wanted}")
    return value


def _text(wire: int, value: int | bytes) -> str:
    try:
        return _piece(wire, value).decode()
    except UnicodeDecodeError:
        raise NotTahu("a text that is not UTF-8") from None


def rebirth_request(time_ms: int) -> bytes:
    """The payload of an NCMD that makes an edge node publish its births again."""
    name = b"Node Control/Rebirth"
    metric = b"\x0a" + bytes((len(name),)) + name + b"\x20" + bytes((BOOLEAN,)) + b"\x70\x01"
    return b"\x08" + _as_varint(time_ms) + b"\x12" + bytes((len(metric),)) + metric


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
