"""One case in a play: the partner and the other services say their lines, people ask by HTTP."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import httpx

from contracts import assets, bookings, cases, notices, orders
from contracts.event import Event
from kit.auth import Scope
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.domain.case import Case
from services.case_service.domain.requests import Report
from services.case_service.domain.work_order import WorkOrder
from services.case_service.settings import Settings
from tests.unit.case_service import facts
from tests.unit.case_service.builders import NOW, TECHNICIAN, a_report, an_order

PEOPLE = {"anna": "dispatcher", "dora": "dispatcher", "mia": "mdm", "quirin": "qa", "tom": "technician"}


class Story:
    """Given what happened so far, what does case_service tell next?"""

    def __init__(self, stage: Stage, order_key: str) -> None:
        self.stage, self.order_key = stage, order_key

    @classmethod
    async def begin(cls, folder: Path, **given: Any) -> Self:
        """A partner's order opened a case, and booking_service said from when on it may be booked."""
        stage = await Stage.open(build, folder, settings=Settings)
        order = an_order(**given)
        story = cls(stage, order.order_key)
        await stage.hears(order)
        await story.hears(bookable(await story.case()))
        return story

    async def case(self) -> Case:
        """The case as it is kept."""
        key = self.order_key
        found: Case = await self.stage.run(lambda unit: unit.get(Case, key), needs=[(Case, key)])
        return found

    async def order(self, sequence: int = 0) -> WorkOrder:
        """A work order of the case; without a number the newest."""
        return (await self.case()).by_sequence[sequence - 1]

    async def says(self, line: Any, sequence: int = 0) -> list[str]:
        """Another service tells a fact about the case and a work order; answers the names of what we tell then."""
        case = await self.case()
        await self.hears(line(case, case.by_sequence[sequence - 1]))
        return names(await self.stage.told_since())

    async def hears(self, *told: Event) -> None:
        """Facts arrive; nothing is parked."""
        await self.stage.hears(*told)
        assert await self.stage.parked() == []

    def person(self, name: str) -> httpx.AsyncClient:
        """Somebody of the staff."""
        scope = Scope("technician", str(TECHNICIAN)) if PEOPLE[name] == "technician" else None
        return self.stage.http(PEOPLE[name], name=name, scope=scope)

    async def asks(self, name: str, move: str, *, sequence: int = 0, **given: Any) -> httpx.Response:
        """A person asks for a move, with the version that is on the screen."""
        order = await self.order(sequence)
        seen = {"expected_edition": (await self.case()).edition} if "flag" in given else {}
        body = {"move": move, "expected_version": order.version} | seen | given
        async with self.person(name) as client:
            return await client.post(
                f"/v1/work-orders/{order.work_order_id}/moves",
                json=body,
                headers={"Idempotency-Key": str(uuid4())},
            )

    async def moves(self, name: str, move: str, *, sequence: int = 0, **given: Any) -> list[str]:
        """A person makes a move; answers the names of what is told then."""
        answer = await self.asks(name, move, sequence=sequence, **given)
        assert answer.status_code in {200, 202}, answer.text
        return names(await self.stage.told_since())

    async def acts(self, name: str, action: str, **given: Any) -> httpx.Response:
        """A person asks something of the case."""
        case = await self.case()
        async with self.person(name) as client:
            return await client.post(f"/v1/cases/{case.case_id}/actions", json={"action": action} | given)

    async def reports(self, report: Report | None = None, *, sequence: int = 0) -> list[str]:
        """The technician reports the visit."""
        return await self.moves("tom", "resolve", sequence=sequence, report=wire(report or a_report()))

    async def told(self, kind: type[Event]) -> list[Any]:
        """Facts of one kind that were told so far."""
        return [fact for fact in await self.stage.told() if isinstance(fact, kind)]

    async def path(self, sequence: int = 1) -> list[str]:
        """The rows of the table that a work order took."""
        moved = await self.told(cases.WorkOrderMoved)
        return [fact.move for fact in moved if fact.sequence == sequence]

    async def phases(self) -> list[str]:
        return [str(fact.to_phase) for fact in await self.told(cases.CasePhaseChanged)]

    # the way of J01, in steps

    async def is_planned(self, sequence: int = 0) -> None:
        """A planner begins, booking_service sets a slot aside."""
        if (await self.order(sequence)).state == "OPEN":
            await self.moves("anna", "start_planning", sequence=sequence)
        await self.says(lambda case, order: proposed(case, order, appointment(sequence)), sequence)

    async def is_offered(self, sequence: int = 0) -> None:
        """The customer gets a text."""
        await self.moves("anna", "send_booking", sequence=sequence)
        await self.says(offered, sequence)
        await self.says(text_sent, sequence)

    async def is_booked(self, sequence: int = 0) -> None:
        """The customer says OK."""
        await self.is_planned(sequence)
        await self.is_offered(sequence)
        await self.says(facts.replied, sequence)
        await self.says(facts.confirmed, sequence)

    async def is_visited(self, report: Report | None = None, sequence: int = 0) -> None:
        """The technician does the work, asset_service books the devices."""
        await self.moves("tom", "start", sequence=sequence)
        await self.reports(report, sequence=sequence)
        await self.devices_are_booked(sequence)

    async def devices_are_booked(self, sequence: int = 0) -> None:
        order = await self.order(sequence)
        for device in order.installed:
            await self.says(lambda case, order, d=device: installed(case, order, d), sequence)
        for device in order.removed:
            await self.says(lambda case, order, d=device: removed(case, order, d), sequence)

    async def is_handed_over(self, sequence: int = 0) -> None:
        """A reviewer approves, the adapter sends."""
        await self.says(facts.approved, sequence)
        await self.says(lambda case, order: facts.facts(case, order)[SENT][0], sequence)


