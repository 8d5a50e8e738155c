"""The page's two dictionaries: the same keys, the same blanks to fill, and every key that the sources name."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import errors as hub_errors
from hub.api.bodies import CameraChange, SensorChange, UserChange
from hub.domain.call_up import REASONS
from hub.domain.case import CaseAction
from hub.domain.consent import REQUEST_STATE_NAMES
from hub.domain.letter import LETTER_ACTION_NAMES
from hub.domain.link import LinkState
from hub.domain.stage_clock import STAGE_NAMES
from hub.domain.whistle import WHISTLE_ACTION_NAMES, WHISTLE_STATE_NAMES
from ingest import errors

SOURCES = Path(__file__).resolve().parents[3] / "hub" / "web" / "src"
ZH: dict[str, str] = json.loads((SOURCES / "words" / "zh.json").read_text())
EN: dict[str, str] = json.loads((SOURCES / "words" / "en.json").read_text())
CODE = "\n".join(p.read_text() for p in sorted(SOURCES.rglob("*")) if p.suffix in (".ts", ".vue"))
CHINESE = re.compile(r"[\u3400-\u9fff]")
MARKS = re.compile("[，。、；：？！（）]")


def test_both_languages_have_the_same_keys() -> None:
    assert list(ZH) == list(EN)


def test_each_key_has_words_and_the_same_blanks_in_both() -> None:
    blanks = {key: [set(re.findall(r"\{(\w+)\}", words[key])) for words in (ZH, EN)] for key in ZH}
    assert not [key for key in ZH if not (ZH[key].strip() and EN[key].strip())]
    assert not {key: both for key, both in blanks.items() if both[0] != both[1]}
    assert not {key: EN[key] for key in ZH if CHINESE.search(EN[key])}


@pytest.mark.parametrize("words", [ZH, EN])
def test_words_for_one_and_for_more_hang_on_a_number_that_stands_beside_them(words: dict[str, str]) -> None:
    for key, text in words.items():
        counted = re.findall(r"\{(\w+)\|[^{|}]+\|[^{|}]+\}", text)
        assert len(counted) == text.count("|") / 2, key
        assert set(counted) <= set(re.findall(r"\{(\w+)\}", text)), key


NEVER_ONE = {"why.frozen", "why.frozen_but_clock", "why.takes_turns", "keeping.bounds"}
"""Two pictures are needed to be alike, more cameras than sessions to take turns; a range ends in the plural."""


def test_no_number_stands_before_a_plural_alone() -> None:
    more = " ".join(other for text in EN.values() for other in re.findall(r"\{\w+\|[^{|}]+\|([^{|}]+)\}", text))
    plurals = {word for word in more.split() if word.endswith("s") and word not in ("is", "does")}
    assert {"cases", "cameras", "days"} <= plurals
    wrong = {
        key
        for key, text in EN.items()
        for adjective, noun in re.findall(r"\{\w+\} ([a-z-]+ )?([a-z]+)\b", text)
        if noun in plurals or adjective.strip() in plurals
    }
    assert wrong == NEVER_ONE


def test_every_key_that_the_sources_name_is_there() -> None:
    families = {key.split(".")[0] for key in ZH}
    named = {k for k in re.findall(r"'([a-z][a-z-]*\.[a-z0-9_-]+)'", CODE) if k.split(".")[0] in families}
    assert len(named) > 100
    assert not named - set(ZH)


def audits() -> Iterator[ast.Call]:
    """Every place where the hub writes into its audit trail."""
    for path in sorted((SOURCES.parents[1]).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "audit":
                yield call


def audited() -> Iterator[str]:
    """Every action that is written; those put together end with the part that is fixed."""
    for call in audits():
        for part in ast.walk(call.args[2]) if len(call.args) > 2 else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def test_what_stands_in_the_audit_trail_has_words() -> None:
    actions = set(audited())
    assert len(actions) > 50
    known = {key.removeprefix("audit-action.") for key in ZH if key.startswith("audit-action.")}
    whole = {action for action in actions if action.strip("-_") == action and action}
    assert not whole - known
    composed = {f"case-{a}" for a in CaseAction} | {f"letter-{a}" for a in LETTER_ACTION_NAMES}
    composed |= {f"whistle-{a}" for a in WHISTLE_ACTION_NAMES} | {f"link-{s}" for s in LinkState}
    composed |= {"case-ask", "case-consent", "case-deny", "case-take-back", "whistle-raised"}
    composed |= {f"case-part-{a}" for a in ("accept", "feedback", "return")}
    assert not composed - known


def test_what_an_entry_of_the_audit_trail_tells_has_words() -> None:
    told = {keyword.arg for call in audits() for keyword in call.keywords if keyword.arg}
    assert len(told) > 40
    told |= {*CameraChange.model_fields, *SensorChange.model_fields, *UserChange.model_fields}
    assert not told - {key.removeprefix("named.") for key in ZH if key.startswith("named.")}


def test_the_audit_trail_calls_things_by_the_words_of_the_domain() -> None:
    for names in (REQUEST_STATE_NAMES, STAGE_NAMES, WHISTLE_STATE_NAMES):
        assert {code: ZH[f"audit-value.{code}"] for code in names} == {code: both["zh"] for code, both in names.items()}
    assert {f"audit-value.{code}" for code in REASONS} <= set(ZH)


def test_no_key_is_left_over() -> None:
    built = set(re.findall(r"(?:tOf|saysOf)\(\s*'([a-z-]+)'", CODE)) | set(re.findall(r"`([a-z-]+)\.\$\{", CODE))
    built |= {"advice-staff", "advice-department", "audit-value"}
    assert not [key for key in ZH if f"'{key}'" not in CODE and key.split(".")[0] not in built]


def test_no_chinese_stands_outside_the_dictionaries() -> None:
    """Screens say nothing that cannot be switched."""
    for path in sorted(SOURCES.rglob("*.vue")):
        text = path.read_text()
        template = text.split("<template>", 1)[1].replace("'中文'", "")  # a language by its own name
        assert not CHINESE.search(template), path.name
        assert not MARKS.search(text.replace(r".split(/[\s,，、;；]+/)", "")), path.name  # what is typed may hold them


def said_codes() -> Iterator[tuple[str, set[str]]]:
    """Every code that the ingest says of a camera, and the blanks that it fills."""
    for path in sorted((SOURCES.parents[2] / "ingest").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Said":
                blanks = {keyword.arg for keyword in call.keywords if keyword.arg}
                for code in ast.walk(call.args[1]):
                    if isinstance(code, ast.Constant) and isinstance(code.value, str) and not code.value.endswith("_"):
                        yield code.value, blanks
    yield "clock_ahead", {"seconds"}
    yield "clock_behind", {"seconds"}
    for one in vars(errors).values():
        if isinstance(one, type) and issubclass(one, errors.SourceError):
            yield one.kind, {"detail"}
    yield "unseen", set()


@pytest.mark.parametrize(("code", "blanks"), list(said_codes()))
def test_whatever_is_said_of_a_camera_has_words(code: str, blanks: set[str]) -> None:
    assert set(re.findall(r"\{(\w+)\}", ZH[f"why.{code}"])) <= blanks


def test_no_words_about_cameras_are_left_over() -> None:
    assert {key.removeprefix("why.") for key in ZH if key.startswith("why.")} == {code for code, _ in said_codes()}


def test_whatever_a_look_of_a_re_check_says_has_words() -> None:
    """With the figures that its code brings, and the kind of the case."""
    tree = ast.parse((SOURCES.parents[2] / "detectors" / "recheck.py").read_text())
    brings = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Why":
            code, *_, values = (*call.args, ast.Dict([], [])) if len(call.args) == 2 else call.args
            assert isinstance(code, ast.Constant)
            assert isinstance(values, ast.Dict)
            brings[f"look.{code.value}"] = {k.value for k in values.keys if isinstance(k, ast.Constant)} | {"kind"}
    assert brings.keys() == {key for key in ZH if key.startswith("look.")}
    for key, blanks in brings.items():
        assert set(re.findall(r"\{(\w+)\}", ZH[key] + EN[key])) <= blanks


def refusals() -> Iterator[str]:
    """Every word for what the hub refuses: by the type of the problem, and by what stands against it."""
    hub = SOURCES.parents[1]
    for one in vars(hub_errors).values():
        if isinstance(one, type) and issubclass(one, hub_errors.HubError) and one.type not in OF_WORKERS:
            yield f"refusal.{one.type}"
    for path in sorted(hub.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Barred":
                (why, *_) = call.args
                if isinstance(why, ast.Constant):
                    yield f"barred.{why.value}"


OF_WORKERS = {"unknown-source", "unknown-kind", "hash-mismatch", "missing-evidence", "too-early", "too-often"}
"""Told to programs and devices, never to a person."""


def test_whatever_the_hub_refuses_has_words() -> None:
    assert len(set(refusals())) > 35
    assert not set(refusals()) - set(ZH)
