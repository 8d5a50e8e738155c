"""How much a battery has left: of its percentage, or of its voltage where that is all a device tells. Pure."""

from __future__ import annotations

from dataclasses import dataclass

OK, LOW, CRITICAL = "ok", "low", "critical"


@dataclass(frozen=True, slots=True)
class BatteryLimits:
    """At or below `warn` it is low, at or below `critical` it must be changed now; volts for cells that tell no share.

    A lithium thionyl chloride cell (3.6 V) holds its voltage to the end: low at 3.3 V (domain.md §8.4).
    """

    warn_pct: float = 20.0
    critical_pct: float = 10.0
    warn_v: float | None = None
    critical_v: float | None = None

    def level(self, pct: float | None, volts: float | None) -> str:
        """ok, low or critical; the share decides where both are told."""
        if pct is not None:
            return CRITICAL if pct <= self.critical_pct else LOW if pct <= self.warn_pct else OK
        if volts is not None and self.critical_v is not None and volts <= self.critical_v:
            return CRITICAL
        return LOW if volts is not None and self.warn_v is not None and volts <= self.warn_v else OK
