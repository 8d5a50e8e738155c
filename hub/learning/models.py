"""The models of this house: which works as what, promotions on evidence, the way back; all without a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detectors.catalog import Catalog, check_hash
from detectors.errors import CatalogError

from ..domain.promotion import refusals
from ..errors import Barred, NotFound
from ..house import Actor, House
from ..store import Transaction
from ..store import shadow_queries as ask
from ..store.learning_rows import PromotionRow
from ..wire import time_text
from . import shadows


def wanted(tx: Transaction) -> dict[str, dict[str, str]]:
    """For the assignment: the name that kinds use to {name, version, sha256}, where another model works as it."""
    return {
        base: {"name": row.model, "version": row.version, "sha256": row.sha256}
        for base, row in ask.in_force(tx).items()
    }


def listed(house: House) -> dict[str, Any]:
    """Every model's card, what it works as, its shadows; and the history of promotions.

    `kinds` and `kind_names` are found by it; of `checks` (names) it takes the second look.
    """
    catalog = Catalog(house.settings.models_dir)
    items: list[dict[str, Any]] = []
    kinds = house.rules.kinds.values()
    with house.db.read() as tx:
        force = ask.in_force(tx)
        running = {row.model: row for row in ask.running(tx)}
        runs = [shadows.shadow_json(tx, row) for row in ask.shadows(tx)]
        history = [_promotion_json(row) for row in ask.promotions(tx)]
    for path in sorted(house.settings.models_dir.glob("*/card.yaml")):
        name = path.parent.name
        named = [kind for kind in kinds if kind.model == name]
        works_as = [base for base, row in force.items() if row.model == name]
        works_as += [name] if named and name not in force else []
        item: dict[str, Any] = {"name": name, "works_as": works_as, "kinds": [k.id for k in named], "problem": None}
        item["kind_names"] = [dict(kind.name) for kind in named]
        item["checks"] = [dict(kind.name) for kind in kinds if kind.check and kind.check.model == name]
        try:
            card = catalog.card(name)
            check_hash(card.file, card.sha256)
            item |= {"card": card.to_wire(), "version": card.version, "bytes": card.file.stat().st_size}
        except CatalogError as error:
            item["problem"] = str(error)
        item["shadow_of"] = running[name].base if name in running else None
        items.append(item)
    return {"items": items, "shadows": runs, "promotions": history, "next_cursor": None, "total": len(items)}


def promote(house: House, actor: Actor, model: str) -> dict[str, Any]:
    """Let the shadow `model` work from now on. Raises NotFound, Invalid, Barred (worse, or too thin: how thin)."""
    shadows.sound_card(house, model)
    with house.db.write() as tx:
        ask.lock_models(tx)
        tx.change_assignment()
        row = next((r for r in ask.running(tx) if r.model == model), None)
        if row is None:
            raise Barred(
                "no_shadow", f"{model} does not run in the shadow of any model, so nothing speaks for it", model=model
            )
        if shadows.sound_card(house, model).sha256 != row.sha256:
            raise Barred("other_weights", f"{model}: the weights are others than those that ran in the shadow")
        kinds, _alone = shadows.paired(tx, row)
        against = refusals(kinds)
        if against:
            text = f"{model} is not promoted: " + "; ".join(map(str, against))
            raise Barred(against[0].why, text, refusals=[refusal.to_json() for refusal in against])
        before = ask.in_force(tx).get(row.base)
        evidence = shadows.summary(house, kinds) | {"shadow": row.id, "before": before.id if before else None}
        _end(house, actor, before)
        shadows.end(tx, house, actor, row)
        made = _put(tx, house, actor, row.base, (row.model, row.version, row.sha256), evidence)
        tx.audit(
            house.now(), actor.id, "model-promoted", f"model/{model}",
            base=row.base, version=row.version, before=before.model if before else row.base, evidence=evidence["all"],
        )  # fmt: skip
        return _promotion_json(made)


def rollback(house: House, actor: Actor, name: str) -> dict[str, Any]:
    """Back to what worked before `name` (a model, or what it works as). Raises NotFound."""
    with house.db.write() as tx:
        ask.lock_models(tx)
        tx.change_assignment()
        current = next((row for base, row in ask.in_force(tx).items() if name in (base, row.model)), None)
        if current is None:
            raise NotFound("promoted model", name)
        _end(house, actor, current)
        before = ask.promotion(tx, current.evidence.get("before") or 0)
        works = before.model if before else current.base
        if before is not None:
            evidence = {**before.evidence, "rolled_back_from": current.id}
            _put(tx, house, actor, before.base, (before.model, before.version, before.sha256), evidence)
        tx.audit(house.now(), actor.id, "model-rolled-back", f"model/{current.model}", base=current.base, works=works)
        return {"base": current.base, "from": current.model, "to": works}


def _end(house: House, actor: Actor, row: PromotionRow | None) -> None:
    if row is not None:
        row.ended_at, row.ended_by = house.now(), actor.id


def _put(
    tx: Transaction, house: House, actor: Actor, base: str, model: tuple[str, str, str], evidence: dict[str, Any]
) -> PromotionRow:
    name, version, sha256 = model
    row = PromotionRow(
        base=base, model=name, version=version, sha256=sha256, at=house.now(), by=actor.id, evidence=evidence
    )
    tx.add(row)
    tx.flush()
    return row


def _promotion_json(row: PromotionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "base": row.base,
        "model": row.model,
        "version": row.version,
        "at": time_text(row.at),
        "by": row.by,
        "ended_at": time_text(row.ended_at),
        "ended_by": row.ended_by,
        "evidence": row.evidence.get("all"),
        "rolled_back_from": row.evidence.get("rolled_back_from"),
    }


def file_of(house: House, name: str, what: str) -> Path:
    """The card or the weights of a model, for workers on other machines. Raises NotFound."""
    try:
        card = Catalog(house.settings.models_dir).card(name)
    except CatalogError:
        raise NotFound("model", name) from None
    path = {"card": card.file.parent / "card.yaml", "weights": card.file}.get(what)
    if path is None or not path.is_file():
        raise NotFound("file of the model", what)
    return path
