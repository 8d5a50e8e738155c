"""Cards and weights: what a card may say, and that other weights than its own are refused."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
import yaml

from detectors.catalog import Catalog
from detectors.errors import CatalogError, ModelError

CARD = {
    "name": "small",
    "version": "3",
    "task": "detect",
    "file": "small.onnx",
    "format": "onnx",
    "sha256": hashlib.sha256(b"weights").hexdigest(),
    "labels": ["a", "b"],
    "input": {"width": 64, "height": 64, "layout": "NCHW", "color": "RGB", "scale": "1/255", "pad": 114},
    "output": {"kind": "yolo"},
    "thresholds": {"a": 0.4},
    "licence": "AGPL-3.0-or-later",
    "measured": ["nothing"],
}


def catalog(folder: Path, weights: bytes = b"weights", **change: object) -> Catalog:
    (folder / "small").mkdir(parents=True)
    (folder / "small" / "small.onnx").write_bytes(weights)
    (folder / "small" / "card.yaml").write_text(yaml.safe_dump(CARD | change), encoding="utf-8")
    return Catalog(folder)


def test_a_card_is_read(tmp_path: Path) -> None:
    (card,) = catalog(tmp_path).cards()
    assert (card.name, card.version, card.labels) == ("small", "3", ("a", "b"))
    assert card.form.pixels.scale == pytest.approx(1 / 255)
    assert card.form.step is None
    assert card.thresholds == {"a": 0.4}
    assert card.to_wire()["measured"] == ["nothing"]


def test_other_weights_are_refused_naming_file_and_hashes(tmp_path: Path) -> None:
    models = catalog(tmp_path, weights=b"tampered")
    with pytest.raises(CatalogError) as caught:
        models.open("small")
    for part in (str(tmp_path / "small" / "small.onnx"), CARD["sha256"], hashlib.sha256(b"tampered").hexdigest()):
        assert str(part) in str(caught.value)


def test_a_name_with_a_slash_fits_no_address(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"card\.yaml: name: 'small/2'; allowed: a text without /"):
        catalog(tmp_path, name="small/2").cards()


def test_weights_that_are_no_network_are_refused(tmp_path: Path) -> None:
    for runtime in ("openvino", "onnxruntime"):
        models = catalog(tmp_path / runtime)
        with pytest.raises(ModelError, match=r"small\.onnx"):
            models.open("small", runtime)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "abc"}, "sha256: 'abc' is not 64"),
        ({"task": "segment"}, "task: 'segment'; allowed: detect"),
        ({"labels": []}, "labels: [] is not a list of names"),
        ({"file": "../../etc/passwd"}, "is not beside the card"),
        ({"input": {"width": 8, "height": 64}}, "allowed: 32 to 4096"),
        ({"input": {"width": 64}}, "height: missing"),
        ({"input": {"width": 64, "height": 64, "step": 48}}, "input.step: 48; allowed: a whole number that divides"),
        ({"output": {"kind": "ssd"}}, "allowed: yolo"),
        ({"output": {"kind": "yolo", "loose": {"unicorn": 0.5}}}, "output.loose: {'unicorn': 0.5}; allowed: some of"),
        ({"output": {"kind": "yolo", "loose": ["a"]}}, "output.loose: ['a']; allowed: some of"),
        ({"output": {"kind": "yolo", "loose": {"a": 5}}}, "output.loose.a: 5; allowed: a number from 0.1 to 0.9"),
    ],
)
def test_a_broken_card_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        catalog(tmp_path, **change).cards()
    assert str(tmp_path / "small" / "card.yaml") in str(caught.value)
    assert message in str(caught.value)


def test_an_unknown_model_or_runtime_is_named_with_what_there_is(tmp_path: Path) -> None:
    models = catalog(tmp_path)
    with pytest.raises(CatalogError, match=r"'big' is not in .*; there: small"):
        models.open("big")
    with pytest.raises(CatalogError, match="allowed: onnxruntime, openvino"):
        models.open("small", "tensorflow")


def test_a_pt_file_without_ultralytics_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(CatalogError, match=r"gridhub\[tune\]"):
        Catalog(tmp_path).open("yolo11n.pt")
