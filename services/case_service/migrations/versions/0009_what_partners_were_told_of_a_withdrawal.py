"""what partners were told of a withdrawal."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """what partners were told of a withdrawal."""
    op.add_column("case_orders", sa.Column("decision", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back to what was before."""
    op.drop_column("case_orders", "decision")
