"""What the neighbours tell booking_service in its stories, and what a dispatcher does with it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from contracts.cases import BookingRequested, CaseOpened, WorkOrderMoved, WorkOrderOpened
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.notices import NoticeFailed, NoticeSent, ReplyReceived
from contracts.parts import Address, Area, DevicePlan, PlanItem
from kit.testing import Stage

CASE, ORDER, SECOND = UUID(int=0xC1), UUID(int=0xA1), UUID(int=0xA2)
NOTICE, REPLY = UUID(int=0xE1), UUID(int=0xE2)
MONDAY = "2026-03-09"
START = "2026-03-09T07:00:00Z"
"""08:00 in Berlin, a week after the stage opens."""
MME = DevicePlan(plan="MME", install=(PlanItem(role="meter", quantity=1, alternatives=()),), remove=())
IMSYS = DevicePlan(plan="IMSYS", install=(PlanItem(role="smgw", quantity=1, alternatives=()),), remove=())
TECHNICIANS = """user_id;name;company;skills;weekdays;shift_from;shift_to;break_from;break_minutes;lat;lon
person:local:tilo;Tilo;Stadtwerk;meter_1ph meter_3ph;12345;07:30;15:30;11:30;30;51.51;7.46
person:local:tara;Tara;Stadtwerk;meter_1ph meter_3ph smgw;12345;07:30;15:30;11:30;30;51.52;7.47
"""


def opened(**changes: Any) -> CaseOpened:
    usual = {
        "case_id": CASE,
        "version": 1,
        "operator": "stadtwerk",
        "case_type": "exchange",
        "flow_version": 1,
        "origin": "statutory",
        "legal_basis": "mandatory",
        "metering_point_id": "DE0000112233",
        "metering_point_scheme": "melo",
        "orders": ("erp-a:4711",),
        "area": Area(postcode="44137", municipality="05913000"),
        "priority": 50,
        "device_plan": MME,
        "other_party_attends": False,
        "installer_linked": False,
        "links": (),
    }
    return CaseOpened(**{**usual, **changes})


def contact(version: int = 1, **changes: Any) -> ContactRecorded:
    usual = {
        "case_id": CASE,
        "version": version,
        "name": "Erika Beispiel",
        "phone": "+4915112345678",
        "language": "de",
        "sms_allowed": True,
        "address": Address(street="Hauptstraße", number="1", postcode="44137", city="Dortmund", country="DE"),
        "points_at_address": 1,
    }
    return ContactRecorded(**{**usual, **changes})


def work_order(work_order_id: UUID = ORDER, sequence: int = 1, **changes: Any) -> WorkOrderOpened:
    usual = {
        "case_id": CASE,
        "work_order_id": work_order_id,
        "sequence": sequence,
        "state": "PLANNING",
        "kind": "meter_exchange",
        "device_plan": MME,
        "skills": ("meter_3ph",),
        "duration_min": 45,
    }
    return WorkOrderOpened(**{**usual, **changes})


class Moves:
    """Moves of work orders, each with the next version."""

    def __init__(self) -> None:
        self.version = 0

    def __call__(self, move: str, came_from: str, to: str, **changes: Any) -> WorkOrderMoved:
        self.version += 1
        usual = {
            "case_id": CASE,
            "work_order_id": ORDER,
            "sequence": 1,
            "version": self.version,
            "move": move,
            "from_state": came_from,
            "to_state": to,
            "cancellation": "none",
            "attempt": 0,
            "actor": "system:case_service",
        }
        return WorkOrderMoved(**{**usual, **changes})


def requested(appointment: dict[str, Any], attempt: int = 1, channel: str = "sms", **changes: Any) -> BookingRequested:
    return BookingRequested(**{**_of(appointment), "attempt": attempt, "channel": channel, **changes})


def replied(appointment: dict[str, Any], reading: str = "exact_ok", **changes: Any) -> ReplyReceived:
    usual = {"reply_id": REPLY, "channel": "sms", "reading": reading, "confidence": "1.00", "match": "code"}
    return ReplyReceived(**{**_of(appointment), "attempt": 1, **usual, **changes})


def sent(appointment: dict[str, Any], **changes: Any) -> NoticeSent:
    when = {"sent_at": datetime(2026, 3, 2, 8, tzinfo=UTC), "sent_on": "2026-03-02"}
    return NoticeSent(**{**_notice(appointment), **when, **changes})


def failed(appointment: dict[str, Any], **changes: Any) -> NoticeFailed:
    usual = {"permanence": "permanent", "cause": "not_mobile", "after_send": False, "try_no": 1}
    return NoticeFailed(**{**_notice(appointment), **usual, **changes})


def _notice(appointment: dict[str, Any]) -> dict[str, Any]:
    offer = {name: value for name, value in _of(appointment).items() if name != "sequence"}
    about = {"notice_id": NOTICE, "rule_id": "N01", "template": "booking_offer", "channel": "sms"}
    return {**offer, "attempt": 1, **about, "part": 1, "parts": 1}


def _of(appointment: dict[str, Any]) -> dict[str, Any]:
    names = ("case_id", "work_order_id", "sequence", "appointment_id", "revision", "attempt")
    return {name: appointment[name] for name in names}


class Office:
    """A dispatcher at work on the stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.moves = Moves()
        self.people: dict[str, str] = {}

    async def opens(self) -> None:
        """Technicians are entered, a case is ready for planning."""
        async with self.stage.http("dispatcher") as http:
            found = await http.post(
                "/v1/imports/technicians", content=TECHNICIANS.encode(), headers={"Content-Type": "text/csv"}
            )
            assert found.status_code == 200, found.text
            listed = await http.get("/v1/technicians")
            self.people = {each["name"]: each["technician_id"] for each in listed.json()["items"]}
        await self.stage.hears(opened(), work_order(), contact())
        await self.stage.told_since()

    async def posts(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        async with self.stage.http("dispatcher") as http:
            return await http.post(path, json=body or {}, headers=headers)

    async def gets(self, path: str, **query: Any) -> httpx.Response:
        async with self.stage.http("dispatcher") as http:
            return await http.get(path, params=query)

    async def assigns(self, **changes: Any) -> dict[str, Any]:
        """The first appointment of the work order."""
        body = {"work_order_id": str(ORDER), "technician_id": self.people["Tilo"], "start": START, **changes}
        answer = await self.posts("/v1/appointments", body)
        assert answer.status_code == 201, answer.text
        await self.stage.told_since()
        made: dict[str, Any] = answer.json()
        return made

    async def has(self, state: str) -> dict[str, Any]:
        """An appointment that has come so far."""
        appointment = await self.assigns()
        if state != "PROPOSED":
            await self.stage.hears(requested(appointment))
        if state in {"SENT", "REMINDED", "CONFIRMED", "REBOOK_REQUESTED"}:
            await self.stage.hears(sent(appointment))
        if state == "REMINDED":
            await self.stage.passes(until=datetime(2026, 3, 5, 12, tzinfo=UTC))
        if state == "CONFIRMED":
            await self.stage.hears(replied(appointment))
        if state == "REBOOK_REQUESTED":
            await self.stage.hears(replied(appointment, "decline"))
        await self.stage.told_since()
        now = await self.sees(appointment)
        assert now["state"] == state
        return now

    async def moves_it(self, appointment: dict[str, Any], **body: Any) -> httpx.Response:
        path = f"/v1/appointments/{appointment['appointment_id']}/move"
        return await self.posts(path, body, **{"If-Match": f'"{appointment["version"]}"'})

    async def sees(self, appointment: dict[str, Any]) -> dict[str, Any]:
        answer = await self.gets(f"/v1/appointments/{appointment['appointment_id']}")
        seen: dict[str, Any] = answer.json()
        return seen

    async def hears(self, *facts: Event) -> list[str]:
        """Deliver facts; the names of what was told on it."""
        await self.stage.hears(*facts)
        return [type(fact).__name__ for fact in await self.stage.told_since()]
