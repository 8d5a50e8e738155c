"""The hub's settings: `configs/hub.yaml` documents every key. Unknown keys and bad values are all reported at once."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from ingest.sensors.decode import FORMATS
from ingest.sensors.decode.mapping import MappingError, MappingProfile, load_mappings

from .broker import Broker
from .domain.clock import LimitError, parse_limit
from .domain.stage_clock import STAGE_LIMITS, Stage

_REPO = Path(__file__).resolve().parent.parent


def shipped(name: str) -> Path:
    """A folder that ships with the project (`configs`, `models`): beside the packages, or inside `hub` in a wheel."""
    in_checkout = _REPO / name
    return in_checkout if in_checkout.is_dir() else Path(__file__).resolve().parent / "shipped" / name


class ConfigError(ValueError):
    """What is wrong with a configuration file; `problems` holds one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events go: `secret` is `whsec_` + base64, `types` are CloudEvents types (empty: all)."""

    url: str
    secret: str = field(repr=False)
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Paths are absolute after `load`."""

    data_dir: Path
    database_url: str = ""
    name: str = "gridhub"
    district_code: str = "621002"
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    broker_url: str = ""
    broker_topics: Mapping[str, str] = field(
        default_factory=lambda: {"application/+/device/+/event/+": "chirpstack", "gridhub/+": "json"}
    )
    broker_user: str = field(default_factory=lambda: os.environ.get("GRIDHUB_BROKER_USER", ""))
    broker_password: str = field(default_factory=lambda: os.environ.get("GRIDHUB_BROKER_PASSWORD", ""), repr=False)
    broker_ca: Path | None = None
    broker_certificate: Path | None = None
    broker_key: Path | None = None
    broker_session_s: int = 7 * 86400
    broker_share: str = ""
    kinds_dir: Path = field(default_factory=lambda: shipped("configs") / "kinds")
    sensors_dir: Path = field(default_factory=lambda: shipped("configs") / "sensors")
    models_dir: Path = field(default_factory=lambda: shipped("models"))
    categories_dir: Path = field(default_factory=lambda: shipped("configs") / "categories")
    departments_file: Path = field(default_factory=lambda: shipped("configs") / "departments.yaml")
    routing_file: Path = field(default_factory=lambda: shipped("configs") / "routing.yaml")
    office_file: Path = field(default_factory=lambda: shipped("configs") / "supervision.yaml")
    letters_dir: Path = field(default_factory=lambda: shipped("configs") / "letters")
    scoring_dir: Path = field(default_factory=lambda: shipped("configs") / "scoring")
    calendar_file: Path = field(default_factory=lambda: shipped("configs") / "calendar.yaml")
    cameras_file: Path | None = None
    sensors_file: Path | None = None
    grids_file: Path | None = None
    persons_file: Path | None = None
    workers: int = 1
    per_host: int = 4
    platforms: Mapping[str, int] = field(default_factory=dict)
    visits_at_once: int = 512
    live_cameras: int = 64
    live_per_host: int = 16
    live_addresses: tuple[str, ...] = ()
    decode_threads: int = 0
    model_threads: int = 0
    skip_loop_filter: str = "h264"
    hardware: str = ""
    preroll_s: float = 10.0
    preroll_mb: int = 256
    udp_ports: tuple[int, int] = (46000, 49999)
    recheck_looks: int = 3
    recheck_every_s: float = 10.0
    stage_limits: Mapping[Stage, str] = field(default_factory=lambda: dict(STAGE_LIMITS))
    auto_accept_min: int = 0
    separate_duties: bool = False
    closing_tick: bool = False
    webhooks: tuple[Webhook, ...] = ()
    webhook_allow: tuple[str, ...] = ()
    keep_unconfirmed_days: int = 30
    keep_case_days: int | None = None
    keep_readings_days: int = 30
    keep_5min_days: int = 370
    keep_1h_days: int = 1830
    device_readings_per_s: float = 50.0
    demo: bool = False

    @property
    def database(self) -> str:
        """The database URL, SQLite in the data folder unless one is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'hub.sqlite'}"

    @property
    def broker(self) -> Broker:
        """How the sensors' broker is reached."""
        return Broker(
            url=self.broker_url,
            user=self.broker_user,
            password=self.broker_password,
            ca=self.broker_ca,
            certificate=self.broker_certificate,
            key=self.broker_key,
            session_s=self.broker_session_s,
            share=self.broker_share,
        )


