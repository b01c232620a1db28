"""What is asked of imports, and how their counts and findings are written: the SQL beside the aggregates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kit import rows
from kit.auth import Scope
from kit.jobs import Verdict
from kit.tables import jobs
from services.mdm_adapter import tables
from services.mdm_adapter.domain.messages import Noted
from services.mdm_adapter.store import in_scope

_imports, _findings = tables.import_jobs, tables.import_findings
COUNTS = ("accepted", "unchanged", "changed", "refused")
FINDINGS = ("import_id", "row", "findings")


def import_of(db: sa.Connection, scope: Scope, import_id: UUID) -> Any | None:
    """One import, with the state of its job where there is one."""
    joined = _imports.outerjoin(jobs, jobs.c.id == _imports.c.job_id)
    query = sa.select(_imports, jobs.c.state.label("job_state")).select_from(joined)
    return db.execute(query.where(_imports.c.import_id == import_id, in_scope(scope, _imports.c.partner))).one_or_none()


def findings_of(db: sa.Connection, import_id: UUID, most: int | None = None) -> Mapping[int, Sequence[Noted]]:
    """The findings of the rows that were refused, by row; `most`: only of so many rows."""
    query = sa.select(_findings.c.row, _findings.c.findings).where(_findings.c.import_id == import_id)
    found = db.execute(query.order_by(_findings.c.row).limit(most)).all()
    return {row.row: row.findings for row in found}


def count_import(db: sa.Connection, import_id: UUID, verdicts: Sequence[tuple[int, Verdict]]) -> None:
    """Write down what became of the rows of a batch."""
    counted = Counter("refused" if verdict.result != "done" else str(verdict.code) for _, verdict in verdicts)
    refused = {number: _said(verdict) for number, verdict in verdicts if verdict.result != "done"}
    if counted:
        mine = _imports.c.import_id == import_id
        before = db.scalar(sa.select(_imports.c.rules).where(mine)) or {}
        changes: dict[str, Any] = {name: _imports.c[name] + counted[name] for name in COUNTS}
        changes["rules"] = dict(Counter(before) + by_rule(refused))
        db.execute(sa.update(_imports).where(mine).values(**changes))
    note(db, import_id, refused)


def by_rule(refused: Mapping[int, Sequence[Noted]]) -> Counter[str]:
    """How many rows were refused by which rule."""
    return Counter(found[0].rule or found[0].code for found in refused.values())


def note(db: sa.Connection, import_id: UUID, found: Mapping[int, Sequence[Noted]]) -> None:
    """Keep the findings of refused rows."""
    how = rows.binders(db.dialect, _findings, FINDINGS)
    made = [rows.bound((import_id, number, tuple(each)), how) for number, each in found.items()]
    if made:
        rows.upsert(db, _findings, FINDINGS, made)


def forget_findings(db: sa.Connection, import_id: UUID) -> None:
    """Before a file is taken once more."""
    db.execute(sa.delete(_findings).where(_findings.c.import_id == import_id))


def _said(verdict: Verdict) -> Sequence[Noted]:
    """The findings of a refusal; a row that raised has only its code."""
    found = [Noted.model_validate(each) for each in (verdict.said or {}).get("findings", ())]
    code = verdict.code or verdict.result
    return found or [Noted(code=code, position="row", detail="could not be taken")]
