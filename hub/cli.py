"""The command line. Exit status: 0 done, 1 the work failed, 2 bad usage or configuration."""

from __future__ import annotations

import argparse
import dataclasses
import faulthandler
import gc
import json
import logging
import math
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from detectors.errors import DetectorError, KindsError
from ingest.errors import IngestError, InventoryError, SourceError

from . import learning_commands, rule_commands
from .config import ConfigError, Settings, default_settings, load, shipped
from .errors import HubError

if TYPE_CHECKING:
    from ingest.device import Camera

    from .registry import CameraEntry

OK, FAILED, BAD_USAGE = 0, 1, 2


class UserError(Exception):
    """A mistake of the person at the keyboard: its text is all they see."""

    def __init__(self, message: str, status: int = BAD_USAGE) -> None:
        super().__init__(message)
        self.status = status


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `gridhub`."""
    args = _parser().parse_args(argv)
    faulthandler.register(signal.SIGUSR1)  # kill -USR1 shows where every thread of a process that hangs stands
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO if args.command in ("run", "work") else logging.WARNING,
        format="%(asctime)s %(levelname).1s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    if args.command in ("run", "work"):
        # Thousands of readings a second are many objects and no cycles: looking for those took a quarter of the time.
        gc.set_threshold(10_000, 10, 10)
    for noisy in ("httpx", "httpcore", "alembic", "amqtt", "transitions", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    command: Callable[[argparse.Namespace], int] = args.run
    try:
        return command(args)
    except UserError as error:
        print(f"gridhub: {error}", file=sys.stderr)
        return error.status
    except (ConfigError, InventoryError, KindsError) as error:
        print(f"gridhub: {error}", file=sys.stderr)
        return BAD_USAGE
    except (IngestError, DetectorError, HubError) as error:
        print(f"gridhub: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        if error.filename is None:
            raise
        print(f"gridhub: {error.filename}: {error.strerror}", file=sys.stderr)
        return FAILED
    except _unusable() as error:
        from .store import why_unusable

        print(f"gridhub: {why_unusable(error)}", file=sys.stderr)
        return FAILED


def _unusable() -> tuple[type[Exception], ...]:
    """How a database fails; imported where something failed, for it takes long."""
    from .store import UNUSABLE

    return UNUSABLE


# ── parsing ──


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gridhub", description="City video and IoT monitoring hub")
    parser.add_argument("--verbose", action="store_true", help="say more on standard error")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(commands, "demo", "the whole hub on simulated input", _demo)
    demo.add_argument("--port", type=_port, default=8080)
    demo.add_argument("--data", type=Path, help="where to keep its data (default: a fresh temporary folder)")
    demo.add_argument("--minutes", type=_positive, help="end by itself after so many minutes")

    run = _command(commands, "run", "the hub on this machine: API, page, workers", _run)
    run.add_argument("--config", type=Path, help="a file like configs/hub.yaml")

    check = _command(commands, "check", "validate configuration, kinds, models and inventory; list every error", _check)
    check.add_argument("--config", type=Path)
    check.add_argument("--json", action="store_true")

    look = _command(commands, "look", "one look at any camera URL", _look)
    look.add_argument("url")
    look.add_argument("--out", type=Path, help="write the picture here (.jpg)")
    look.add_argument("--timeout", type=_positive, default=15.0, help="seconds")
    look.add_argument("--json", action="store_true")

    replay = _command(commands, "replay", "gate, models and rules over recorded footage, on its own clock", _replay)
    replay.add_argument("path", type=Path, metavar="VIDEO_OR_FOLDER")
    replay.add_argument("--config", type=Path, help="a hub's own kinds and models (default: those that ship)")
    replay.add_argument("--kinds", help="comma list (default: all camera kinds that need no zone, or all with --zone)")
    replay.add_argument("--zone", type=Path, help="JSON or YAML: {name, points: [[x, y], …]} with 0-1 coordinates")
    replay.add_argument("--every", type=_positive, default=5.0, help="seconds between looks")
    replay.add_argument("--dwell", type=_not_negative, help="seconds; overrides the kinds' own")
    replay.add_argument(
        "--start", type=_time, help="when the footage begins (RFC 3339; default: schedules are ignored)"
    )
    replay.add_argument("--json", action="store_true", help="one JSON object a line (the default prints the same)")

    work = _command(commands, "work", "a worker for a shard of cameras and sensors", _work)
    work.add_argument("--hub", required=True, help="http://HOST:PORT")
    work.add_argument("--shard", default="0/1", type=_shard, help="I/N, I from 0 to N-1")
    work.add_argument("--token-file", type=Path, help="file with the hub's worker token (or GRIDHUB_TOKEN)")
    work.add_argument("--data", type=Path, default=Path("data/worker"))
    work.add_argument("--models", type=Path, default=shipped("models"))
    work.add_argument("--timezone", type=_zone, default=ZoneInfo("Asia/Shanghai"))

    _camera_commands(commands)
    _sensor_commands(commands)
    _model_commands(commands)
    rule_commands.add_to(commands)
    learning_commands.add_to(commands)

    user = _command(commands, "user", "add a person; prints a one-time password", _user)
    user.add_argument("name")
    user.add_argument("--role", choices=("admin", "staff", "department", "engineer"), required=True)
    user.add_argument("--department", help="id of the handling unit, for role department")
    user.add_argument("--config", type=Path)
    token = _command(commands, "token", "make a token for a program; prints it, once", _token)
    token.add_argument("name", help="at most 58 characters")
    token.add_argument("--role", choices=("reader", "client"), default="reader", help="reader: sensors, SensorThings")
    token.add_argument("--config", type=Path)
    return parser


def _command(commands: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _camera_commands(commands: Any) -> None:
    camera = commands.add_parser("camera", help="the camera inventory").add_subparsers(
        dest="what", required=True, metavar="add | import | list"
    )
    add = _command(camera, "add", "add one camera", _camera_add)
    add.add_argument("url")
    add.add_argument("--id", help="default: made from the URL")
    add.add_argument("--name", help="default: the id")
    add.add_argument("--watch", choices=("stay", "patrol", "snapshot"))
    add.add_argument("--every", type=_positive, default=10.0, help="seconds between looks")
    add.add_argument("--lon", type=float)
    add.add_argument("--lat", type=float)
    add.add_argument("--kinds", help="comma list of what to look for in the whole picture")
    bring = _command(camera, "import", "add or update cameras from a YAML, CSV or XLSX file", _camera_import)
    bring.add_argument("file", type=Path)
    listing = _command(camera, "list", "all cameras with their state", _camera_list)
    for parser in (add, bring, listing):
        parser.add_argument("--config", type=Path)
        parser.add_argument("--json", action="store_true")


def _sensor_commands(commands: Any) -> None:
    sensor = commands.add_parser("sensor", help="the sensor inventory; payloads of sensors").add_subparsers(
        dest="what", required=True, metavar="import | try"
    )
    bring = _command(sensor, "import", "add or update sensors from a YAML, CSV or XLSX file", _sensor_import)
    bring.add_argument("file", type=Path)
    bring.add_argument("--config", type=Path)
    bring.add_argument("--json", action="store_true")
    trial = _command(
        sensor, "try", "what a payload says in a format or mapping profile; nothing is stored", _sensor_try
    )
    trial.add_argument("format", help="a format's name, a mapping profile's name, or a .yaml file of one")
    trial.add_argument("samples", type=Path, nargs="+", metavar="SAMPLE", help="payloads in turn, - for standard input")
    trial.add_argument("--topic", default="try", help="topic that they came on (most formats read it)")
    trial.add_argument("--sensors", type=Path, default=shipped("configs") / "sensors", help="folder with mappings/")
    trial.add_argument("--json", action="store_true")


def _model_commands(commands: Any) -> None:
    model = commands.add_parser("model", help="the detection models").add_subparsers(
        dest="what",
        required=True,
        metavar="list | add | eval | train | table | shadow | status | promote | rollback",
    )
    listing = _command(model, "list", "models with their cards", _model_list)
    listing.add_argument("--models", type=Path, default=shipped("models"))
    listing.add_argument("--json", action="store_true")
    evaluate = _command(model, "eval", "score a model on a labelled data set (no torch needed)", _model_eval)
    evaluate.add_argument("model")
    evaluate.add_argument(
        "--data", type=Path, required=True, help="YOLO data set YAML; for a classifier a folder with a folder a label"
    )
    evaluate.add_argument(
        "--resamples",
        type=int,
        default=0,
        metavar="N",
        help="95 %% intervals from N redraws of the pictures (default: none)",
    )
    evaluate.add_argument("--models", type=Path, default=shipped("models"))
    evaluate.add_argument("--json", action="store_true")
    train = _command(model, "train", "train a model from a recipe (extra `tune`)", _model_train)
    train.add_argument("recipe", type=Path)
    train.add_argument("--out", type=Path, required=True)
    table = _command(model, "table", "every kind: what it was measured on, score, interval, speed", _model_table)
    table.add_argument("--models", type=Path, default=shipped("models"))
    table.add_argument("--kinds", type=Path, default=shipped("configs") / "kinds")
    table.add_argument("--write", type=Path, metavar="PAGE", help="bring the table in this page up to date")
    learning_commands.add_model_verbs(model)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port, 1 to 65535")
    return value


def _shard(text: str) -> str:
    index, _slash, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise argparse.ArgumentTypeError(f"{text} is not I/N with I from 0 to N-1")
    return text


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise argparse.ArgumentTypeError(f"{text} is no time zone, as Asia/Shanghai is") from None


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not an RFC 3339 time") from None
    return time if time.tzinfo else time.replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def _settings(args: argparse.Namespace) -> Settings:
    config: Path | None = args.config
    return load(config) if config else default_settings(Path("data/hub"))


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str))


# ── the hub ──


def _demo(args: argparse.Namespace) -> int:
    from .demo.runner import run_demo

    return run_demo(args.port, args.data, args.minutes)


def _run(args: argparse.Namespace) -> int:
    from . import heap
    from .bootstrap import build_hub
    from .serving import Children, PortBusy, Serving, claim_port, start_worker, wait_for_end

    settings = _settings(args)
    try:
        sock = claim_port(settings.listen_host, settings.listen_port)
    except PortBusy as error:
        raise UserError(str(error), FAILED) from None
    heap.keep_small()
    hub = build_hub(settings)
    children, serving = Children(), Serving(hub.app, sock, settings.proxies)
    url = f"http://{settings.listen_host}:{settings.listen_port}"
    try:
        hub.start()
        serving.start()
        print(f"gridhub: {url}", flush=True)
        if hub.first_password:
            print(f"first administrator: user admin, one-time password {hub.first_password}", flush=True)
        for index in range(settings.workers):
            start_worker(children, settings, url, hub.worker_token_file, f"{index}/{settings.workers}")
        wait_for_end(None, threading.Event(), children.revive)
    finally:
        children.end()
        hub.house.feed.close()  # open event streams would hold the server for its whole grace
        serving.end()
        hub.stop()
    return OK


def _work(args: argparse.Namespace) -> int:
    from . import heap
    from .worker.process import WorkerSettings, run_worker

    if args.token_file:
        try:
            token = args.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UserError(f"--token-file: {args.token_file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UserError(f"--token-file: {args.token_file}: holds no token (it is not text)") from None
    else:
        token = os.environ.get("GRIDHUB_TOKEN", "")
    if not token:
        raise UserError("no worker token: give --token-file FILE or set GRIDHUB_TOKEN")
    if not args.hub.startswith(("http://", "https://")):
        raise UserError(f"--hub: {args.hub} is not http://HOST:PORT or https://HOST:PORT")
    heap.keep_small()
    return run_worker(
        WorkerSettings(args.hub, token, args.shard, args.data, args.models, args.timezone, name=f"w{args.shard}")
    )


def _check(args: argparse.Namespace) -> int:
    from .checking import off, problems

    found, counts = problems(args.config)
    idle = off(args.config)
    if args.json:
        _print_json({"ok": not found, "problems": found, "counts": counts, "off": idle})
    else:
        for kind, why in idle.items():
            print(f"off: {kind}: {why}")
        for line in found:
            print(line, file=sys.stderr)
        print(", ".join(f"{n} {what}" for what, n in counts.items()) + (": all good" if not found else ""))
    return BAD_USAGE if found else OK


# ── looking and replaying ──


def _look(args: argparse.Namespace) -> int:
    import time

    from ingest.cameras import open_source
    from ingest.device import Camera, Watch

    from .jpeg import encode_jpeg

    url = args.url if "://" in args.url else f"file://{Path(args.url).absolute()}"
    watch = Watch.SNAPSHOT if url.startswith(("http://", "https://")) else Watch.PATROL
    camera = Camera(id="look", name="look", url=url, watch=watch)
    started = time.monotonic()
    try:
        source = open_source(camera)
        try:
            frame = source.look(datetime.now(UTC), args.timeout)
        finally:
            source.close()
    except SourceError as error:
        raise UserError(f"{camera.safe_url}: {error.kind}: {error}", FAILED) from None
    latency_ms = round((time.monotonic() - started) * 1000, 1)
    if args.out:
        try:
            args.out.write_bytes(encode_jpeg(frame.image, 92))
        except OSError as error:
            raise UserError(f"--out: {args.out}: {error.strerror}", FAILED) from None
    report = {
        "url": camera.safe_url,
        "width": frame.width,
        "height": frame.height,
        "codec": frame.codec,
        "captured_at": frame.captured_at.isoformat(),
        "latency_ms": latency_ms,
        "bytes": frame.encoded_bytes,
    }
    if args.json:
        _print_json(report)
    else:
        print(
            "{url}: {width}x{height} {codec}, {bytes} bytes, {latency_ms} ms, captured {captured_at}".format(**report)
        )
    return OK


def _replay(args: argparse.Namespace) -> int:
    from detectors.replay import read_zone, replay

    settings = load(args.config) if args.config else None
    kinds = [k for k in args.kinds.split(",") if k] if args.kinds else None
    zone = read_zone(args.zone) if args.zone else None
    for finding in replay(
        args.path,
        kinds_dir=settings.kinds_dir if settings else shipped("configs") / "kinds",
        models_dir=settings.models_dir if settings else shipped("models"),
        kinds=kinds,
        zone=zone,
        every_s=args.every,
        dwell_s=args.dwell,
        start=args.start,
    ):
        print(json.dumps(finding, ensure_ascii=False), flush=True)
    return OK


# ── inventory ──


def _registry(args: argparse.Namespace) -> Any:
    from .bootstrap import build_hub

    hub = build_hub(_settings(args))
    hub.migrate()
    return hub.registry


def _camera_add(args: argparse.Namespace) -> int:
    from ingest.cameras import SOURCES
    from ingest.device import Camera, Place, Watch

    scheme = args.url.partition("://")[0]
    if scheme not in SOURCES and not scheme.startswith("libav+"):
        raise UserError(f"{scheme!r} is no camera protocol; allowed: {', '.join(sorted(SOURCES))}, libav+…")
    if (args.lon is None) != (args.lat is None):
        raise UserError("--lon and --lat belong together: give both, or neither")
    watch = args.watch or ("snapshot" if args.url.startswith(("http://", "https://")) else "stay")
    place = None if args.lon is None else Place(args.lon, args.lat)
    camera_id = args.id or _id_from(args.url)
    camera = Camera(camera_id, args.name or camera_id, args.url, Watch(watch), args.every, place=place)
    _registry(args).import_cameras([_with_tasks(camera, args.kinds)])
    if args.json:
        _print_json({"id": camera.id, "url": camera.safe_url, "watch": watch})
    else:
        print(f"{camera.id}: {camera.safe_url}, {watch}, every {camera.every_s:g} s")
    return OK


def _id_from(url: str) -> str:
    """A camera id made of what the URL shows: host, port and path."""
    from ingest.errors import shown_url

    address = shown_url(url).partition("://")[2].partition("?")[0]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", address).strip("-")[:64] or "camera"


def _with_tasks(camera: Camera, kinds: str | None) -> Camera | CameraEntry:
    """The camera alone (the hub then looks for every kind that needs no zone), or with the kinds that were named."""
    from .registry import CameraEntry, TaskEntry

    if not kinds:
        return camera
    return CameraEntry(camera, tuple(TaskEntry(kind) for kind in kinds.split(",") if kind))


def _camera_import(args: argparse.Namespace) -> int:
    from ingest.inventory import read_cameras

    rows, errors = read_cameras(args.file)
    for line in errors:
        print(line, file=sys.stderr)
    _registry(args).import_cameras(rows)
    if args.json:
        _print_json({"imported": len(rows), "errors": [str(e) for e in errors]})
    else:
        print(f"{len(rows)} cameras imported, {len(errors)} rows with errors")
    return FAILED if errors else OK


def _sensor_import(args: argparse.Namespace) -> int:
    from ingest.inventory import read_sensors

    from .house import SYSTEM

    rows, found = read_sensors(args.file)
    done = _registry(args).bring_sensors(rows, SYSTEM)
    count = done["added"] + done["changed"] + done["same"]
    errors = [*map(str, found), *(f"{args.file}: {id_}: {why}" for id_, why in done["refused"])]
    for line in errors:
        print(line, file=sys.stderr)
    if args.json:
        _print_json({"imported": count, "errors": errors})
    else:
        print(f"{count} sensors imported, {len(errors)} errors")
    return FAILED if errors else OK


def _camera_list(args: argparse.Namespace) -> int:
    cameras = _registry(args).cameras()
    if args.json:
        _print_json(cameras)
    else:
        for camera in cameras:
            print("{id}\t{name}\t{state}\t{last_look_at}\t{url}".format(**camera))
        print(f"{len(cameras)} cameras")
    return OK


# ── sensors ──


def _sensor_try(args: argparse.Namespace) -> int:
    from ingest.sensors.decode import Decoders

    form, decoders = _format(args.format, args.sensors), Decoders()
    for sample in args.samples:
        try:
            payload = sys.stdin.buffer.read() if str(sample) == "-" else sample.read_bytes()
        except OSError as error:
            raise UserError(f"{sample}: {error.strerror}") from None
        for one in decoders.decode(form, args.topic, payload, datetime.now(UTC)):
            what = type(one).__name__
            fields = {f.name: getattr(one, f.name) for f in dataclasses.fields(one)}
            if args.json:
                _print_json({"said": what, **fields})
            else:
                said = [
                    f"{k}={v}" for k, v in fields.items() if v not in ("", None) and k not in ("received_at", "key")
                ]
                print(what, *said)
    return OK


def _format(name: str, sensors_dir: Path) -> str:
    """The format as the decoders take it: the profile itself for the name, or the file, of a mapping profile."""
    from ingest.sensors.decode import FORMATS
    from ingest.sensors.decode.mapping import load_mappings, read_mapping

    if name in FORMATS:
        return name
    if name.endswith((".yaml", ".yml")):
        return read_mapping(Path(name)).to_json()
    profiles = load_mappings(sensors_dir / "mappings")
    if name.removeprefix("mapping:") not in profiles:
        raise UserError(f"{name!r} is no format; allowed: {', '.join((*FORMATS, *profiles))}, or a .yaml file")
    return profiles[name.removeprefix("mapping:")].to_json()


def _user(args: argparse.Namespace) -> int:
    password = _registry(args).add_user(args.name, args.role, args.department)
    print(f"{args.name} ({args.role}): one-time password {password}")
    return OK


def _token(args: argparse.Namespace) -> int:
    from .domain.role import Role
    from .people import add_token

    print(f"{args.name} ({args.role}): token {add_token(_registry(args).house, args.name, Role(args.role))}")
    return OK


# ── models ──


def _model_list(args: argparse.Namespace) -> int:
    from detectors.catalog import Catalog
    from detectors.kinds import load_kinds

    cards = Catalog(args.models).cards()
    kinds = load_kinds(shipped("configs") / "kinds")
    uses = {k.id: {k.model, k.check.model if k.check else None} for k in kinds.values()}
    rows = [
        card.to_wire() | {"kinds": [kind for kind, models in uses.items() if card.name in models]} for card in cards
    ]
    if args.json:
        _print_json(rows)
    else:
        for row in rows:
            labels, used_by = ", ".join(row["labels"]), ", ".join(row["kinds"])
            print(f"{row['name']} {row['version']}: {row['task']}, {labels}; for {used_by}")
    return OK


def _model_eval(args: argparse.Namespace) -> int:
    from detectors.catalog import Catalog
    from detectors.tuning.classes import evaluate_classes
    from detectors.tuning.evaluate import evaluate

    catalog = Catalog(args.models)
    card = None if args.model.endswith(".pt") else catalog.card(args.model)
    at_scores = card.thresholds if card else None
    classifies = card is not None and card.task == "classify"
    if classifies:
        classifier = catalog.open_classifier(args.model)
        report = evaluate_classes(classifier, args.data, at_scores=at_scores, resamples=args.resamples).as_dict()
    else:
        model = catalog.open(args.model)
        report = evaluate(model, args.data, at_scores=at_scores, resamples=args.resamples).as_dict()
    for problem in report.get("problems", ()):
        print(f"left out: {problem}", file=sys.stderr)
    if args.json:
        _print_json(report)
    elif classifies:
        for label, score in report["classes"].items():
            print(f"{label}\tprecision {score['precision']:.3f}\trecall {score['recall']:.3f}")
        print(
            "accuracy {accuracy:.3f}, AUC {auc:.3f}, {pictures} pictures, {ms_per_picture:.1f} ms each".format(**report)
        )
    else:
        for label, score in report["classes"].items():
            print(
                f"{label}\tAP50 {score['ap50']:.3f}\tprecision {score['precision']:.3f}\trecall {score['recall']:.3f}"
            )
        print(
            "mAP50 {map50:.3f}, mAP50-95 {map50_95:.3f}, {pictures} pictures, {ms_per_picture:.1f} ms each".format(
                **report
            )
        )
    return OK


def _model_table(args: argparse.Namespace) -> int:
    from detectors.catalog import Catalog
    from detectors.kinds import load_kinds
    from detectors.tuning.table import whole, write_table

    kinds, cards = load_kinds(args.kinds).values(), Catalog(args.models).cards()
    if args.write is None:
        print(whole(kinds, cards), end="")
        return OK
    try:
        changed = write_table(args.write, kinds, cards)
    except (OSError, ValueError) as error:
        raise UserError(f"--write: {args.write}: {error}") from None
    print(f"{args.write}: {'rewritten' if changed else 'was current'}")
    return OK


def _model_train(args: argparse.Namespace) -> int:
    from detectors.tuning.recipe import RecipeError
    from detectors.tuning.train import train

    try:
        train(args.recipe, args.out)
    except RecipeError as error:
        raise UserError(str(error)) from None
    return OK


if __name__ == "__main__":
    sys.exit(main())
