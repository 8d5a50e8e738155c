"""Everything that can go wrong between a picture and a finding, as one tree.

DetectorError
├── KindsError         kinds or sensor profiles that cannot be used; `.problems` lists every one of them
├── CatalogError       a model that is not there, is not what its card says, or has a broken card
├── ModelError         a model that cannot run, or answers in another shape than its card says
├── PictureError       an array that is no picture (type, shape)
└── FootageError       a recording or zone file that `replay` cannot use
"""

from __future__ import annotations

from collections.abc import Sequence


class DetectorError(Exception):
    """Root of the tree; its text is meant for the user."""


class KindsError(DetectorError):
    """Kinds or profiles that cannot be used: every problem at once, each naming file, key, value, what is allowed."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class CatalogError(DetectorError):
    """A model that is not there, or is not what its card says."""


class ModelError(DetectorError):
    """A model that cannot run here."""


class PictureError(DetectorError):
    """An array that is no picture."""


class FootageError(DetectorError):
    """A recording or zone file that cannot be used."""
