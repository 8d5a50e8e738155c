"""`gridhub category`, `grid` and `district` as people type them: what is done, what is refused, and the exit status."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import yaml

from hub import workbook
from hub.cli import main
from hub.domain.handling_table import COLUMNS

ROW = ["06", "市容环境类", "010", "暴露垃圾", "环卫中心", "", "主干道", "清理", "4工作时"]


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "hub.yaml"
    path.write_text(yaml.safe_dump({"data_dir": str(tmp_path / "data")}), encoding="utf-8")
    return str(path)


def sheet(path: Path, *rows: list[str]) -> str:
    path.write_bytes(workbook.write({"部件": [list(COLUMNS)], "事件": [list(COLUMNS), *rows]}))
    return str(path)


def test_the_table_goes_out_is_checked_and_comes_in(
    tmp_path: Path, config: str, capfd: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.xlsx")
    assert main(["category", "export", out, "--config", config]) == 0
    assert main(["category", "check", out, "--config", config, "--json"]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["conditions"] == 113
    assert main(["category", "import", out, "--config", config, "--replace", "--json"]) == 0
    done = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (done["same"], done["added"], done["retired"]) == (113, 0, 0)


def test_bad_rows_are_named_with_the_file_and_the_good_ones_taken(
    tmp_path: Path, config: str, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = [*ROW[:6], "小巷", "清理", "三天"]
    path = sheet(tmp_path / "table.xlsx", ROW, bad)
    assert main(["category", "import", path, "--config", config, "--dry-run"]) == 1
    assert main(["category", "import", path, "--config", config]) == 1
    out, err = capfd.readouterr()
    assert "1 conditions would be taken over (1 new" in out
    assert f"{path}: 事件, row 3, 处置时限: '三天'" in err
    assert main(["category", "check", path, "--config", config]) == 2
    assert main(["category", "import", path, "--config", config]) == 1
    assert "1 as before" in capfd.readouterr().out


@pytest.mark.parametrize("what", ["missing", "text"])
def test_a_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, config: str, capfd: pytest.CaptureFixture[str], what: str
) -> None:
    path = tmp_path / "x.xlsx"
    if what == "text":
        path.write_text("no workbook")
    assert main(["category", "import", str(path), "--config", config]) in (1, 2)
    err = capfd.readouterr().err
    assert str(path) in err
    assert "Traceback" not in err


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sample district, made once."""
    folder, said = tmp_path_factory.mktemp("district") / "d", StringIO()
    with redirect_stdout(said):
        assert main(["district", "make", "--seed", "5", "--out", str(folder), "--json"]) == 0
    assert json.loads(said.getvalue())["base"] == 234
    return folder


def test_a_district_is_made_checked_imported_and_exported(
    tmp_path: Path, config: str, district: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    grids, persons = str(district / "grids.geojson"), str(district / "persons.csv")
    assert main(["grid", "check", grids]) == 0
    assert main(["grid", "import", grids, "--persons", persons, "--config", config]) == 0
    assert "949 new" in capfd.readouterr().out
    out = tmp_path / "out.geojson"
    assert main(["grid", "export", str(out), "--config", config]) == 0
    exported, given = json.loads(out.read_text()), json.loads(Path(grids).read_text())
    by_id = {f["id"]: f for f in exported["features"]}
    assert all(by_id[f["id"]] == f for f in given["features"])


def test_a_broken_grid_is_refused_with_every_problem(
    tmp_path: Path, config: str, district: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "grids.geojson"
    made = json.loads((district / "grids.geojson").read_text())
    bases = [f for f in made["features"] if f["properties"]["level"] == "base"]
    bases[0]["geometry"] = bases[1]["geometry"]
    path.write_text(json.dumps(made))
    assert main(["grid", "check", str(path)]) == 2
    err = capfd.readouterr().err
    assert f"grids {bases[0]['id']} and {bases[1]['id']}: they overlap" in err
    assert main(["grid", "import", str(path), "--config", config]) == 1
    path.write_text("{")
    assert main(["grid", "import", str(path), "--config", config]) == 2
    assert main(["grid", "import", "--config", config]) == 2
