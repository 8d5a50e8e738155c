"""A training recipe with one of everything, to be changed by tests."""

from __future__ import annotations

from typing import Any


def small_recipe() -> dict[str, Any]:
    """Of a detector, as YAML gives it."""
    return {
        "name": "small",
        "version": "1",
        "size_px": 416,
        "seed": 0,
        "labels": ["garbage", "vehicle"],
        "teacher": {"weights": "w.onnx", "licence": "x", "classes": {"car": "vehicle"}},
        "sets": {"bins": {"data": "d.yaml", "licence": "x", "labels": {"rubbish": "garbage"}}},
        "stages": {"one": {"sets": ["bins"], "epochs": 2}},
        "card": {"summary": "x", "licence": "x", "limits": []},
    }
