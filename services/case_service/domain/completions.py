"""Completed cases that wait to be invoiced elsewhere: no amounts, one line each (S2-20, S4-10)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from contracts.codes import CaseType
from contracts.ids import CaseId, Code, OrderKey
from kit.store import Aggregate


@dataclass(kw_only=True, eq=False)
class Completion(Aggregate):
    """One CaseCompleted, and the export that told it to the invoicing."""

    completion_key: str
    """`<case>/<number of the completion>`."""
    case_id: CaseId
    completion: int
    operator: Code
    case_type: CaseType
    order_keys: tuple[OrderKey, ...]
    completed_on: date
    """Local to the operator."""
    export_id: UUID | None = None

    def key(self) -> str:
        return self.completion_key
