"""Command line of learning: precision and threshold advice from verdicts, settings of kinds."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import default_settings, load
from .errors import Invalid, NotFound, Taken

if TYPE_CHECKING:
    from .bootstrap import Hub

OK = 0
DAYS_MOST = 3660
FILE = "file"
"""In place of a number: as the kind's file says."""


def add_to(commands: Any) -> None:
    """Add `kinds` and `dataset` to the sub-parsers of `gridhub`."""
    kinds = commands.add_parser("kinds", help="what is looked for, and how well").add_subparsers(
        dest="what", required=True, metavar="list | precision | advise | what-if | set"
    )
    listing = _command(kinds, "list", "every kind: on or off, model, rule, what it was measured on", _list)
    listing.set_defaults(days=None)
    precise = _command(kinds, "precision", "how often alerts were right, with intervals", _precision)
    precise.add_argument("--by", default="kind", help="comma list of kind, camera, hour (default: kind)")
    precise.add_argument("--kind")
    _where(precise)
    advise = _command(kinds, "advise", "what each least score would have kept and removed", _advise)
    advise.add_argument("kind")
    _where(advise)
    trial = _command(kinds, "what-if", "what another setting would have done; nothing is changed", _what_if)
    setting = _command(kinds, "set", "set it, everywhere or at one camera; workers follow within seconds", _set)
    for parser in (trial, setting):
        parser.add_argument("kind")
        number, back = (_number_or_file, "; `file` goes back to the file's") if parser is setting else (_number, "")
        parser.add_argument("--score", type=number, help=f"least score{back}")
        parser.add_argument("--dwell", type=number, help=f"seconds{back}")
        parser.add_argument(
            "--hours", action="append", metavar="[DAYS/]HH:MM-HH:MM", help="e.g. 1-5/08:00-20:00; may be repeated"
        )
        _where(parser)
    trial.add_argument("--zone", type=Path, help="JSON: {name, points: [[x, y], …]}")
    switch = setting.add_mutually_exclusive_group()
    switch.add_argument("--on", action="store_true", help="look for it")
    switch.add_argument("--off", action="store_true", help="do not look for it")
    setting.add_argument("--note", default="", help="why; kept in the audit")

    dataset = commands.add_parser("dataset", help="data sets from verdicts").add_subparsers(
        dest="what", required=True, metavar="export"
    )
    out = _command(dataset, "export", "confirmed alerts and hard negatives as YOLO and COCO, split by camera", _export)
    out.add_argument("--kinds", required=True, help="comma list")
    out.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    out.add_argument("--reason", required=True, help="why the pictures are taken out; kept in the audit")
    out.add_argument("--days", type=_days, default=365, help="how far back (default: 365)")


def add_model_verbs(model: Any) -> None:
    """Add what is done with models in a hub: `add`, `shadow`, `status`, `promote`, `rollback`."""
    add = _command(model, "add", "take a trained model (a folder with card.yaml and weights) into the hub", _model_add)
    add.add_argument("folder", type=Path)
    shadow = _command(model, "shadow", "let a model run beside the working one, or end that", _shadow)
    shadow.add_argument("model")
    shadow.add_argument("--for", dest="base", help="the model beside which it runs, as kinds name it")
    shadow.add_argument("--stop", action="store_true", help="end it")
    status = _command(model, "status", "what a shadow came to by the verdicts on the same looks", _status)
    status.add_argument("model")
    promote = _command(
        model, "promote", "let the shadow work; refused where it is worse or the evidence thin", _put_to_work
    )
    promote.add_argument("model")
    back = _command(model, "rollback", "back to what worked before", _put_to_work)
    back.add_argument("model", help="the promoted model, or what it works as")


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--camera")
    parser.add_argument("--days", type=_days, default=90, help="how far back (default: 90)")


