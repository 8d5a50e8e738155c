"""Which cases a letter names, and which areas letters and whistles without a case are about."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Two tables; the cases of older letters are those of their printed table."""
    op.create_table(
        "letter_cases",
        sa.Column("letter_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["letters.id"], name=op.f("fk_letter_cases_letter_id_letters"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_letter_cases_case_id_cases"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("letter_id", "case_id", name=op.f("pk_letter_cases")),
    )
    op.create_index(op.f("ix_letter_cases_case_id"), "letter_cases", ["case_id"])
    op.create_table(
        "paper_areas",
        sa.Column("paper_id", sa.String(length=32), nullable=False),
        sa.Column("grid_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("paper_id", "grid_id", name=op.f("pk_paper_areas")),
    )
    op.create_index(op.f("ix_paper_areas_grid_id"), "paper_areas", ["grid_id"])
    connection = op.get_bind()
    link = sa.table("letter_cases", sa.column("letter_id"), sa.column("case_id"))
    for letter_id, lines in connection.execute(sa.text("SELECT id, lines FROM letters")).all():
        rows = json.loads(lines) if isinstance(lines, str) else lines
        for number in {row.get("编号", "") for row in rows or ()}:
            found = connection.execute(sa.text("SELECT id FROM cases WHERE number = :n"), {"n": number}).scalar()
            if found is not None:
                op.execute(link.insert().values(letter_id=letter_id, case_id=found))
