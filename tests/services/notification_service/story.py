"""notification_service on a stage, with the vendor and the customers' phones behind it, all on one clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx

from contracts.bookings import (
    AnswerOverdue,
    AppointmentConfirmed,
    AppointmentMoved,
    AppointmentOffered,
    AppointmentProposed,
    AppointmentQuestioned,
    AppointmentReleased,
)
from contracts.cases import CaseCancelled, CaseOpened, HandoverRequested, WorkOrderMoved, WorkOrderOpened
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.samples import example
from kit.clock import Clock
from kit.http import web
from kit.service import Service
from kit.testing import MONDAY_MORNING, Stage
from services.notification_service.app import build
from services.notification_service.settings import Settings
from simulators.print_shop.shop import SECRET, Habits, PrintShop
from simulators.sms_gateway.app import asgi
from simulators.sms_gateway.gateway import SmsGateway
from simulators.sms_gateway.script import Plan, Script

E = TypeVar("E", bound=Event)

SECRETS = {
    "sms_url": "http://gateway.example",
    "sms_api_key": "sim-api-key",
    "sms_signing_keys": "sim-signing-key",
    "sms_callback_url": "https://hub.example/v1/sms/seven/in",
    "dialogue_keys": "k1:test-key-0123456789abcdef",
    "notification_pepper": "pepper-0123456789",
    "print_shop_secrets": SECRET,
}
MOBILE, OTHER_MOBILE, TECHNICIAN_MOBILE = "+4915112345678", "+4915187654321", "+4915199999999"
TECHNICIAN = UUID("0197f000-0000-7000-8000-0000000000ff")


class House:
    """One customer: a case with a work order and an appointment, whose events a test tells."""

    def __init__(self, number: int = 1, phone: str | None = MOBILE, block: datetime | None = None) -> None:
        self.case_id, self.work_order_id, self.appointment_id = (
            UUID(int=(0x0197F000 << 96) + (7 << 76) + (2 << 62) + kind * 1_000_000 + number) for kind in (1, 2, 3)
        )
        self.phone = phone
        self.block = block or MONDAY_MORNING + timedelta(days=14, hours=1)  # Mon 16 March, 10:00 in Berlin

    @property
    def about(self) -> dict[str, Any]:
        ids = {"case_id": self.case_id, "work_order_id": self.work_order_id, "appointment_id": self.appointment_id}
        return {**ids, "sequence": 1, "revision": 0, "attempt": 1}

    @property
    def slot(self) -> dict[str, Any]:
        window = {"from": self.block, "to": self.block + timedelta(hours=2)}
        return {"block_start": self.block, "window": window, "technicians": (TECHNICIAN,), "alternatives": ()}

    def opened(self) -> CaseOpened:
        return example(CaseOpened, case_id=self.case_id, operator="auental")

    def contact(self, **changes: Any) -> ContactRecorded:
        known = {"case_id": self.case_id, "version": 1, "phone": self.phone, "language": "de", "sms_allowed": True}
        return example(ContactRecorded, **known | changes)

    def ordered(self) -> WorkOrderOpened:
        return self._of(WorkOrderOpened, state="OPEN")

    def moved(self, move: str, from_state: str, to_state: str, version: int = 1) -> WorkOrderMoved:
        states = {"move": move, "from_state": from_state, "to_state": to_state, "version": version}
        return self._of(WorkOrderMoved, **states, responsible=TECHNICIAN)

    def proposed(self) -> AppointmentProposed:
        return self._of(AppointmentProposed, **self.slot, attempt=0)

    def offered(self, **changes: Any) -> AppointmentOffered:
        offer = {"window": self.slot["window"], "channel": "sms", "answer_by": self.block - timedelta(days=5)}
        return self._of(AppointmentOffered, **{"alternatives": ()} | offer | changes)

    def overdue(self) -> AnswerOverdue:
        return self._of(AnswerOverdue, channel="sms", answer_by=self.block - timedelta(days=5))

    def confirmed(self, **changes: Any) -> AppointmentConfirmed:
        return self._of(AppointmentConfirmed, **{"by": "reply", "notice": False} | changes)

    def moved_to(self, block: datetime, **changes: Any) -> AppointmentMoved:
        was, self.block = self.slot["window"], block
        how = {"was_window": was, "window_changed": True, "agreed": False, "revision": 1}
        return self._of(AppointmentMoved, **self.slot | how | changes)

    def released(self, reason: str = "on_hold") -> AppointmentReleased:
        return self._of(AppointmentReleased, reason=reason, was_offered=True)

    def questioned(self, cause: str) -> AppointmentQuestioned:
        return self._of(AppointmentQuestioned, cause=cause, suggestion="call")

    def cancelled(self) -> CaseCancelled:
        return example(CaseCancelled, case_id=self.case_id)

    def by_letter(self, **changes: Any) -> AppointmentOffered:
        return self.offered(**{"channel": "letter", "answer_by": self.block - timedelta(days=3)} | changes)

    def announced(self, attempt: int = 1) -> HandoverRequested:
        law = {"fact": "rollout_announced", "statutory": True, "attempt": attempt, "plan": "ims"}
        return example(HandoverRequested, case_id=self.case_id, work_order_id=self.work_order_id, **law)

    def known(self) -> tuple[Event, ...]:
        """All that comes before an offer."""
        return self.opened(), self.contact(), self.ordered(), self.proposed()

    def _of(self, kind: type[E], **changes: Any) -> E:
        about = {name: value for name, value in self.about.items() if name in kind.model_fields}
        return example(kind, **about | changes)


class World:
    """The service, the vendor, the print shop and the clock that all live by."""

    def __init__(self, stage: Stage, gateway: SmsGateway, shop: PrintShop) -> None:
        self.stage, self.gateway, self.shop = stage, gateway, shop

    @classmethod
    async def open(
        cls, folder: Path, *plans: Plan, at: datetime = MONDAY_MORNING, habits: Habits | None = None, **options: Any
    ) -> Self:
        """`plans`: what happens to the texts to MOBILE, one after the other; `habits`: those of the print shop."""
        gateways: list[SmsGateway] = []

        def with_vendor(settings: Any, clock: Clock | None = None, new_id: Any = None) -> Service:
            assert clock is not None
            script = Script(numbers={MOBILE: plans} if plans else None)
            gateway = SmsGateway(
                clock, script, callback_url="http://localhost/v1/sms/seven/in", signed_url=SECRETS["sms_callback_url"]
            )
            gateways.append(gateway)
            return build(settings, clock, new_id, httpx.ASGITransport(asgi(gateway)))

        stage = await Stage.open(with_vendor, folder, settings=Settings, at=at, **SECRETS | options)
        gateways[0]._client = httpx.AsyncClient(transport=httpx.ASGITransport(web(stage.service)))
        url = "http://localhost/v1/batches/{batch_id}/receipt"
        shop = PrintShop(stage.clock, folder / "print", url, habits=habits, client=gateways[0]._client)
        return cls(stage, gateways[0], shop)

    async def hears(self, *facts: Event) -> None:
        """Deliver facts and let everything happen that is due now."""
        await self.stage.hears(*facts)
        await self.settle()

    async def settle(self) -> None:
        """Until nothing is due at this instant."""
        while True:
            await self.stage.passes()
            await self.stage.delivers()
            await self.stage.passes()
            if not (await self.gateway.act(self.stage.clock.now()) or await self.shop.act()):
                due = await self.stage.effects.next_due()
                if due is None or due > self.stage.clock.now():
                    return

    async def passes(self, time: timedelta | None = None, *, until: datetime | None = None) -> None:
        """Let time go by for the service and the vendor, stopping at whatever falls due."""
        end = until or self.stage.clock.now() + (time or timedelta())
        while True:
            await self.settle()
            dues = [await self.stage.timers.next_due(), await self.stage.effects.next_due(), self.gateway.next_due()]
            dues.append(self.shop.next_due())
            due = min((at for at in dues if at is not None), default=None)
            if due is None or due > end:
                break
            self.stage.clock.set(due)
        self.stage.clock.set(end)
        await self.settle()

    async def told(self, kind: type[E]) -> list[E]:
        """All facts of one kind, in order."""
        return [fact for fact in await self.stage.told() if isinstance(fact, kind)]

    async def kinds(self) -> list[str]:
        """Names of all facts told since this was last asked, in order."""
        return [type(fact).__name__ for fact in await self.stage.told_since()]

    async def notices(self) -> Sequence[Any]:
        return await self.stage.rows("notices")

    async def states(self) -> dict[str, str]:
        """States of all notices, by rule."""
        return {row.rule_id: row.state for row in await self.notices()}

    @property
    def texts(self) -> list[str]:
        """What the phones showed, in order."""
        return [taken.text for taken in self.gateway.taken.values()]

    @property
    def rings(self) -> int:
        return sum(taken.rings for taken in self.gateway.taken.values())

    async def close(self) -> None:
        await self.gateway.close()
        await self.stage.close()