def _command(commands: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--json", action="store_true")
    return parser


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is no number")
    return value


def _number_or_file(text: str) -> float | str:
    return FILE if text == FILE else _number(text)


def _days(text: str) -> float:
    value = float(text)
    if not 0 < value <= DAYS_MOST:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days above 0, at most {DAYS_MOST}")
    return value


def open_hub(args: argparse.Namespace) -> Hub:
    """The hub of `--config`, its database brought up to date."""
    from .bootstrap import build_hub

    hub = build_hub(load(args.config) if args.config else default_settings(Path("data/hub")))
    hub.migrate()
    return hub


def print_json(value: Any) -> None:
    """One object on one line."""
    print(json.dumps(value, ensure_ascii=False, default=str))


def share_text(share: dict[str, Any]) -> str:
    """Such as: 17 of 23, 74 % (54-87 %)."""
    if not share["of"]:
        return "none judged"
    low, high = (round(100 * share[end]) for end in ("low", "high"))
    return f"{share['hits']} of {share['of']}, {100 * share['share']:.0f} % ({low}-{high} %)"


def _list(args: argparse.Namespace) -> int:
    from .learning import tuning

    rows = tuning.all_shown(open_hub(args).house)
    if args.json:
        print_json(rows)
        return OK
    for row in rows:
        by = "sensors" if not row.get("rule") else f"{row['rule']['type']} {row['rule']['dwell_s']:g} s"
        model = (row.get("look_for") or {}).get("model", "no model")
        state = "on" if row.get("enabled", True) else "off"
        print(f"{row['id']}\t{row['name']['zh']}\t{state}\t{model}\t{by}\t{row.get('evidence', '').split('。')[0]}")
    return OK


def _precision(args: argparse.Namespace) -> int:
    from .learning import verdicts

    by = [part for part in args.by.split(",") if part]
    answer = verdicts.precision(open_hub(args).house, by, args.days, kind=args.kind, camera=args.camera)
    if args.json:
        print_json(answer)
        return OK
    for row in answer["items"]:
        name = " ".join(str(row[part]) for part in by)
        few = "" if row["enough"] or not row["judged"] else " (too few to rely on)"
        reported = row.get("recall_proxy")
        told = f"; of what people reported there: {share_text(reported)} found" if reported and reported["of"] else ""
        print(f"{name}: {share_text(row['precision'])}{few}; {row['volume']} alerts{told}")
    print(f"all: {share_text(answer['all']['precision'])}; {answer['all']['volume']} alerts in {args.days:g} days")
    return OK


def _advise(args: argparse.Namespace) -> int:
    from .learning import verdicts

    answer = verdicts.advice(open_hub(args).house, args.kind, args.days, args.camera)
    if args.json:
        print_json(answer)
        return OK
    for candidate in answer["candidates"]:
        mark = " <- advised" if answer["advised"] and candidate["score"] == answer["advised"]["score"] else ""
        print(f"{candidate['score']:.2f}: {effect_text(candidate)}{mark}")
    needs = answer["needs"]
    print(
        {
            "advised": "advised: {:.2f}".format((answer["advised"] or {}).get("score", 0)),
            "no_gain": "none advised: what was rejected does not score below what must be kept",
            "too_few_confirmed": f"none advised: needs {needs['confirmed']} confirmed, has {answer['confirmed']}",
            "too_few_rejected": f"none advised: needs {needs['rejected']} rejected, has {answer['rejected']}",
        }[answer["why"]]
    )
    return OK


def effect_text(effect: dict[str, Any]) -> str:
    """Such as: keeps 41 of 42 confirmed, removes 17 of 23 rejected."""
    text = "keeps {kept} of {confirmed} confirmed, removes {removed} of {rejected} rejected".format(**effect)
    if effect["unwanted"]:
        text += " and {unwanted_removed} of {unwanted} seen rightly but not wanted".format(**effect)
    return text + (f"; of {effect['unknown']} the record cannot tell" if effect["unknown"] else "")


def _windows(args: argparse.Namespace) -> list[dict[str, Any]] | None:
    return None if args.hours is None else [_window(text) for text in args.hours]


def _window(text: str) -> dict[str, Any]:
    days, _slash, hours = text.rpartition("/")
    start, _dash, end = hours.partition("-")
    window: dict[str, Any] = {"from": start, "to": end}
    if days:
        from .cli import UserError

        first, _dash, last = days.partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            raise UserError(f"--hours: {text!r}; allowed: [DAYS/]HH:MM-HH:MM, as 1-5/08:00-20:00")
        window["days"] = list(range(int(first), int(last or first) + 1))
    return window


def _what_if(args: argparse.Namespace) -> int:
    from detectors.replay import read_zone

    from .learning import verdicts

    zone = [list(point) for point in read_zone(args.zone).points] if args.zone else None
    change = {"min_score": args.score, "dwell_s": args.dwell, "schedule": _windows(args), "zone": zone}
    answer = verdicts.judge_change(open_hub(args).house, args.kind, change, args.days, args.camera)
    if args.json:
        print_json(answer)
        return OK
    for name, effect in answer["each"].items():
        print(f"{name}: {effect_text(effect)}")
    print(f"together: {effect_text(answer['effect'])}")
    print(f"precision: {share_text(answer['before']['precision'])} -> {share_text(answer['effect']['precision'])}")
    return OK


def _set(args: argparse.Namespace) -> int:
    from .house import SYSTEM
    from .learning import tuning

    changes: dict[str, Any] = {}
    for name, value in (("min_score", args.score), ("dwell_s", args.dwell)):
        if value is not None:
            changes[name] = None if value == FILE else value
    if args.hours is not None:
        changes["schedule"] = _windows(args)
    if args.on or args.off:
        changes["enabled"] = bool(args.on)
    shown = tuning.change(open_hub(args).house, SYSTEM, args.kind, changes, args.camera, args.note)
    if args.json:
        print_json(shown)
    else:
        print(f"{args.kind}: {', '.join(f'{k} = {v}' for k, v in changes.items()) or 'nothing changed'}")
    return OK


def _export(args: argparse.Namespace) -> int:
    from .house import SYSTEM
    from .learning.dataset import export

    kinds = [part for part in args.kinds.split(",") if part]
    report = export(open_hub(args).house, SYSTEM, args.out, kinds, args.days, args.reason)
    if args.json:
        print_json(report)
        return OK
    split, cameras = report["split"], report["cameras"]
    print(f"{report['data']}: {report['confirmed']} confirmed, {report['hard_negatives']} hard negatives")
    print(f"train {split['train']} of {cameras['train']} cameras, val {split['val']} of {cameras['val']} cameras")
    for why, count in sorted(report["left_out"].items()):
        print(f"left out {count}: {why}")
    return OK


def _model_add(args: argparse.Namespace) -> int:
    from detectors.catalog import check_hash, read_card

    settings = load(args.config) if args.config else default_settings(Path("data/hub"))
    card = read_card(args.folder / "card.yaml")
    check_hash(card.file, card.sha256)
    target = settings.models_dir / card.name
    if target.exists():
        raise Taken(f"{target} is there already: give the new model another name in its card", id=card.name)
    _copy_whole(args.folder, target)
    if args.json:
        print_json({"name": card.name, "version": card.version, "folder": str(target)})
    else:
        print(f"{card.name} {card.version} is in {target}; it works nowhere until it is promoted")
    return OK


def _copy_whole(folder: Path, target: Path) -> None:
    """`target` is there when all of `folder` is in it, or not at all. Raises OSError."""
    import errno
    import shutil
    import tempfile

    target.parent.mkdir(parents=True, exist_ok=True)
    # One level below where models are looked for, and on the same disk, so that it can be moved.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".adding-") as there:
        part = Path(there) / target.name
        try:
            shutil.copytree(folder, part)
        except shutil.Error as error:
            source, _copy, why = error.args[0][0]
            raise OSError(errno.EIO, f"cannot be copied, so the model is not added: {why}", source) from None
        part.rename(target)


def _shadow(args: argparse.Namespace) -> int:
    from .house import SYSTEM
    from .learning import shadows

    house = open_hub(args).house
    if not args.stop and not args.base:
        raise Invalid("--for", None, "the model beside which it runs")
    row = shadows.stop(house, SYSTEM, args.model) if args.stop else shadows.start(house, SYSTEM, args.model, args.base)
    if args.json:
        print_json(row)
    else:
        what = "runs beside" if row["running"] else "runs no more beside"
        print(f"{row['model']} {row['version']} {what} {row['base']}")
    return OK


def _status(args: argparse.Namespace) -> int:
    from .learning import models, shadows

    house = open_hub(args).house
    known = models.listed(house)["shadows"]
    found = next((row for row in known if row["model"] == args.model), None)
    if found is None:
        raise NotFound("shadow", args.model)
    score = shadows.score(house, found["id"])
    if args.json:
        print_json(score)
        return OK
    for row in [*score["kinds"], {"kind": "all", **score["all"]}]:
        live, beside = (share_text(row[who]["precision"]) for who in ("live", "shadow"))
        print(f"{row['kind']}: {row['judged']} judged looks; right: {score['base']} {live}, {score['model']} {beside}")
        kept = "keeps {hits} of {of} that were right".format(**row["keeps"])
        print(f"  {kept}; better on {row['better']}, worse on {row['worse']} (luck: p = {row['luck']:.3f})")
    for refusal in score["refusals"]:
        print(refusal["text"])
    if not score["refusals"]:
        print(f"nothing stands against it: gridhub model promote {score['model']}")
    return OK


def _put_to_work(args: argparse.Namespace) -> int:
    """`promote` and `rollback`: another model works from now on."""
    from .house import SYSTEM
    from .learning import models

    move, told = {
        "promote": (models.promote, "{model} {version} works as {base}; back: gridhub model rollback {base}"),
        "rollback": (models.rollback, "{to} works as {base} again, in place of {from}"),
    }[args.what]
    done = move(open_hub(args).house, SYSTEM, args.model)
    if args.json:
        print_json(done)
    else:
        print(told.format(**done))
    return OK
