"""models/README.md's table is what the command writes, and holds a row for every kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from detectors.catalog import Catalog
from detectors.kinds import load_kinds
from detectors.tuning.table import BEGIN, END, replaced, table, whole, write_table

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "models" / "README.md"


def _gridhub(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub.cli", "model", "table", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_table_in_the_readme_is_current() -> None:
    kinds, cards = load_kinds(ROOT / "configs" / "kinds"), Catalog(ROOT / "models").cards()
    page = PAGE.read_text(encoding="utf-8")
    wanted = replaced(page, whole(kinds.values(), cards))
    assert page == wanted, "run `gridhub model table --write models/README.md`"


def test_every_kind_has_a_row_and_no_model_a_claim_without_an_interval() -> None:
    kinds = load_kinds(ROOT / "configs" / "kinds")
    cards = {card.name: card for card in Catalog(ROOT / "models").cards()}
    rows = table(kinds.values(), cards).splitlines()[2:]
    for kind in kinds.values():
        mine = [row for row in rows if f"`{kind.id}`" in row]
        assert mine, kind.id
        if kind.rule is None:
            assert ("not measured" if kind.off_because else "no pictures involved") in mine[0]
        if kind.check is not None:
            assert any(f"second look: `{kind.check.model}`" in row for row in rows)
    for row in rows:
        if "AP50" in row or "AUC" in row:
            score = row.split("|")[5]
            assert "(" in score, row
            assert "-" in score, row


def test_a_kind_whose_label_was_never_measured_says_so() -> None:
    kinds = load_kinds(ROOT / "configs" / "kinds")
    cards = {card.name: card for card in Catalog(ROOT / "models").cards()}
    kind = kinds["garbage_exposed"]
    assert kind.look_for is not None
    bare = cards[kind.look_for.model]
    blank = type(bare)(**{f: getattr(bare, f) for f in bare.__slots__ if f != "text"}, text={"measured": {}})
    (row,) = table([kind], {bare.name: blank}).splitlines()[2:]
    assert "not measured" in row
    assert "AP50" not in row


def test_writing_is_said_and_repeats_as_current(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    assert "rewritten" in _gridhub("--write", str(page)).stdout
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "garbage_exposed" in text
    assert not write_table(page, load_kinds(ROOT / "configs" / "kinds").values(), Catalog(ROOT / "models").cards())
    page.write_text("no marks", encoding="utf-8")
    done = _gridhub("--write", str(page))
    assert done.returncode == 2
    assert f"{page}: no marks" in done.stderr
    assert "Traceback" not in done.stderr
