"""Fields that stand first in many events: which case, which work order, which offer, which handover."""

from contracts.codes import Fact
from contracts.event import Part
from contracts.ids import AppointmentId, CaseId, WorkOrderId


class OfCase(Part):
    """About a case."""

    case_id: CaseId


class OfWorkOrder(OfCase):
    """About a work order."""

    work_order_id: WorkOrderId
    sequence: int
    """Counts the work orders of the case, from 1."""


class OfAppointment(OfWorkOrder):
    """About an appointment and its offer."""

    appointment_id: AppointmentId
    revision: int
    """Counts changes of the appointment's time or window, from 0; a change of technician alone is none."""
    attempt: int
    """Counts the offers of the work order, from 1; 0 means never offered. An answer to an earlier one is stale."""


class OfHandover(OfCase):
    """About one fact that is handed over."""

    work_order_id: WorkOrderId | None = None
    fact: Fact
    attempt: int
    """Counts the handovers of this fact in the case, from 1. An answer to an earlier one is stale."""
