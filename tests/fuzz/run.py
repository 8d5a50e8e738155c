"""Fuzz the byte parsers with atheris (libFuzzer): `python -m tests.fuzz.run [NAME …] --seconds 60`; no name: all.

What escapes is kept in .make/fuzz/NAME-crash-…; `--again FILE` runs one input once more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import atheris

from . import HARNESSES

KEPT = Path(".make/fuzz")
MOST_INPUT_BYTES = 8192


def main() -> int:
    """Exit status: 0 where nothing escaped."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", choices=[*HARNESSES, []], help=", ".join(HARNESSES))
    options.add_argument("--seconds", type=int, default=60, help="for each harness")
    options.add_argument("--corpus", type=Path, metavar="FOLDER", help="keep what is found there, and begin with it")
    options.add_argument("--again", type=Path, metavar="FILE", help="an input that escaped")
    given = options.parse_args()
    names = given.names or HARNESSES
    if len(names) == 1:
        fuzz(names[0], given.seconds, given.corpus, given.again)
    # libFuzzer ends its process, so several harnesses take one each.
    failed = [name for name in names if subprocess.run(_alone(name, given), check=False).returncode]
    print(f"escaped: {', '.join(failed)}" if failed else f"nothing escaped from {', '.join(names)}")
    return 1 if failed else 0


def _alone(name: str, given: argparse.Namespace) -> list[str]:
    kept = ["--corpus", str(given.corpus)] if given.corpus else []
    return [sys.executable, "-m", "tests.fuzz.run", name, "--seconds", str(given.seconds), *kept]


def fuzz(name: str, seconds: int, kept: Path | None, again: Path | None) -> None:
    """Never returns: libFuzzer ends the process."""
    with atheris.instrument_imports(include=["ingest.cameras.rtsp", "ingest.sensors.decode"]):
        harness = import_module(f"tests.fuzz.fuzz_{name}")
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as passing:
        corpus = kept / name if kept else Path(passing)
        corpus.mkdir(parents=True, exist_ok=True)
        for n, seed in enumerate(harness.seeds()):
            (corpus / f"seed-{n}").write_bytes(seed)
        limits = [f"-max_total_time={seconds}", f"-max_len={MOST_INPUT_BYTES}", "-timeout=5", "-rss_limit_mb=1024"]
        words = [f"-dict={Path(__file__).with_name('rtsp.dict')}", f"-artifact_prefix={KEPT}/{name}-"]
        where = [str(again or corpus)]
        atheris.Setup([name, *limits, *words, "-print_final_stats=1", *where], harness.one)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
