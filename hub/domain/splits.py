"""Which cameras' pictures train a model and which judge it: never the same camera's for both. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256

VALIDATES = 0.2
"""Share of the cameras (by the hash of their id) whose pictures judge."""


class TooFewCameras(ValueError):
    """One camera cannot be on both sides."""


def split_by_camera(cameras: Collection[str], share: float = VALIDATES) -> Mapping[str, str]:
    """Camera to train or val, by the hash of its id: the same in every export, whatever other cameras come.

    Where chance put all on one side, the camera nearest to the border changes over. Raises TooFewCameras.
    """
    if len(set(cameras)) < 2:
        raise TooFewCameras(
            f"pictures of at least 2 cameras are needed to train and to judge; there: {len(set(cameras))}"
        )
    places = {camera: int(sha256(camera.encode()).hexdigest()[:12], 16) / 16**12 for camera in cameras}
    sides = {camera: "val" if place < share else "train" for camera, place in places.items()}
    if len(set(sides.values())) == 1:
        nearest = min(places, key=lambda camera: (abs(places[camera] - share), camera))
        sides[nearest] = "train" if sides[nearest] == "val" else "val"
    return sides
