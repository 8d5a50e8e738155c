"""How long evidence is kept: what is due, what was purged, periods that were set, cases whose evidence is preserved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """All evidence is looked at once; pictures of letters and whistles are not due."""
    op.add_column("evidence", sa.Column("due_at", UtcTime(), nullable=True))
    op.add_column("evidence", sa.Column("purged_at", UtcTime(), nullable=True))
    evidence = sa.table("evidence", sa.column("sha256"), sa.column("stored_at"), sa.column("due_at"))
    op.execute(evidence.update().values(due_at=evidence.c.stored_at))
    connection = op.get_bind()
    for sha256 in set(_of_papers(connection)):
        connection.execute(evidence.update().where(evidence.c.sha256 == sha256).values(due_at=None))
    op.create_index("ix_evidence_due_at", "evidence", ["due_at"])
    op.create_table(
        "retention",
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("what", name="pk_retention"),
    )
    op.add_column("cases", sa.Column("held_at", UtcTime(), nullable=True))
    op.create_index("ix_looks_sha256", "looks", ["sha256"])
    op.create_index("ix_sightings_sha256", "sightings", ["sha256"])


def _of_papers(connection: sa.Connection) -> Iterator[Any]:
    for table, column in (
        ("letters", "reply_evidence"),
        ("whistles", "result_evidence"),
        ("whistle_calls", "arrived_evidence"),
    ):
        for (hashes,) in connection.execute(sa.select(sa.column(column, json_type())).select_from(sa.table(table))):
            yield from hashes or ()
