"""Other cameras, other looks: tone, sharpness, colour and noise of training pictures changed at random."""

from __future__ import annotations

import torch
from torch.nn import functional

GAMMA = (0.6, 1.6)
CONTRAST = (0.5, 1.15)
"""Below one more than above: most garbage pictures were stretched to full contrast, and a camera's are flat."""
NOISE = 0.04


def varied(pictures: torch.Tensor, share: float) -> torch.Tensor:
    """`pictures` (N x 3 x H x W, RGB 0-1), about `share` of them (0-1) as another camera would have shown them.

    Each of those gets its own gamma and contrast, and some lose their colour, their sharpness, or gain noise.
    """
    if share <= 0:
        return pictures
    return torch.stack([_other(p) if _chance() < share else p for p in pictures])


def _other(picture: torch.Tensor) -> torch.Tensor:
    """3 x H x W, 0-1, in and out."""
    picture = picture.clamp(0, 1) ** _between(*GAMMA)
    mean = picture.mean()
    picture = mean + (picture - mean) * _between(*CONTRAST) + _between(-0.1, 0.1)
    if _chance() < 0.1:
        picture = picture.mean(0, keepdim=True).expand_as(picture)
    if _chance() < 0.3:
        scale = _between(0.4, 0.8)
        small = functional.interpolate(picture[None], scale_factor=scale, mode="bilinear", antialias=True)
        picture = functional.interpolate(small, size=picture.shape[1:], mode="bilinear")[0]
    if _chance() < 0.3:
        picture = picture + torch.randn_like(picture) * _between(0, NOISE)
    return picture.clamp(0, 1)


def _between(low: float, high: float) -> float:
    return low + (high - low) * _chance()


def _chance() -> float:
    return float(torch.rand(()))
