"""How sure a share of few is."""

from __future__ import annotations

import math

Z95 = 1.959964
"""The normal quantile of a two-sided 95 % interval."""


def wilson(hits: int, of: int, z: float = Z95) -> tuple[float, float]:
    """The 95 % score interval of a share, (0, 1) where there is nothing.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927); it stays within 0-1 and
    is usable for few (R. G. Newcombe, 1998).
    """
    if of <= 0:
        return 0.0, 1.0
    share, spread = hits / of, z * z / of
    middle = share + spread / 2
    reach = z * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))
