"""the operator's desk: what messages speak of, edits, agreements that are edited through the API."""

import sqlalchemy as sa
from alembic import op

from kit.types import Id, Json, Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """the operator's desk: what messages speak of, edits, agreements that are edited through the API."""
    op.create_table(
        "message_links",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("row_id", Id(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("message_id", "order_key", "row_id"):
        op.create_index(f"ix_message_links_{column}", "message_links", [column])
    op.create_table(
        "edits",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("original_id", Id(), nullable=True),
        sa.Column("edited_id", Id(), nullable=False),
        sa.Column("row_id", Id(), nullable=True),
        sa.Column("changed", Json(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("original_id", "edited_id", "row_id"):
        op.create_index(f"ix_edits_{column}", "edits", [column])
    op.create_table(
        "agreements",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("proposed_reason", sa.Text(), nullable=True),
        sa.Column("proposed_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "agreement_editions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["agreements.name"]),
        sa.PrimaryKeyConstraint("name", "number"),
    )
    op.add_column("handover_rows", sa.Column("edits", Json(), server_default="{}", nullable=False))


def downgrade() -> None:
    """Back to what was before."""
    op.drop_column("handover_rows", "edits")
    for table in ("agreement_editions", "agreements", "edits", "message_links"):
        op.drop_table(table)
