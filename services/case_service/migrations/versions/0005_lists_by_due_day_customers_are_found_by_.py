"""lists by due day; customers are found by their appointment; who opted out is remembered."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from kit.types import Id, Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CASES = sa.table(
    "cases",
    sa.column("case_id", Id()),
    sa.column("due_on", sa.Date()),
    sa.column("due_by", sa.Date()),
    sa.column("opened_at", Utc()),
)


def upgrade() -> None:
    """lists by due day; customers are found by their appointment; who opted out is remembered."""
    op.add_column("cases", sa.Column("due_by", sa.Date(), nullable=False, server_default="9999-12-31"))
    op.create_index("cases_backlog", "cases", [sa.literal_column("priority DESC"), "due_by", "case_id"], unique=False)
    op.create_index("ix_work_orders_appointment_id", "work_orders", ["appointment_id"], unique=False)
    op.add_column("cases", sa.Column("opted_out", sa.Boolean(), nullable=False, server_default=sa.false()))
    db = op.get_bind()
    known = db.execute(sa.select(CASES.c.case_id, CASES.c.due_on, CASES.c.opened_at)).all()
    days = [
        {"id": row.case_id, "day": row.due_on or (row.opened_at + timedelta(days=30)).date()}
        for row in known  # as due_by of the domain has it; the next change of a case says it again
    ]
    if days:
        by_id = CASES.c.case_id == sa.bindparam("id", type_=Id())
        db.execute(sa.update(CASES).where(by_id).values(due_by=sa.bindparam("day", type_=sa.Date())), days)


def downgrade() -> None:
    """Back to what was before."""
    op.drop_column("cases", "opted_out")
    op.drop_index("ix_work_orders_appointment_id", table_name="work_orders")
    op.drop_index("cases_backlog", table_name="cases")
    op.drop_column("cases", "due_by")
