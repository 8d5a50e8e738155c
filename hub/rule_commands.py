"""Command line of the rules of handling: category codes and conditions, the grid, the sample district."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import default_settings, load, shipped
from .domain.grid import GridError

if TYPE_CHECKING:
    from .bootstrap import Hub

OK, FAILED, BAD_USAGE = 0, 1, 2


def add_to(commands: Any) -> None:
    """Add `category`, `grid` and `district` to the sub-parsers of `gridhub`."""
    category = _group(commands, "category", "category codes and filing conditions", "import | export | check")
    bring = _command(category, "import", "take over the good rows of an XLSX handling table", _import_categories)
    _file(bring, "an XLSX workbook with the sheets 部件 and 事件")
    _table(bring)
    bring.add_argument("--replace", action="store_true", help="retire the conditions that the file does not hold")
    bring.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
    export = _command(category, "export", "write the handling table as XLSX", _export_categories)
    export.add_argument("file", type=Path)
    export.add_argument("--area", default="", help="class of area (default: the conditions for everywhere)")
    check = _command(category, "check", "list every problem of an XLSX handling table, and of the code sets", _check)
    check.add_argument("file", type=Path, nargs="?")
    _table(check)

    grid = _group(commands, "grid", "the six-level grid", "import | export | check")
    areas = _command(grid, "import", "take grids over from GeoJSON, people from CSV or XLSX", _import_grid)
    areas.add_argument("file", type=Path, nargs="?", help="GeoJSON (RFC 7946)")
    areas.add_argument("--persons", type=Path, help="CSV or XLSX: 网格编码, 角色, 姓名, 电话")
    areas.add_argument("--replace", action="store_true", help="remove what the files do not hold")
    out = _command(grid, "export", "write all levels as GeoJSON", _export_grid)
    out.add_argument("file", type=Path)
    survey = _command(grid, "check", "list every problem of a GeoJSON file: codes, parents, overlaps", _check_grid)
    _file(survey, "GeoJSON (RFC 7946)")

    district = _group(commands, "district", "a made-up district with the counts of a whole one", "make")
    make = _command(district, "make", "write grids, people, units, routing, cameras, sensors and hub.yaml", _make)
    make.add_argument("--seed", type=int, default=2026)
    make.add_argument("--out", type=Path, required=True, help="folder")
    make.add_argument("--camera-url", default="rtsp://camera.invalid/{id}", help="{id} stands for the camera's id")


def _group(commands: Any, name: str, text: str, verbs: str) -> Any:
    return commands.add_parser(name, help=text).add_subparsers(dest="what", required=True, metavar=verbs)


def _command(commands: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--json", action="store_true")
    return parser


def _file(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("file", type=Path, help=text)


def _table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--standard", default="GB/T 47678.5", help="which code set the table's codes are of")
    parser.add_argument("--area", default="", help="class of area the table is for (default: everywhere)")


def _hub(args: argparse.Namespace) -> Hub:
    from .bootstrap import build_hub

    hub = build_hub(load(args.config) if args.config else default_settings(Path("data/hub")))
    hub.migrate()
    return hub


def _read(path: Path) -> bytes:
    from .cli import UserError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def _say(args: argparse.Namespace, value: dict[str, Any], text: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if args.json else text)


# ── categories ──


def _import_categories(args: argparse.Namespace) -> int:
    from . import conditions
    from .house import SYSTEM

    done = conditions.import_sheet(
        _hub(args).house,
        SYSTEM,
        _read(args.file),
        standard=args.standard,
        area=args.area,
        replace=args.replace,
        apply=not args.dry_run,
        name=str(args.file),
    )
    for problem in done.problems:
        print(f"{args.file}: {problem}" + (" (taken all the same)" if problem.note else ""), file=sys.stderr)
    verb = "would be taken over" if args.dry_run else "taken over"
    counts = f"{done.added} new, {done.changed} changed, {done.same} as before, {done.retired} retired"
    _say(args, done.to_json(), f"{done.good} conditions {verb} ({counts}); {done.refused} rows refused")
    return FAILED if any(not p.note for p in done.problems) else OK


def _export_categories(args: argparse.Namespace) -> int:
    from . import conditions

    content = conditions.export_sheet(_hub(args).house, args.area)
    _write(args.file, content)
    _say(args, {"file": str(args.file), "bytes": len(content)}, f"{args.file}: {len(content)} bytes")
    return OK


def _check(args: argparse.Namespace) -> int:
    """Without a hub: the code sets as configured, and a file against them."""
    from . import units, workbook
    from .domain import category, condition, handling_table

    settings = load(args.config) if args.config else default_settings(Path("data/hub"))
    try:
        classes = category.load(settings.categories_dir)
        seed = settings.categories_dir / category.CONDITIONS_FILE
        conditions = condition.read_seed(seed, classes) if seed.is_file() else []
        names = frozenset(unit.name for unit in units.read(settings.departments_file))
    except (category.CategoryError, units.UnitsError) as error:
        print(error, file=sys.stderr)
        return BAD_USAGE
    problems: tuple[handling_table.SheetProblem, ...] = ()
    if args.file:
        tables = workbook.read(_read(args.file), str(args.file))
        found = handling_table.read(tables, classes, standard=args.standard, area=args.area, units=names)
        problems, conditions = found.problems, list(found.conditions)
    for problem in problems:
        print(f"{args.file}: {problem}" + (" (would be taken all the same)" if problem.note else ""), file=sys.stderr)
    bad = [p for p in problems if not p.note]
    counts = {"classes": len(classes.all()), "conditions": len(conditions)}
    value = {"ok": not bad, **counts, "problems": [str(p) for p in problems]}
    _say(args, value, f"{counts['classes']} classes, {len(conditions)} good conditions, {len(bad)} problems")
    return BAD_USAGE if bad else OK


# ── the grid ──


def _collection(path: Path) -> dict[str, Any]:
    from .cli import UserError
    from .domain import grid_geojson

    try:
        return grid_geojson.parsed(_read(path))
    except GridError as error:
        raise UserError(f"{path}: {error}") from None


def _import_grid(args: argparse.Namespace) -> int:
    from . import grids
    from .cli import UserError
    from .registry import Registry

    if args.file is None and args.persons is None:
        raise UserError("give a GeoJSON file, --persons FILE, or both")
    house, value, text, status = _hub(args).house, dict[str, Any](), list[str](), OK
    if args.file is not None:
        try:
            done = grids.bring(house, _collection(args.file), replace=args.replace)
        except GridError as error:
            raise UserError("\n".join(f"{args.file}: {problem}" for problem in error.problems), FAILED) from None
        with house.db.write() as tx:
            Registry(house).locate_all(tx)
        value["grids"] = done
        text.append("grids: {added} new, {changed} changed, {same} as before, {removed} removed".format(**done))
    if args.persons is not None:
        people = grids.import_persons(house, _read(args.persons), replace=args.replace)
        for problem in people["problems"]:
            print(f"{args.persons}: {problem['text']}", file=sys.stderr)
        value["persons"] = people
        text.append("people: {good} taken over, {refused} rows refused".format(**people))
        status = FAILED if people["refused"] else OK
    _say(args, value, "\n".join(text))
    return status


def _export_grid(args: argparse.Namespace) -> int:
    from . import grids

    collection = grids.geojson(_hub(args).house, None)
    _write(args.file, json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    count = len(collection["features"])
    _say(args, {"file": str(args.file), "grids": count}, f"{args.file}: {count} grids")
    return OK


def _check_grid(args: argparse.Namespace) -> int:
    from .domain import grid_geojson
    from .domain.grid_survey import survey

    try:
        tree = grid_geojson.read(_collection(args.file))
        problems, count = survey(tree), len(tree.grids)
    except GridError as error:
        problems, count = error.problems, 0
    for problem in problems:
        print(f"{args.file}: {problem}", file=sys.stderr)
    _say(args, {"ok": not problems, "grids": count, "problems": problems}, f"{count} grids, {len(problems)} problems")
    return BAD_USAGE if problems else OK


def _make(args: argparse.Namespace) -> int:
    from .sample_district import write

    counts = write(args.out, args.seed, shipped("configs"), args.camera_url)
    _say(
        args, {"out": str(args.out), **counts}, f"{args.out}: " + ", ".join(f"{n} {what}" for what, n in counts.items())
    )
    return OK


def _write(path: Path, content: bytes) -> None:
    from .cli import UserError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", FAILED) from None
