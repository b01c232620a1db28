"""The office: dispatcher, reviewer, MDM clerk, warehouse and a second approver, each a person of its own."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kit.clock import Clock
from simulators import facts
from simulators.story import Story
from simulators.world import Answer, Person

ZONE = ZoneInfo("Europe/Berlin")
Item = dict[str, Any]
WAITS_FOR_ERP = {"OPEN": "OPEN", "PLANNING": "PLANNING"}
MOST_ATTEMPTS = 3


class Dispatcher:
    """Plans, books, phones, decides what was cancelled; works through lists, oldest order first."""

    name = "dispatcher"
    rhythm: timedelta | None = timedelta(hours=1)

    def __init__(self, person: Person, clock: Clock, stories: Mapping[int, Story]) -> None:
        self.person, self.clock, self.stories = person, clock, stories
        self.due: datetime | None = None
        self.held = set[int]()
        self.away = {story.number for story in stories.values() if story.hold_days}
        """Orders that are put on hold once."""

    def next_due(self) -> datetime | None:
        return self.due

    async def act(self) -> bool:
        self.due = None
        moved = set[str]()  # one step per order and look: what follows from it must reach everybody first
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
                if item["work_order_id"] not in moved and await work(item, self._story(item)):
                    moved.add(item["work_order_id"])
        return bool(moved)

    async def _list(self, state: str) -> Sequence[Item]:
        page = await self.person.get("/case/v1/work-orders", state=state, limit=500)
        return sorted(page["items"], key=lambda item: (item["metering_point_id"], item["sequence"]))

    def _story(self, item: Item) -> Story:
        return self.stories.get(facts.number_of(item["metering_point_id"]), Story(0))

    async def _open(self, item: Item, story: Story) -> bool:
        if story.cancel_at == "OPEN":
            return False
        return await self._move(item, "start_planning")

    async def _plan(self, item: Item, story: Story) -> bool:
        if item["appointment_id"] is None or item["start"] is None:
            return await self._assign(item, story)
        if datetime.fromisoformat(item["start"]) <= self.clock.now():
            return await self._rebook(item)
        if item["offer_pending"] or story.cancel_at == "PLANNING":
            return False
        if await self._move(item, "send_booking"):
            return True
        return await self._move(item, "follow_up_manually", reason="no text can be sent", channel="phone")

    async def _assign(self, item: Item, story: Story) -> bool:
        """Take the first free place that leaves time for an answer; a time that is still held moves there."""
        first = self._today() + timedelta(days=14) if story.journey == "J11" else None
        found = await self.person.get("/booking/v1/slots", work_order=item["work_order_id"], limit=5, **_from(first))
        for slot in found["slots"]:
            asked = {name: slot[name] for name in ("technician_id", "start", "minutes", "window")}
            answer = await self.person.post(
                "/booking/v1/appointments", {"work_order_id": item["work_order_id"], **asked}
            )
            if answer.ok or (answer.code == "state-forbids" and await self._rebook(item)):
                return True
        self._again_at(self.clock.now() + timedelta(days=1))
        return False

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
            self._again_at(datetime(until.year, until.month, until.day, 7, tzinfo=ZONE))
            return False
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
        if story.journey == "J11" and not self._is_late(item):
            self._again_at(datetime.fromisoformat(item["start"]) - timedelta(days=1))
            return False  # the answer comes, late
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

    def _again_at(self, at: datetime) -> None:
        if at > self.clock.now():
            self.due = min(filter(None, (self.due, at)))

    async def _move(self, item: Item, move: str, **given: Any) -> bool:
        return (await self._ask(item, move, **given)).ok

    async def _ask(self, item: Item, move: str, **given: Any) -> Answer:
        body = {"move": move, "expected_version": item["version"], **given}
        return await self.person.post(f"/case/v1/work-orders/{item['work_order_id']}/moves", body)


class Clerk:
    """The MDM clerk: takes over what partners refused, and releases what lies in quarantine."""

    name = "clerk"
    rhythm: timedelta | None = timedelta(hours=2)

    def __init__(self, person: Person, stories: Mapping[int, Story], profiles: Path) -> None:
        self.person, self.stories, self.profiles = person, stories, profiles

    def next_due(self) -> datetime | None:
        return None

    async def act(self) -> bool:
        did = await self._quarantine()
        for state in ("REJECTED_BY_MDM", "MANUAL_FOLLOW_UP"):
            page = await self.person.get("/case/v1/work-orders", state=state, limit=500)
            for item in sorted(page["items"], key=lambda each: str(each["metering_point_id"])):
                did |= await self._mend(item)
        return did

    async def _mend(self, item: Item) -> bool:
        story = self.stories.get(facts.number_of(item["metering_point_id"]), Story(0))
        asked: dict[str, Any] = {"expected_version": item["version"]}
        if item["state"] == "REJECTED_BY_MDM":
            asked |= {"move": "take_over"}
        elif item["rejection"] == "taken_over" and item["cancellation"] != "undecided":
            if story.fix == "field":
                asked |= {"move": "order_field_visit", "reason": "the link is wrong on site", "decision": "mdm_error"}
            else:
                asked |= {"move": "data_corrected", "reason": "the register was corrected"}
        else:
            return False
        return (await self.person.post(f"/case/v1/work-orders/{item['work_order_id']}/moves", asked)).ok

    async def _quarantine(self) -> bool:
        """A partner becomes known: its profile is put in place, and what waited for it is tried again."""
        did = False
        for entry in await self.person.get("/mdm/v1/quarantine", state="OPEN"):
            if entry["cause"] == "UNKNOWN_PARTNER":
                self._introduce(entry["partner"])
                answer = await self.person.post(
                    f"/mdm/v1/quarantine/{entry['id']}/retry", {"reason": "the partner has a profile now"}
                )
                did |= answer.ok
        return did

    def _introduce(self, partner: str) -> None:
        self.profiles.mkdir(parents=True, exist_ok=True)
        identity = f"[{{scheme: name, value: {partner}}}]"
        transports = "{in: [{kind: file_drop}], out: [{kind: file_drop}]}"
        defaults = f"{{operator: {facts.OPERATOR}, country: DE, device_types: {{meter: mme_3ph}}}}"
        text = (
            f"id: {partner}\nname: New partner\nrole: ERP\nidentity: {identity}\n"
            f"dialects: [{{dialect: csv}}, {{dialect: cim_xml}}]\ntransports: {transports}\n"
            f"accept: transport\ndefaults: {defaults}\n"
        )
        (self.profiles / f"{partner}.yaml").write_text(text, "utf-8")


class Reviewer:
    """QA: looks at what was reported; approves, or asks for rework once where the script says so."""

    name = "reviewer"
    rhythm: timedelta | None = timedelta(hours=1)

    def __init__(self, person: Person, stories: Mapping[int, Story]) -> None:
        self.person, self.stories = person, stories
        self.reworked = set[int]()

    def next_due(self) -> datetime | None:
        return None

    async def act(self) -> bool:
        did = False
        while True:
            answer = await self.person.post("/qa/v1/reviews/next", {})
            if not answer.ok or answer.status == 204:
                return did
            did |= await self._decide(answer.body)

    async def _decide(self, review: Item) -> bool:
        number = _number(review)
        story, where = self.stories.get(number, Story(0)), f"/qa/v1/reviews/{review['review_id']}"
        if story.rework and number not in self.reworked:
            self.reworked.add(number)
            body = {"kind": story.rework, "reasons": ["photos"], "comment": "the reading can't be seen"}
            return (await self.person.post(f"{where}/rework", body)).ok
        errors = [each for each in review["findings"] if each["severity"] == "error" and each["state"] == "OPEN"]
        accepted = [{"finding": each["finding"], "reason": "seen and explained by the technician"} for each in errors]
        return (await self.person.post(f"{where}/approve", {"accepted": accepted, "comment": "good"})).ok


class Warehouse:
    """Hands out what is set aside for the next days."""

    name = "warehouse"
    rhythm: timedelta | None = timedelta(hours=4)

    def __init__(self, person: Person, clock: Clock) -> None:
        self.person, self.clock = person, clock

    def next_due(self) -> datetime | None:
        return None

    async def act(self) -> bool:
        did = False
        for item in [*await self._list("RESERVED"), *await self._list("PICKED")]:
            there = item["state"] == "PICKED" and item["location"] == f"van:{item['technician_id']}"
            if item["technician_id"] is None or there:
                continue
            body = {name: item[name] for name in ("work_order_id", "technician_id")}
            did |= (await self.person.post("/asset/v1/picks", body | {"serials": [item["serial"]]})).ok
        return did

    async def _list(self, state: str) -> Sequence[Item]:
        page = await self.person.get("/asset/v1/reservations", state=state, limit=500)
        return sorted(page["reservations"], key=lambda each: str(each["serial"]))


def _number(review: Item) -> int:
    """The order that a report is about, by the old meter that it names; 0 where none went."""
    removed = [facts.number_of_old(device["serial"]) for device in review["visit"]["removed"]]
    return next(filter(None, removed), 0)


def _from(first: date | None) -> dict[str, str]:
    """From which day on a place is looked for; not named: as soon as possible."""
    return {} if first is None else {"from": first.isoformat()}
