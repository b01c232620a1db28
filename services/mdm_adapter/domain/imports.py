"""A file that a person imports: what it is, how it is read, how far it has come, and what was wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kit.store import Aggregate
from services.mdm_adapter.dialects.csv.columns import ImportKind
from services.mdm_adapter.documents.values import Value
from services.mdm_adapter.partners.mapping import ColumnMap

JOB = "import"


class ImportState(StrEnum):
    """How far an import has come; a job that is at work says more."""

    PROPOSED = "proposed"
    """It waits for somebody to confirm how it is read."""
    RUNNING = "running"
    REFUSED = "refused"
    """All or nothing was asked for, and something is wrong: nothing was taken."""


class Form(Value):
    """How a file is read."""

    delimiter: str = ";"
    encoding: str = "utf-8"
    sheet: str | None = None
    """Of an Excel file; without a name the first one."""


@dataclass(kw_only=True, eq=False)
class Import(Aggregate):
    """One file, and what becomes of it. Its bytes lie in the archive."""

    import_id: UUID
    kind: ImportKind
    partner: str
    """Whose orders; of points and areas whose defaults."""
    file_id: UUID
    """The message that the archive keeps the bytes under."""
    received_at: datetime
    form: Form
    mapping: ColumnMap
    state: ImportState = ImportState.PROPOSED
    rows: int = 0
    accepted: int = 0
    unchanged: int = 0
    changed: int = 0
    refused: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    """How many rows were refused by which rule; a row counts for its first."""
    job_id: UUID | None = None
    created_by: str = ""

    def key(self) -> str:
        return str(self.import_id)

    def confirm(self, form: Form, mapping: ColumnMap, rows: int, rules: dict[str, int]) -> None:
        """Somebody says how it is read; with rows that were refused before, nothing is taken."""
        self.form, self.mapping, self.rows = form, mapping, rows
        self.accepted = self.unchanged = self.changed = 0
        self.rules, self.refused = rules, sum(rules.values())
        self.state = ImportState.REFUSED if rules else ImportState.RUNNING
