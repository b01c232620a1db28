"""What the hub reports, and what both sides answer, between the canonical form and the wire."""

from typing import Any

from contracts.codes import Level
from services.mdm_adapter.dialects.json_ce import wire
from services.mdm_adapter.dialects.json_ce.orders import location, point
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.corrected import Corrected
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import ReportedDevice
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus

Report = WorkStatus | DeviceExchangeCompleted | WorkNotCompleted
ABOUT = {"order_no", "order_version", "metering_point"}


def data_of_report(document: Report) -> dict[str, Any]:
    """The data of a report."""
    said = document.model_dump(exclude_none=True, exclude=ABOUT)
    if isinstance(document, WorkStatus):
        said |= _days(said.pop("window_from", None), said.pop("window_to", None))
    order = {"order_no": document.order_no, "order_version": document.order_version}
    return {"auftrag": order, "rueckmeldung": said, "stammdaten": (location(document.metering_point),)}


def _days(start: Any, end: Any) -> dict[str, Any]:
    return {"window": wire.Tage(from_=start, to=end)} if start or end else {}


def report(message: wire.WorkStatus | wire.DeviceExchangeCompleted | wire.WorkNotCompleted) -> Report:
    """A report read again."""
    data = message.data
    about = {**data.auftrag.model_dump(), "metering_point": point(data.stammdaten[0])}
    match message:
        case wire.WorkStatus():
            said = message.data.rueckmeldung
            days = said.window or wire.Tage()
            return WorkStatus(**about, **said.model_dump(exclude={"window"}), window_from=days.from_, window_to=days.to)
        case wire.DeviceExchangeCompleted():
            done = message.data.rueckmeldung
            return DeviceExchangeCompleted(
                **about,
                **done.model_dump(exclude={"installed", "removed"}),
                installed=tuple(ReportedDevice.model_validate(each.model_dump()) for each in done.installed),
                removed=tuple(ReportedDevice.model_validate(each.model_dump()) for each in done.removed),
            )
        case _:
            return WorkNotCompleted(**about, **message.data.rueckmeldung.model_dump())


def kind_of_answer(answer: Answer) -> type[wire.Received | wire.Accepted | wire.Rejected]:
    """Which message an answer of ours is; it speaks of one order."""
    (item,) = answer.items
    if item.state is ItemState.RECEIVED:
        return wire.Received
    return wire.Accepted if item.state is ItemState.ACCEPTED else wire.Rejected


def data_of_answer(answer: Answer) -> dict[str, Any]:
    """The data of an answer of ours."""
    (item,) = answer.items
    level = Level.TRANSPORT if item.state is ItemState.RECEIVED else answer.level
    said: dict[str, Any] = {"level": level}
    if item.state is not ItemState.RECEIVED:
        said["reasons"] = tuple(each.model_dump(exclude_none=True, exclude={"hub_reason"}) for each in item.reasons)
        said |= _days(answer.window_from, answer.window_to)
        said |= {"fixed_on": answer.fixed_on} if answer.fixed_on else {}
    about = {"auftrag": {"order_no": item.item}} if item.item else {}
    return {**about, "rueckmeldung": said}


def answer(message: wire.Received | wire.Accepted | wire.Rejected) -> Answer:
    """What a partner answers, or we did."""
    order_no = message.data.auftrag.order_no if message.data.auftrag else ""
    if isinstance(message, wire.Received):
        return Answer(items=(ItemAnswer(item=order_no, state=ItemState.RECEIVED),), level=Level.TRANSPORT)
    said = message.data.rueckmeldung
    state = ItemState.ACCEPTED if isinstance(message, wire.Accepted) else ItemState.REFUSED
    reasons = tuple(Reason.model_validate(each.model_dump()) for each in said.reasons)
    days = said.window or wire.Tage()
    return Answer(
        items=(ItemAnswer(item=order_no, state=state, reasons=reasons),),
        level=said.level,
        fixed_on=said.fixed_on,
        window_from=days.from_,
        window_to=days.to,
    )


def corrected(message: wire.Corrected) -> Corrected:
    """What a partner corrects."""
    return Corrected.model_validate({**message.data.auftrag.model_dump(), **message.data.rueckmeldung.model_dump()})
