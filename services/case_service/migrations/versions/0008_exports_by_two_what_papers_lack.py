"""exports of persons by two, what papers lack."""

import sqlalchemy as sa
from alembic import op

from kit.types import Id, Json, Utc

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """exports of persons by two, what papers lack."""
    op.add_column("work_orders", sa.Column("lacking", Json(), server_default="[]", nullable=False))
    op.create_table(
        "person_exports",
        sa.Column("case_id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", Utc(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index(op.f("ix_person_exports_state"), "person_exports", ["state"], unique=False)


def downgrade() -> None:
    """Back to what was before."""
    op.drop_index(op.f("ix_person_exports_state"), table_name="person_exports")
    op.drop_table("person_exports")
    op.drop_column("work_orders", "lacking")
