"""What asset_service keeps of a case: where its devices are, how urgent it is, and whether it ended."""

from dataclasses import dataclass
from enum import StrEnum

from contracts.ids import CaseId, VisitId, WorkOrderId
from kit.store import Aggregate


class CaseEnd(StrEnum):
    """How a case ended. After the first two nothing is ever set aside for it again."""

    CANCELLED = "CANCELLED"
    ABANDONED = "ABANDONED"
    COMPLETED = "COMPLETED"
    """Taken back when the case is reopened."""


@dataclass(kw_only=True, eq=False)
class Case(Aggregate):
    """A case as others told it; one that ended before it was heard of is kept as a tombstone."""

    case_id: CaseId
    case_version: int = 0
    """Of the case at case_service; older amendments are ignored."""
    metering_point_id: str | None = None
    operator: str | None = None
    priority: int = 50
    ended: CaseEnd | None = None
    work_orders: tuple[WorkOrderId, ...] = ()
    visits: tuple[VisitId, ...] = ()

    def key(self) -> str:
        return str(self.case_id)

    @property
    def is_over(self) -> bool:
        """For good: no reservation of it may become active any more (I8)."""
        return self.ended in (CaseEnd.CANCELLED, CaseEnd.ABANDONED)
