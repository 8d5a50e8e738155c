"""The worker's models: opened by what works as a name by now; what is not on this machine comes from the hub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from detectors.catalog import Catalog
from detectors.errors import CatalogError, DetectorError
from detectors.model import Model
from detectors.pipeline import Pipeline, Shadow
from detectors.second_look import SecondModel

from .uplink import HubAway, Refused

log = logging.getLogger("worker.models")

Fetch = Callable[[str, str], bytes]
"""(model, "card" or "weights") to the bytes of the hub's file. Raises HubAway, Refused."""


class Models:
    """What `assign` said works as what. `problems` counts models that could not be had."""

    def __init__(self, models_dir: Path, fetched_dir: Path, fetch: Fetch) -> None:
        self._here, self._fetched, self._fetch = models_dir, fetched_dir, fetch
        self._works: dict[str, dict[str, str]] = {}
        self._open: dict[tuple[str, str], Model] = {}
        self._shadows: list[dict[str, str]] = []
        self.threads: int | None = None
        self.problems = 0

    def model(self, name: str) -> Model:
        """What works as `name`; the one of that name itself where the promoted one cannot be had."""
        works = self._works.get(name)
        if works is not None:
            try:
                return self._had(works["name"], works["sha256"])
            except (DetectorError, HubAway, Refused) as error:
                self.problems += 1
                log.error("%s does not work as %s here, %s itself does: %s", works["name"], name, name, error)
        return self._had(name, "")

    def second(self, name: str) -> SecondModel:
        """A model for second looks. Raises CatalogError, ModelError."""
        return Catalog(self._here).open_second(name, threads=self.threads)

    def assign(self, works: Mapping[str, dict[str, str]], shadows: list[dict[str, str]], pipeline: Pipeline) -> None:
        """What works as what, and which run beside, from the next look on; the pipeline goes on meanwhile."""
        changed = {name for name in {*works, *self._works} if works.get(name) != self._works.get(name)}
        self._works = dict(works)
        for name in sorted(changed):
            try:
                pipeline.use(name, self.model(name))
                log.info("%s works as %s", works.get(name, {}).get("name", name), name)
            except DetectorError as error:
                self.problems += 1
                log.error("%s goes on as before: %s", name, error)
        self._run_beside(shadows, pipeline)

    def _run_beside(self, shadows: list[dict[str, str]], pipeline: Pipeline) -> None:
        found = []
        for wire in shadows:
            try:
                shadow = Shadow(wire["id"], wire["base"], wire["model"])
                found.append((shadow, self._had(wire["model"], wire["sha256"])))
            except (DetectorError, HubAway, Refused) as error:
                self.problems += 1
                log.error("%s does not run beside %s here: %s", wire["model"], wire["base"], error)
        pipeline.set_shadows(found)
        if shadows != self._shadows:
            self._shadows = shadows
            log.info("beside the working models: %s", ", ".join(s.model for s, _ in found) or "none")

    def _had(self, name: str, sha256: str) -> Model:
        key = (name, sha256)
        if key not in self._open:
            self._open[key] = Catalog(self._folder(name, sha256)).open(name, threads=self.threads)
        return self._open[key]

    def _folder(self, name: str, sha256: str) -> Path:
        """Where a model with these weights lies; it is fetched where this machine has none (or another)."""
        for folder in (self._here, self._fetched):
            try:
                if not sha256 or Catalog(folder).card(name).sha256 == sha256:
                    return folder
            except CatalogError:
                continue
        card = self._fetch(name, "card")
        weights = self._fetch(name, "weights")
        folder = self._fetched / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "card.yaml").write_bytes(card)
        Catalog(self._fetched).card(name).file.write_bytes(weights)
        log.info("fetched model %s from the hub", name)
        return self._fetched


def scores_wire(counts: Mapping[tuple[str, str, str, str], list[int]]) -> list[dict[str, Any]]:
    """Counts of scores as the hub takes them."""
    names = ("camera", "model", "version", "label")
    return [dict(zip(names, key, strict=True)) | {"bins": bins} for key, bins in counts.items()]
