"""Mapping profiles: any profile is refused in words or made, and reads any message within bounds."""

from __future__ import annotations

import json

from ingest.errors import PayloadError
from ingest.sensors.decode.mapping import MappingProfile
from tests.samples.readings import wire_form

from .payloads import feed, seeds_of

_SHIPPED = ("mapping:ctwing_level", "mapping:onenet_water")


def seeds() -> list[bytes]:
    """The shipped profiles, each before its sample."""
    profiles = [json.dumps(json.loads(wire_form(name))).encode() for name in _SHIPPED]
    return [profile + b"\xff\xfd" + sample for profile, sample in zip(profiles, seeds_of("mapping"), strict=True)]


def one(data: bytes) -> None:
    """The profile, and messages for it and for those that are shipped."""
    profile, _, messages = data.partition(b"\xff\xfd")
    for name in _SHIPPED:
        feed(MappingProfile.from_json(wire_form(name)), messages)
    try:
        made = MappingProfile.from_json(profile.decode("utf-8", "replace"))
    except PayloadError:
        return
    feed(made, messages)
