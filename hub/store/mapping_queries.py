"""Mapping profiles, and the rule state of sensors that speak HTTP: what is asked of the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .device_rows import MappingRow, RuleStateRow


def mapping(tx: Session, mapping_id: str) -> MappingRow | None:
    """The profile."""
    return tx.get(MappingRow, mapping_id)


def mappings(tx: Session) -> list[MappingRow]:
    """By id."""
    return list(tx.scalars(select(MappingRow).order_by(MappingRow.id)))


def rule_state(tx: Session, sensor_id: str) -> dict[str, Any]:
    """The state of a sensor's rules; {} at first."""
    row = tx.get(RuleStateRow, sensor_id)
    return dict(row.state) if row else {}


def rule_states(tx: Session) -> dict[str, dict[str, Any]]:
    """Of every sensor that has one."""
    return {row.sensor_id: dict(row.state) for row in tx.scalars(select(RuleStateRow))}


def keep_rule_state(tx: Session, sensor_id: str, state: dict[str, Any]) -> None:
    """In place of the one before."""
    tx.merge(RuleStateRow(sensor_id=sensor_id, state=state))
