"""points, areas, imports and addresses that are gone."""

import sqlalchemy as sa
from alembic import op

from kit.types import Id, Json, Utc

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """points, areas, imports and addresses that are gone."""
    op.create_table(
        "endpoints",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("disabled_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("partner"),
    )
    op.create_table(
        "points",
        sa.Column("metering_point_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("states", Json(), nullable=False),
        sa.PrimaryKeyConstraint("metering_point_id"),
    )
    op.create_table(
        "areas",
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("area_key"),
    )
    op.create_table(
        "import_jobs",
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("file_id", Id(), nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("form", Json(), nullable=False),
        sa.Column("mapping", Json(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("rules", Json(), nullable=False),
        sa.Column("job_id", Id(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id"),
    )
    op.create_table(
        "import_findings",
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("findings", Json(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_jobs.import_id"]),
        sa.PrimaryKeyConstraint("import_id", "row"),
    )


def downgrade() -> None:
    """Back to what was before."""
    for table in ("import_findings", "import_jobs", "areas", "points", "endpoints"):
        op.drop_table(table)
