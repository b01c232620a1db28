"""The dispatcher: plans, books, phones, decides what was cancelled, and what becomes of reports that came too late."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kit.clock import Clock
from simulators import facts
from simulators.script import Script
from simulators.story import Story
from simulators.world import Answer, Person

ZONE = ZoneInfo("Europe/Berlin")
Item = dict[str, Any]
MOST_ATTEMPTS = 3
REST = timedelta(days=2)
"""So long before its due date a follow-up is planned: until then what it waits for often comes by itself."""


class Dispatcher:
    """Plans, books, phones, decides what was cancelled; works through lists, oldest order first."""

    name = "dispatcher"
    rhythm: timedelta | None = timedelta(hours=1)

    def __init__(self, person: Person, clock: Clock, stories: Mapping[int, Story], script: Script) -> None:
        self.person, self.clock, self.stories, self.script = person, clock, stories, script
        self.due: datetime | None = None
        self.held = set[int]()
        self.away = {story.number for story in stories.values() if story.hold_days}
        """Orders that are put on hold once."""
        self.surprises = any(story.offline for story in stories.values())
        """Reports may come that nobody expects."""

    def next_due(self) -> datetime | None:
        return self.due

    async def act(self) -> bool:
        self.due = None
        moved = await self._conflicts()  # one step per order and look: what follows must reach everybody first
        counts = await self.person.get("/cockpit/v1/counts")
        for state, work in (
            ("OPEN", self._open),
            ("PLANNING", self._plan),
            ("AWAITING_REPLY", self._hold),
            ("ON_HOLD", self._return),
            ("MANUAL_FOLLOW_UP", self._clarify),
            ("RESOLVED", self._review_trip),
            ("REOPENED", self._again),
        ):
            if not counts["states"].get(state) or (state == "AWAITING_REPLY" and self.held >= self.away):
                continue
            for item in await self._list(state):
                if item["work_order_id"] in moved or self.script.reserved(item):
                    continue
                if await work(item, self._story(item)):
                    moved.add(item["work_order_id"])
        return bool(moved)

    async def _conflicts(self) -> set[str]:
        """Reports that could not be taken: what was done on site counts."""
        moved = set[str]()
        page = await self.person.get("/case/v1/visit-conflicts") if self.surprises else {"items": ()}
        for kept in page["items"]:
            item = await self.person.get(f"/case/v1/work-orders/{kept['work_order_id']}")
            if await self._settle(kept, item):
                moved.add(item["work_order_id"])
        return moved

    async def _settle(self, kept: Item, item: Item) -> bool:
        if item["state"] == "CLOSED":
            path = f"/case/v1/visit-conflicts/{kept['conflict_id']}/open-case"
            return (await self.person.post(path, {"reason": "the work was done all the same"})).ok
        if item["state"] == "MANUAL_FOLLOW_UP":
            given = {"conflict_id": kept["conflict_id"], "reason": "the technician was there"}
            return await self._move(item, "accept_report", **given)
        return await self._move(item, "follow_up_manually", reason="a report came")

    async def _list(self, state: str) -> Sequence[Item]:
        page = await self.person.get("/case/v1/work-orders", state=state, limit=500)
        return sorted(page["items"], key=lambda item: (item["metering_point_id"], item["sequence"]))

    def _story(self, item: Item) -> Story:
        return self.stories.get(facts.number_of(item["metering_point_id"]), Story(0))

    async def _open(self, item: Item, _: Story) -> bool:
        if item["device_plan"]["plan"] != "MME" and await self._announced(item):
            return self._again_at(datetime.combine(self._today() + timedelta(days=1), time(7), ZONE))
        if item["predecessor"] and item["due_on"]:
            when = datetime.combine(date.fromisoformat(item["due_on"]), time(7), ZONE) - REST
            if when > self.clock.now():
                return self._again_at(when)
        return await self._move(item, "start_planning")

    async def _announced(self, item: Item) -> bool:
        """The customer has to know for a while, or somebody objected."""
        case = await self.person.get(f"/case/v1/cases/{item['case_id']}")
        return case["phase"] in ("NOTICE", "EXCEPTION")

    async def _plan(self, item: Item, story: Story) -> bool:
        if item["appointment_id"] is None or item["start"] is None:
            return await self._assign(item, story)
        if datetime.fromisoformat(item["start"]) <= self.clock.now():
            return await self._rebook(item)
        if item["offer_pending"]:
            return False
        if await self._move(item, "send_booking"):
            return True
        return await self._move(item, "follow_up_manually", reason="no text can be sent", channel="phone")

    async def _assign(self, item: Item, story: Story) -> bool:
        """Take the first free place that leaves time for an answer; a time that is still held moves there."""
        first = self._today() + timedelta(days=story.slot_after_days) if story.slot_after_days else None
        found = await self.person.get("/booking/v1/slots", work_order=item["work_order_id"], limit=5, **_from(first))
        for slot in found["slots"]:
            asked = {name: slot[name] for name in ("technician_id", "start", "minutes", "window")}
            answer = await self.person.post(
                "/booking/v1/appointments", {"work_order_id": item["work_order_id"], **asked}
            )
            if answer.ok or (answer.code == "state-forbids" and await self._rebook(item)):
                return True
        return self._again_at(self.clock.now() + timedelta(days=1))

    async def _rebook(self, item: Item) -> bool:
        """An appointment that is still there but lies too near, or was voided, moves to a new time."""
        held = await self.person.get("/booking/v1/appointments", work_order_id=item["work_order_id"], limit=5)
        for appointment in held["items"]:
            if appointment["state"] not in ("KEPT", "MISSED", "RELEASED"):
                return await self._move_appointment(item, appointment, agreed=False)
        return False

    async def _move_appointment(self, item: Item, appointment: Item, *, agreed: bool) -> bool:
        found = await self.person.get("/booking/v1/slots", work_order=item["work_order_id"], limit=5)
        for slot in found["slots"]:
            asked = {name: slot[name] for name in ("technician_id", "start", "minutes", "window")}
            asked |= {"agreed": agreed, "expected_version": appointment["version"]}
            answer = await self.person.post(f"/booking/v1/appointments/{appointment['appointment_id']}/move", asked)
            if answer.ok:
                return True
        return False

    async def _hold(self, item: Item, story: Story) -> bool:
        """The customer is away for a time, once."""
        if not story.hold_days or story.number in self.held:
            return False
        self.held.add(story.number)
        back = self._today() + timedelta(days=story.hold_days)
        return await self._move(item, "put_on_hold", reason="the customer is away", return_on=back.isoformat())

    async def _return(self, item: Item, _: Story) -> bool:
        until = date.fromisoformat(item["hold_until"])
        if until > self._today():
            return self._again_at(datetime.combine(until, time(7), ZONE))
        if item["resolved_at"]:
            return await self._move(item, "contact_made")
        return await self._move(item, "plan_again")

    async def _clarify(self, item: Item, story: Story) -> bool:
        if item["cancellation"] == "undecided":
            return await self._decide(item)
        if item["rejection"] != "none":
            return False  # the MDM clerk's
        if item["resolved_at"]:
            return await self._move(item, "order_field_visit", reason="the work is not done", decision="rework")
        if story.patient and not self._is_late(item):
            return self._again_at(datetime.fromisoformat(item["start"]) - timedelta(days=1))
        return await self._phone(item)

    async def _decide(self, item: Item) -> bool:
        told = {"customer_informed": True, "technician_informed": True}
        answer = await self._ask(item, "close_case", resolution="cancelled", reason="the partner withdrew", **told)
        if answer.code == "device-on-site":
            return await self._move(item, "data_corrected", reason="the work was done before the cancellation")
        return answer.ok

    async def _phone(self, item: Item) -> bool:
        """Call the customer: the time suits, or another one is agreed on the phone."""
        start = datetime.fromisoformat(item["start"]) if item["start"] else None
        if item["appointment_id"] is None or start is None or start <= self.clock.now():
            return await self._move(item, "plan_again")
        answer = await self.person.post(
            f"/booking/v1/appointments/{item['appointment_id']}/confirm",
            {"agreed_via": "phone", "notice": True, "comment": "agreed on the phone"},
        )
        return answer.ok or await self._move(item, "plan_again")

    async def _review_trip(self, item: Item, _: Story) -> bool:
        if item["outcome"] != "FAILED":
            return False
        if item["sequence"] >= MOST_ATTEMPTS:
            return await self._move(
                item, "close_case", resolution="no_more_attempts", reason="nobody was there three times"
            )
        return await self._move(item, "reopen", reason="nobody was there")

    async def _again(self, item: Item, _: Story) -> bool:
        return await self._move(item, "plan_again")

    def _is_late(self, item: Item) -> bool:
        start = datetime.fromisoformat(item["start"]) if item["start"] else self.clock.now()
        return start <= self.clock.now() + timedelta(days=1)

    def _today(self) -> date:
        return self.clock.now().astimezone(ZONE).date()

    def _again_at(self, at: datetime) -> bool:
        """Nothing is done now; looks again then."""
        if at > self.clock.now():
            self.due = min(filter(None, (self.due, at)))
        return False

    async def _move(self, item: Item, move: str, **given: Any) -> bool:
        return (await self._ask(item, move, **given)).ok

    async def _ask(self, item: Item, move: str, **given: Any) -> Answer:
        body = {"move": move, "expected_version": item["version"], **given}
        return await self.person.post(f"/case/v1/work-orders/{item['work_order_id']}/moves", body)


def _from(first: date | None) -> dict[str, str]:
    """From which day on a place is looked for; not named: as soon as possible."""
    return {} if first is None else {"from": first.isoformat()}
