"""What a look of a re-check says, for other languages than Chinese; since when a sensor is in maintenance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.columns import UtcTime, json_type

revision = "0026"
down_revision = "0025"

SAID = {
    "该类问题没有可复查的画面规则": "no_rule",
    "原位置未再发现": "gone",
    "原位置已是另一目标": "another",
    "缺少发现时的画面": "nothing_to_compare",
    "与发现时画面更接近": "like_found",
    "与出现前画面更接近": "like_before",
    "与发现时画面不同": "unlike_found",
}
"""How the sentences that workers sent began, and what they say; `SEEN` has a figure besides."""
SEEN = "原位置仍可见"


def upgrade() -> None:
    """Two columns; looks that are kept say what their sentence says, but for the figure, which their score has."""
    op.add_column("sensors", sa.Column("maintenance_since", UtcTime(), nullable=True))
    op.add_column("looks", sa.Column("said", json_type(), nullable=True))
    looks = sa.table("looks", sa.column("id"), sa.column("why"), sa.column("score"), sa.column("said", json_type()))
    for begins, code in SAID.items():
        said = {"code": code, "values": {}}
        op.execute(looks.update().where(looks.c.why.startswith(begins)).values(said=said))
    db = op.get_bind()
    for row in db.execute(sa.select(looks.c.id, looks.c.score).where(looks.c.why.startswith(SEEN))).all():
        said = {"code": "seen", "values": {"share": round(100 * row.score)}}
        db.execute(looks.update().where(looks.c.id == row.id).values(said=said))
