"""What becomes of the work before it is done: for now, that it is announced."""

from datetime import date
from typing import Literal

from contracts.codes import AnnouncedPlan
from services.mdm_adapter.documents.values import Document, MeteringPoint


class WorkStatus(Document):
    """Message 5, out. With a plan and a day, as far as the case knows them."""

    metering_point: MeteringPoint
    status: Literal["announced"] = "announced"
    plan: AnnouncedPlan | None = None
    statutory: bool = False
    """The law demands the announcement."""
    planned_on: date | None = None
    window_from: date | None = None
    window_to: date | None = None
