"""Sparkplug B payloads written by Google's protobuf, so that our own reader is not tested with our own writer.

The message types are built from the field numbers of the specification (Eclipse Sparkplug 3.0, sparkplug_b.proto).
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = descriptor_pb2.FieldDescriptorProto
_U32, _U64, _F, _D, _B, _S, _BYTES, _M = (
    _TYPES.TYPE_UINT32, _TYPES.TYPE_UINT64, _TYPES.TYPE_FLOAT, _TYPES.TYPE_DOUBLE, _TYPES.TYPE_BOOL, _TYPES.TYPE_STRING,
    _TYPES.TYPE_BYTES, _TYPES.TYPE_MESSAGE,
)  # fmt: skip
_MESSAGES: dict[str, list[tuple[int, str, int, str]]] = {
    "Value": [
        (1, "type", _U32, ""), (2, "is_null", _B, ""), (3, "int_value", _U32, ""), (4, "long_value", _U64, ""),
        (5, "float_value", _F, ""), (6, "double_value", _D, ""), (7, "boolean_value", _B, ""),
        (8, "string_value", _S, ""),
    ],
    "PropertySet": [(1, "keys", _S, "*"), (2, "values", _M, "*Value")],
    "Metric": [
        (1, "name", _S, ""), (2, "alias", _U64, ""), (3, "timestamp", _U64, ""), (4, "datatype", _U32, ""),
        (5, "is_historical", _B, ""), (6, "is_transient", _B, ""), (7, "is_null", _B, ""),
        (9, "properties", _M, "PropertySet"), (10, "int_value", _U32, ""), (11, "long_value", _U64, ""),
        (12, "float_value", _F, ""), (13, "double_value", _D, ""), (14, "boolean_value", _B, ""),
        (15, "string_value", _S, ""), (16, "bytes_value", _BYTES, ""),
    ],
    "Payload": [
        (1, "timestamp", _U64, ""), (2, "metrics", _M, "*Metric"), (3, "seq", _U64, ""), (4, "uuid", _S, ""),
        (5, "body", _BYTES, ""),
    ],
}  # fmt: skip


def _build() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="tahu_for_tests.proto", package="tahu", syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, kind, of in fields:
            label = _TYPES.LABEL_REPEATED if of.startswith("*") else _TYPES.LABEL_OPTIONAL
            made = message.field.add(name=field, number=number, type=kind, label=label)
            if kind == _M:
                made.type_name = f".tahu.{of.lstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tahu.Payload"))


_PAYLOAD = _build()
_FIELD_OF = {
    **dict.fromkeys((1, 2, 3, 5, 6, 7), "int_value"), **dict.fromkeys((4, 8, 13), "long_value"), 9: "float_value",
    10: "double_value", 11: "boolean_value", 12: "string_value", 14: "string_value",
}  # fmt: skip


def metric(value: Any, datatype: int, *, said: bool = True, unit: str = "", **more: Any) -> dict[str, Any]:
    """A metric; `said` False leaves its datatype out, as data after a birth may."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        value += 1 << (64 if datatype == 4 else 32)
    found: dict[str, Any] = {**more, **({"datatype": datatype} if said else {})}
    if value is None:
        found["is_null"] = True
    else:
        found[_FIELD_OF[datatype]] = value
    if unit:
        found["properties"] = {"keys": ["engUnit"], "values": [{"type": 12, "string_value": unit}]}
    return found


def payload(*metrics: dict[str, Any], seq: int | None = None, timestamp: int | None = 1795400104000) -> bytes:
    """The bytes of one message."""
    about = {name: value for name, value in (("seq", seq), ("timestamp", timestamp)) if value is not None}
    data: bytes = _PAYLOAD(metrics=list(metrics), **about).SerializeToString()
    return data


def read(data: bytes) -> Any:
    """What protobuf itself makes of bytes."""
    return _PAYLOAD.FromString(data)
