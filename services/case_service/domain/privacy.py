"""The customer's data end before the case's: retention, erasure, who sees what until then (B16, D-DP, SEC-ERA)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from contracts.cases import CasePurged
from contracts.codes import PurgeReason, PurgeScope
from contracts.ids import CaseId, Principal, RequestId
from contracts.parts import Address
from kit.store import Aggregate
from services.case_service.domain.act import Act
from services.case_service.domain.answers import FieldAnswers, FieldConflict
from services.case_service.domain.case import Case
from services.case_service.domain.entries import Words
from services.case_service.domain.exceptions import KINDS
from services.case_service.domain.requests import Report
from services.case_service.domain.visits import Visit, VisitConflict
from services.case_service.errors import FourEyes, MoveNotAllowed

ERASED = "(erased)"
AFTER_THE_REPORT = timedelta(hours=24)


class ErasureState(StrEnum):
    """Where a wish to be forgotten stands."""

    REQUESTED = "REQUESTED"
    GRANTED = "GRANTED"


@dataclass(kw_only=True, eq=False)
class Erasure(Aggregate):
    """A person wants to be forgotten; two of us have to see it."""

    erasure_id: UUID
    case_id: CaseId
    reason: str
    requested_by: Principal
    requested_at: datetime
    state: ErasureState = ErasureState.REQUESTED
    approved_by: Principal | None = None
    approved_at: datetime | None = None

    def key(self) -> str:
        return str(self.erasure_id)


class ExportState(StrEnum):
    """Where a wish to know what is kept stands."""

    REQUESTED = "REQUESTED"
    GRANTED = "GRANTED"
    TAKEN = "TAKEN"


@dataclass(kw_only=True, eq=False)
class PersonExport(Aggregate):
    """A person wants to know what is kept of them; two of us have to see it, and then it is taken once."""

    case_id: CaseId
    """A case of the person: there is one wish at a time."""
    reason: str
    requested_by: Principal
    requested_at: datetime
    state: ExportState = ExportState.REQUESTED
    approved_by: Principal | None = None
    approved_at: datetime | None = None

    def key(self) -> str:
        return str(self.case_id)

    def ask(self, act: Act, reason: str) -> None:
        """The first person asks again. Raises MoveNotAllowed while an earlier wish stands."""
        if self.state is not ExportState.TAKEN:
            raise MoveNotAllowed(f"The export is {self.state} already.")
        self.reason, self.requested_by, self.requested_at = reason, Principal(act.actor), act.at
        self.state, self.approved_by, self.approved_at = ExportState.REQUESTED, None, None

    def approve(self, act: Act) -> None:
        """The second person agrees. Raises MoveNotAllowed, FourEyes for the person who asked."""
        if self.state is not ExportState.REQUESTED:
            raise MoveNotAllowed(f"The export is {self.state} already.")
        if act.actor == self.requested_by:
            raise FourEyes("Whoever asks for an export does not approve it.")
        self.state, self.approved_by, self.approved_at = ExportState.GRANTED, Principal(act.actor), act.at

    def take(self) -> None:
        """What is kept leaves the house, and the words of the wish are not needed any more."""
        self.state, self.reason = ExportState.TAKEN, ERASED


def purge(case: Case, scope: PurgeScope, why: PurgeReason, request: RequestId | None = None) -> None:
    """Forget how the customer is reached, and tell everybody who keeps a copy. What stays names nobody."""
    case.contact = case.position = case.access_note = case.building = None
    where = {"postcode": case.area.postcode, "country": case.address.country}
    case.address = Address(street="", number="", city="", **where)
    if scope is PurgeScope.ALL:
        case.flag_text = None
    case.purged = scope
    case.told.append(CasePurged(case_id=case.case_id, scope=scope, reason=why, request_id=request))


def grant(case: Case, act: Act, erasure: Erasure, kept: Iterable[Aggregate]) -> None:
    """The second person agrees: everything personal goes, readings and serials stay as the law wants (D-DP-11).

    Raises FourEyes for the person who asked, MoveNotAllowed while the work is not at its end.
    """
    if erasure.state is not ErasureState.REQUESTED:
        raise MoveNotAllowed(f"The erasure is {erasure.state} already.")
    if act.actor == erasure.requested_by:
        raise FourEyes("Whoever asks for an erasure does not approve it.")
    if not case.terminal or case.unclosed:
        raise MoveNotAllowed("The case is not at its end: the work needs to know its customer.")
    erasure.state, erasure.approved_by, erasure.approved_at = ErasureState.GRANTED, act.actor, act.at
    erasure.reason = ERASED
    for record in kept:
        _erase(record)
    for exception in case.exceptions:
        if KINDS[exception.type].by_person:  # of the others the reason is a code
            exception.reason = ERASED
    purge(case, PurgeScope.ALL, PurgeReason.ERASURE, RequestId(erasure.erasure_id))


def _erase(record: Aggregate) -> None:
    if isinstance(record, Words):
        record.text = ERASED
    elif isinstance(record, PersonExport):
        record.reason = ERASED
    elif isinstance(record, Visit | VisitConflict):
        record.report = without_person(record.report)
    elif isinstance(record, FieldAnswers):
        record.given = {}
    elif isinstance(record, FieldConflict):
        record.present = record.edited = {}


def without_person(report: Report) -> Report:
    """A report without what a technician wrote about people and places; devices and readings stay."""
    installed = tuple(
        device.model_copy(update={"deviation": device.deviation and device.deviation.model_copy(update={"text": None})})
        for device in report.installed
    )
    site = report.site and report.site.model_copy(update={"position": None})
    gone: dict[str, Any] = {"sub_reason_text": None, "answers": {}, "installed": installed, "site": site}
    return report.model_copy(update=gone)


def visits_now(case: Case, act: Act, local_midnight: datetime) -> bool:
    """Whether the technician at work is on the visit: from the day's first minute until a day after the report."""
    mine = [order for order in case.work_orders if act.technician in {order.responsible, order.dispatched_to}]
    for order in mine if act.technician is not None else []:
        if order.resolved_at is not None:
            if act.at <= order.resolved_at + AFTER_THE_REPORT:
                return True
        elif order.start is not None and local_midnight <= order.start < local_midnight + timedelta(days=1):
            return True
    return False


def masked(phone: str | None) -> str | None:
    """A number that nobody can call, as companies see it (D-DP-2)."""
    return f"{phone[:3]} ••• ••• •{phone[-2:]}" if phone else None