def default_settings(data_dir: Path) -> Settings:
    """Production defaults with everything kept under `data_dir`."""
    return Settings(data_dir=data_dir.absolute())


def load(path: Path) -> Settings:
    """Read a YAML file. Raises ConfigError with every problem: file, key, value, what is allowed."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}"]) from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}" if where else ""
        raise ConfigError([f"{path}{line}: is not YAML: {getattr(error, 'problem', error)}"]) from None
    if not isinstance(raw, dict):
        raise ConfigError([f"{path}: holds {type(raw).__name__}, wanted a mapping of keys (see configs/hub.yaml)"])
    return _from_mapping(raw, path)


_Reader = Callable[[Any, Path], Any]


def _text(value: Any, _base: Path) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _whole(low: int, high: int) -> _Reader:
    def read(value: Any, _base: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def _between(low: float, high: float) -> _Reader:
    def read(value: Any, _base: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"seconds from {low:g} to {high:g}")
        return float(value)

    return read


def _rate(value: Any, _base: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1_000_000:
        raise ValueError("readings a second from 0 (no limit) to 1000000")
    return float(value)


def _yes_or_no(value: Any, _base: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _one_of(*allowed: str) -> _Reader:
    def read(value: Any, _base: Path) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return str(value)

    return read


def _seconds(value: Any, _base: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86400:
        raise ValueError("seconds, above 0 and at most 86400")
    return float(value)


def _folder_or_file(value: Any, base: Path) -> Path:
    if not isinstance(value, str):
        raise ValueError("a path")
    return (base / value).resolve()


def _existing(value: Any, base: Path) -> Path:
    path = _folder_or_file(value, base)
    if not path.exists():
        raise ValueError("a path that exists")
    return path


def _zone(value: Any, _base: Path) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone name such as Asia/Shanghai") from None


def _district(value: Any, _base: Path) -> str:
    if not re.fullmatch(r"\d{6}", str(value)):
        raise ValueError("six digits of GB/T 2260, in quotes")
    return str(value)


def _database(value: Any, _base: Path) -> str:
    text = str(value)
    if urlsplit(text).scheme.split("+")[0] not in ("sqlite", "postgresql"):
        raise ValueError("sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
    return text


def _broker(value: Any, _base: Path) -> str:
    text = str(value)
    if text and urlsplit(text).scheme not in ("mqtt", "mqtts"):
        raise ValueError("mqtt://HOST:PORT or mqtts://HOST:PORT")
    if "@" in text:
        raise ValueError("mqtt(s)://HOST:PORT: who signs in stands in broker_user and broker_password_file (or _env)")
    return text


def _secret_file(value: Any, base: Path) -> str:
    try:
        secret = (base / str(value)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret:
        raise ValueError("a readable file that holds the password")
    return secret


def _secret_env(value: Any, _base: Path) -> str:
    secret = os.environ.get(str(value), "")
    if not secret:
        raise ValueError("an environment variable that holds the password")
    return secret


_MAPPING = "mapping:"


def _topics(value: Any, _base: Path) -> dict[str, str]:
    """Formats by name; mapping profiles still as `mapping:NAME`, or as the JSON of one that stands here."""
    if not isinstance(value, dict):
        raise ValueError(f"a mapping of topic filter to format, one of {', '.join(FORMATS)}, {_MAPPING}NAME")
    found = {}
    for topic, form in value.items():
        if isinstance(form, dict):
            found[topic] = MappingProfile.from_stanza(form, str(topic)).to_json()
        elif not isinstance(topic, str) or not (form in FORMATS or str(form).startswith(_MAPPING)):
            raise ValueError(f"a mapping of topic filter to format, one of {', '.join(FORMATS)}, {_MAPPING}NAME")
        else:
            found[topic] = form
    return found


def _with_mappings(settings: Settings) -> Settings:
    """`mapping:NAME` replaced by what NAME.yaml says. Raises MappingError, or ValueError for an unknown name."""
    if not any(form.startswith(_MAPPING) for form in settings.broker_topics.values()):
        return settings
    folder = settings.sensors_dir / "mappings"
    profiles = {f"{_MAPPING}{name}": profile.to_json() for name, profile in load_mappings(folder).items()}
    for form in settings.broker_topics.values():
        if form.startswith(_MAPPING) and form not in profiles:
            raise ValueError(f"{form!r} is not one of {', '.join(sorted(profiles))} (of {folder})")
    return replace(settings, broker_topics={t: profiles.get(form, form) for t, form in settings.broker_topics.items()})


def _ports(value: Any, _base: Path) -> tuple[int, int]:
    words = value.split("-") if isinstance(value, str) else []
    if len(words) == 2 and all(word.isdigit() for word in words):
        first, last = int(words[0]), int(words[1])
        if 1024 <= first < last <= 65535 and first % 2 == 0:
            return first, last
    raise ValueError("a range such as 46000-49999: from an even port, at least 1024, to a higher one")


def _platforms(value: Any, _base: Path) -> dict[str, int]:
    allowed = "a mapping of platform name to {sessions: a whole number from 1 to 10000}"
    if not isinstance(value, dict):
        raise ValueError(allowed)
    read, sessions = _whole(1, 10000), {}
    for name, stanza in value.items():
        if not isinstance(name, str) or not isinstance(stanza, dict) or set(stanza) != {"sessions"}:
            raise ValueError(allowed)
        try:
            sessions[name] = read(stanza["sessions"], _base)
        except ValueError:
            raise ValueError(allowed) from None
    return sessions


def _stage_limits(value: Any, _base: Path) -> dict[Stage, str]:
    stages = [stage.value for stage in STAGE_LIMITS]
    if not isinstance(value, dict) or not all(stage in stages for stage in value):
        raise ValueError(f"a mapping of {', '.join(stages)} to a limit such as 0.25紧急工作时")
    for text in value.values():
        try:
            parse_limit(str(text))
        except LimitError as error:
            raise ValueError(f"a mapping of {', '.join(stages)} to a limit; {error}") from None
    return {**STAGE_LIMITS, **{Stage(stage): str(text) for stage, text in value.items()}}


def _texts(value: Any, _base: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError("a list of texts")
    return tuple(value)


def _addresses(value: Any, base: Path) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_address(text)) for text in _texts(value, base))
    except ValueError:
        raise ValueError("a list of IP addresses of this machine") from None


def _networks(value: Any, base: Path) -> tuple[str, ...]:
    try:
        return tuple(
            str(ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text))
            for text in _texts(value, base)
        )
    except ValueError:
        raise ValueError("a list of IP addresses and networks such as 10.0.0.0/24") from None


def _webhooks(value: Any, base: Path) -> tuple[Webhook, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of {url, secret_file | secret_env, types}")
    return tuple(_webhook(item, base) for item in value)


def _webhook(item: Any, base: Path) -> Webhook:
    if not isinstance(item, dict) or set(item) - {"url", "secret_file", "secret_env", "types"}:
        raise ValueError("a list of {url, secret_file | secret_env, types}")
    if urlsplit(str(item.get("url"))).scheme not in ("http", "https"):
        raise ValueError("url: an http or https address")
    if "secret_file" in item:
        try:
            secret = (base / str(item["secret_file"])).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"secret_file: a readable file; {item['secret_file']} is not") from None
    else:
        secret = os.environ.get(str(item.get("secret_env")), "")
    if not secret.startswith("whsec_"):
        raise ValueError("a secret that begins with whsec_ in secret_file or secret_env")
    return Webhook(str(item["url"]), secret, _texts(item.get("types", []), base))


_KEYS: dict[str, tuple[str, _Reader]] = {
    "name": ("name", _text),
    "data_dir": ("data_dir", _folder_or_file),
    "database": ("database_url", _database),
    "district_code": ("district_code", _district),
    "timezone": ("timezone", _zone),
    "listen_host": ("listen_host", _text),
    "listen_port": ("listen_port", _whole(1, 65535)),
    "proxies": ("proxies", _networks),
    "broker": ("broker_url", _broker),
    "broker_topics": ("broker_topics", _topics),
    "broker_user": ("broker_user", _text),
    "broker_password_file": ("broker_password", _secret_file),
    "broker_password_env": ("broker_password", _secret_env),
    "broker_ca": ("broker_ca", _existing),
    "broker_certificate": ("broker_certificate", _existing),
    "broker_key": ("broker_key", _existing),
    "broker_session_s": ("broker_session_s", _whole(0, 30 * 86400)),
    "broker_share": ("broker_share", _text),
    "kinds": ("kinds_dir", _existing),
    "sensors": ("sensors_dir", _existing),
    "models": ("models_dir", _existing),
    "categories": ("categories_dir", _existing),
    "departments": ("departments_file", _existing),
    "routing": ("routing_file", _existing),
    "calendar": ("calendar_file", _existing),
    "supervision": ("office_file", _existing),
    "letters": ("letters_dir", _existing),
    "scoring": ("scoring_dir", _existing),
    "cameras": ("cameras_file", _existing),
    "sensor_list": ("sensors_file", _existing),
    "grids": ("grids_file", _existing),
    "persons": ("persons_file", _existing),
    "workers": ("workers", _whole(0, 64)),
    "per_host": ("per_host", _whole(1, 1000)),
    "platforms": ("platforms", _platforms),
    "visits_at_once": ("visits_at_once", _whole(1, 10000)),
    "live_cameras": ("live_cameras", _whole(1, 1000)),
    "live_per_host": ("live_per_host", _whole(1, 1000)),
    "live_addresses": ("live_addresses", _addresses),
    "decode_threads": ("decode_threads", _whole(0, 256)),
    "model_threads": ("model_threads", _whole(0, 256)),
    "skip_loop_filter": ("skip_loop_filter", _one_of("none", "h264", "all")),
    "hardware": ("hardware", _text),
    "preroll_s": ("preroll_s", _between(0.0, 60.0)),
    "preroll_mb": ("preroll_mb", _whole(0, 1_000_000)),
    "udp_ports": ("udp_ports", _ports),
    "recheck_looks": ("recheck_looks", _whole(1, 20)),
    "recheck_every_s": ("recheck_every_s", _seconds),
    "keep_unconfirmed_days": ("keep_unconfirmed_days", _whole(30, 3660)),
    "keep_case_days": ("keep_case_days", _whole(30, 36600)),
    "keep_readings_days": ("keep_readings_days", _whole(1, 3660)),
    "keep_5min_days": ("keep_5min_days", _whole(1, 3660)),
    "keep_1h_days": ("keep_1h_days", _whole(1, 36600)),
    "device_readings_per_s": ("device_readings_per_s", _rate),
    "stage_limits": ("stage_limits", _stage_limits),
    "auto_accept_min": ("auto_accept_min", _whole(0, 10080)),
    "separate_duties": ("separate_duties", _yes_or_no),
    "closing_tick": ("closing_tick", _yes_or_no),
    "webhooks": ("webhooks", _webhooks),
    "webhook_allow": ("webhook_allow", _texts),
}


def _from_mapping(raw: dict[str, Any], path: Path) -> Settings:
    base = path.resolve().parent
    problems, values = [], {}
    for key, value in raw.items():
        if key not in _KEYS:
            problems.append(f"{path}: unknown key {key!r}; allowed: {', '.join(_KEYS)}")
            continue
        name, read = _KEYS[key]
        try:
            values[name] = read(value, base)
        except MappingError as error:
            problems += [f"{path}: {key}: {problem}" for problem in error.problems]
        except ValueError as error:
            secret = key in ("webhooks", "database") or (key == "broker" and "@" in str(value))
            shown = "(hidden)" if secret else repr(value)
            problems.append(f"{path}: {key}: {shown} is not {error}")
    if problems:
        raise ConfigError(problems)
    settings = default_settings(values.pop("data_dir", base / "data"))
    settings = replace(settings, **values)
    if unfit := settings.broker.problems():
        raise ConfigError([f"{path}: {problem}" for problem in unfit])
    try:
        return _with_mappings(settings)
    except MappingError as error:
        raise ConfigError(error.problems) from None
    except ValueError as error:
        raise ConfigError([f"{path}: broker_topics: {error}"]) from None
