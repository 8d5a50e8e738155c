"""Who may stay connected to a platform (an NVR, a cloud) that allows so many sessions and no more. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .device import Camera, Watch
from .said import Said


@dataclass(frozen=True, slots=True)
class Shares:
    """`opened`: each camera as it is to be opened; `notes`: what to say of it, by id; `turns`: sessions left for looks
    that come and go, by platform."""

    opened: dict[str, Camera]
    notes: dict[str, Said]
    turns: dict[str, int]


def share_out(cameras: Iterable[Camera], sessions: Mapping[str, int]) -> Shares:
    """Standing cameras get the sessions of their platform by priority, then by id; one is left for all the others.

    Those that get none take turns, as patrol cameras do.
    """
    opened = {camera.id: camera for camera in cameras}
    notes: dict[str, Said] = {}
    turns: dict[str, int] = {}
    by_platform: dict[str, list[Camera]] = defaultdict(list)
    for camera in opened.values():
        if camera.platform in sessions:
            by_platform[camera.platform].append(camera)
    for platform, members in by_platform.items():
        most = sessions[platform]
        standing = sorted((c for c in members if c.watch is Watch.STAY), key=lambda c: (-c.priority, c.id))
        all_fit = len(standing) <= most - (len(standing) < len(members))
        stays = len(standing) if all_fit else max(0, most - 1)
        turns[platform] = most - stays
        for camera in standing[stays:]:
            opened[camera.id] = replace(camera, watch=Watch.PATROL)
            notes[camera.id] = Said(
                f"takes turns: platform {platform} allows {most} sessions, {len(standing)} cameras want to stay",
                "takes_turns",
                platform=platform,
                sessions=most,
                cameras=len(standing),
            )
    return Shares(opened, notes, turns)
