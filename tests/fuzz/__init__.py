"""Coverage-guided fuzzing of everything that reads bytes from a camera or a sensor.

A file `fuzz_NAME.py` holds `one(data: bytes) -> None`, which raises on an escape and on nothing else, and
`seeds() -> list[bytes]`. `python -m tests.fuzz.run NAME --seconds 60` fuzzes it; a unit test runs all of them briefly.
"""

from __future__ import annotations

from pathlib import Path

HARNESSES = sorted(path.stem.removeprefix("fuzz_") for path in Path(__file__).parent.glob("fuzz_*.py"))
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "rtsp"