SENT = "HandoverSent, HandoverAcknowledged (exchange)"


def names(told: list[Event]) -> list[str]:
    return [type(fact).__name__ for fact in told]


def wire(report: Report) -> Any:
    """A report as a client sends it."""
    return report.model_dump(mode="json", exclude_none=True, by_alias=True)


def appointment(sequence: int) -> UUID:
    return UUID(int=0xA900 + sequence)


def bookable(case: Case) -> bookings.BookableFromSet:
    return bookings.BookableFromSet(
        case_id=case.case_id, notice_required=False, bookable_from=NOW.date(), rule_id="N37"
    )


def proposed(case: Case, order: WorkOrder, appointment_id: UUID) -> bookings.AppointmentProposed:
    return bookings.AppointmentProposed(**(facts.slot(case, order) | {"appointment_id": appointment_id, "revision": 0}))


def offered(case: Case, order: WorkOrder) -> bookings.AppointmentOffered:
    return bookings.AppointmentOffered(
        **facts.of_appointment(case, order), channel="sms", window=facts.SPAN, alternatives=(), entry_right=False
    )


def text_sent(case: Case, order: WorkOrder) -> notices.NoticeSent:
    return notices.NoticeSent(**facts.sending(case, order), sent_at=NOW, sent_on=NOW.date())


def installed(case: Case, order: WorkOrder, device: Any, **given: Any) -> assets.DeviceInstalled:
    return assets.DeviceInstalled(**(facts.visited(case, order, **facts.of_device(device.role, device.serial)) | given))


def removed(case: Case, order: WorkOrder, device: Any) -> assets.DeviceRemoved:
    return assets.DeviceRemoved(**facts.visited(case, order, **facts.of_device(device.role, device.serial)))


def cancelled(version: int = 2, order_key: str = "erp-a:4711") -> orders.OrderCancelled:
    return orders.OrderCancelled(
        order_key=order_key,
        partner=order_key.partition(":")[0],
        version=version,
        reason="moved_out",
        cancelled_by="erp-a",
        received_at=NOW,
    )


LATER = timedelta(days=7)
