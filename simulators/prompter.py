"""Sees to it that stories are played: whose turn it is does it, with the rights of that person."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from kit.clock import Clock
from simulators import facts
from simulators.crew import Technician
from simulators.erp import Erp
from simulators.marketplace import Market
from simulators.script import Script
from simulators.story import Story, Turn
from simulators.world import Answer, Person

Item = dict[str, Any]
DONE, NOT_YET = Answer(200, {}), Answer(404, {"code": "not-raised"})
DAYS_FOR_AN_EXCEPTION = 14


class Prompter:
    """Looks at the work orders whose story has a turn where they stand."""

    name = "prompter"
    rhythm: timedelta | None = timedelta(minutes=15)

    def __init__(self, script: Script, people: Mapping[str, Person], erp: Erp, market: Market, clock: Clock) -> None:
        self.script, self.people, self.erp, self.market, self.clock = script, people, erp, market, clock
        self.crew: Mapping[str, Technician] = {}
        """By technician's id, once they are there."""

    def next_due(self) -> datetime | None:
        return self.script.next_due()

    async def act(self) -> bool:
        did = False
        for stage in self.script.stages(self.clock.now()):
            page = await self.people["anna"].get("/case/v1/work-orders", **stage, limit=500)
            for item in sorted(page["items"], key=lambda each: (each["metering_point_id"], each["sequence"])):
                if turn := self.script.turn(item, self.clock.now()):
                    answer = await ACTS[turn.act](self, item, turn)
                    self.script.played(item, turn, answer.code, self.clock.now())
                    did |= answer.ok
        return did

    async def move(self, item: Item, turn: Turn) -> Answer:
        """A move of the work order."""
        given = {name: value for name, value in turn.given.items() if name not in ("who", "against")}
        body = {"expected_version": item["version"], **given}
        return await self._who(turn, item).post(f"/case/v1/work-orders/{item['work_order_id']}/moves", body)

    async def raise_exception(self, item: Item, turn: Turn) -> Answer:
        """An exception, owned by whoever raises it."""
        who = self._who(turn, item)
        due = self.clock.now().date() + timedelta(days=DAYS_FOR_AN_EXCEPTION)
        body = {"action": "raise_exception", "work_order_id": item["work_order_id"], "owner": who.principal}
        body |= {"reason": "nothing else helps", "due_on": due.isoformat(), **turn.given}
        return await who.post(f"/case/v1/cases/{item['case_id']}/actions", body)

    async def approve(self, item: Item, turn: Turn) -> Answer:
        """The second person agrees to an exception that somebody raised."""
        raised = await self._raised(item, turn)
        if raised is None:
            return NOT_YET
        body = {"action": "approve_exception", "exception_id": raised, "reason": "agreed"}
        return await self._who(turn, item).post(f"/case/v1/cases/{item['case_id']}/actions", body)

    async def resolve(self, item: Item, turn: Turn) -> Answer:
        """What the exception was raised for is decided, or put off."""
        raised = await self._raised(item, turn)
        if raised is None:
            return NOT_YET
        body = {"action": "resolve_exception", "exception_id": raised, "reason": "decided"}
        body |= {"decision": turn.given["decision"]}
        if turn.given["decision"] == "wait":
            body |= {"due_on": (self.clock.now().date() + timedelta(days=DAYS_FOR_AN_EXCEPTION)).isoformat()}
        return await self._who(turn, item).post(f"/case/v1/cases/{item['case_id']}/actions", body)

    async def answer(self, item: Item, turn: Turn) -> Answer:
        """The partner that ordered the work hears whether it will be done."""
        story = self._story(item)
        partner = _last_of_the_market(story)
        order_key = f"{partner}:{facts.number_at(partner, story.number)}"
        body = {"action": "answer_order", "reason": "looked at", "order_key": order_key, **turn.given}
        return await self._who(turn, item).post(f"/case/v1/cases/{item['case_id']}/actions", body)

    async def confirm(self, item: Item, turn: Turn) -> Answer:
        """The customer calls: the time suits."""
        body = {"agreed_via": "phone", "notice": False, "comment": "the customer called"}
        path = f"/booking/v1/appointments/{item['appointment_id']}/confirm"
        return await self._who(turn, item).post(path, body)

    async def assign(self, item: Item, turn: Turn) -> Answer:
        """The first place that a call would allow, tomorrow at the earliest: too soon for anything in writing."""
        tomorrow = self.clock.now().date() + timedelta(days=1)
        slot = (await self._slots(item, tomorrow, **turn.given))[0]
        asked = {name: slot[name] for name in ("technician_id", "start", "minutes", "window")}
        return await self._who(turn, item).post(
            "/booking/v1/appointments", {"work_order_id": item["work_order_id"], **asked}
        )

    async def absence(self, item: Item, turn: Turn) -> Answer:
        """The technician falls ill for the time of the visit; the appointment is listed, and stays."""
        start = datetime.fromisoformat(item["start"])
        away = {"from": start.isoformat(), "to": (start + timedelta(minutes=item["estimate"])).isoformat()}
        body = {"technician_id": item["responsible"], "kind": "sick", **away}
        answer = await self._who(turn, item).post("/booking/v1/absences", body)
        listed = await self.people["anna"].get("/booking/v1/conflicts")
        if item["appointment_id"] not in {each["appointment_id"] for each in listed["items"]}:
            return Answer(409, {"code": "not-listed"})
        return answer

    async def colleague(self, item: Item, turn: Turn) -> Answer:
        """Somebody else goes at the same time: the customer need not know."""
        answer = Answer(409, {"code": "nobody"})
        for technician in sorted(set(self.crew) - {item["responsible"]}):
            answer = await self._move_appointment(item, turn, {"technician_id": technician})
            if answer.ok:
                return answer
        return answer

    async def another_time(self, item: Item, turn: Turn) -> Answer:
        """A later time, agreed with the customer or not; if it can be with the same technician."""
        asked_for = {name: value for name, value in turn.given.items() if name == "channel"}
        slots = await self._slots(item, date.fromisoformat(item["start"][:10]) + timedelta(days=2), **asked_for)
        slot = next((each for each in slots if each["technician_id"] == item["responsible"]), slots[0])
        asked = {name: slot[name] for name in ("technician_id", "start", "minutes", "window")}
        return await self._move_appointment(item, turn, asked | {"agreed": turn.given.get("agreed", False)})

    async def commission(self, item: Item, turn: Turn) -> Answer:
        """The head end heard the gateway."""
        case = await self.people["anna"].get(f"/case/v1/cases/{item['case_id']}")
        gateway = next(each for each in case["devices"] if each["role"] == "smgw")
        body = {"at": self.clock.now().isoformat(), "by": "head_end", "proof": "HE-1"}
        return await self._who(turn, item).post(f"/asset/v1/devices/{gateway['device_id']}/commissioned", body)

    async def add_evidence(self, item: Item, turn: Turn) -> Answer:
        """What was missing of the papers is there now."""
        return await self.crew[item["responsible"]].add_evidence(item, reason="found at last", kind=turn.given["kind"])

    async def withdraw(self, item: Item, _: Turn) -> Answer:
        """The partner cancels its order: the ERP, unless a partner of the market alone ordered the work."""
        story = self._story(item)
        if story.ordered_by and not story.ordered_twice:
            self.market.withdraw(story)
        else:
            await self.erp.withdraw(story.number)
        return DONE

    async def race(self, item: Item, turn: Turn) -> Answer:
        """The partner withdraws in the very moment in which somebody goes on with the work."""
        going_on = ACTS[turn.given["against"]](self, item, replace(turn, who=turn.given["who"]))
        await asyncio.gather(self.withdraw(item, turn), going_on)
        return DONE

    async def report(self, item: Item, _: Turn) -> Answer:
        """The technician is done sooner than planned."""
        return await self.crew[item["responsible"]].report_now(item)

    async def correct(self, item: Item, turn: Turn) -> Answer:
        """A report was wrong; the handover is asked for in the same breath, before anybody looked at it."""
        who, moves = self._who(turn, item), f"/case/v1/work-orders/{item['work_order_id']}/moves"
        wrong = {"move": "correct_report", "reason": "typed wrongly", "expected_version": item["version"]}
        answer = await who.post(moves, wrong | {"report": self.crew[item["responsible"]].corrected(item)})
        if not answer.ok:
            return answer
        again = {"move": "data_corrected", "reason": "as it was read", "expected_version": answer.body["version"]}
        return await who.post(moves, again)

    async def review(self, item: Item, turn: Turn) -> Answer:
        """Somebody looks at the report at once, and approves."""
        who = self._who(turn, item)
        page = await who.get("/qa/v1/reviews", state="PENDING", limit=200)
        (line,) = [each for each in page["items"] if each["work_order_id"] == item["work_order_id"]]
        await who.post(f"/qa/v1/reviews/{line['review_id']}/take", {})
        return await who.post(f"/qa/v1/reviews/{line['review_id']}/approve", {"accepted": [], "comment": "good"})

    async def withdraw_second(self, item: Item, _: Turn) -> Answer:
        """The other partner cancels its own order of the same work."""
        story = self._story(item)
        self.market.withdraw(story, _last_of_the_market(story))
        return DONE

    async def amend(self, item: Item, _: Turn) -> Answer:
        """The partner knows better where the meter is, and which."""
        story = self._story(item)
        if story.ordered_by:
            self.market.amend(story)
        else:
            await self.erp.amend(story.number)
        return DONE

    async def propose(self, item: Item, _: Turn) -> Answer:
        """The partner that ordered it cannot at that time, and names days that would do."""
        self.market.propose(self._story(item))
        return DONE

    async def resend(self, item: Item, turn: Turn) -> Answer:
        """What a partner could not read is built anew and sent once more."""
        who, answer = self._who(turn, item), NOT_YET
        found = await who.get("/mdm/v1/handovers", case=item["case_id"], state="ERROR_TECH")
        for row in (row for handover in found for row in handover["rows"]):
            answer = await who.post(f"/mdm/v1/messages/{row['row_id']}/resend", {"reason": "the form is mended now"})
        return answer

    async def _raised(self, item: Item, turn: Turn) -> str | None:
        case = await self.people["anna"].get(f"/case/v1/cases/{item['case_id']}")
        mine = [each for each in case["exceptions"] if (each["type"], each["state"]) == (turn.given["type"], "RAISED")]
        return str(mine[0]["exception_id"]) if mine else None

    def _story(self, item: Item) -> Story:
        return self.erp.stories[facts.number_of(item["metering_point_id"])]

    def _who(self, turn: Turn, item: Item) -> Person:
        return self.crew[item["responsible"]].person if turn.who == "technician" else self.people[turn.who]

    async def _slots(self, item: Item, first: date, **given: Any) -> list[Item]:
        asked = {"work_order": item["work_order_id"], "from": first.isoformat(), "limit": 20, **given}
        found = await self.people["anna"].get("/booking/v1/slots", **asked)
        return list(found["slots"])

    async def _move_appointment(self, item: Item, turn: Turn, asked: Mapping[str, Any]) -> Answer:
        path = f"/booking/v1/appointments/{item['appointment_id']}"
        held = await self.people["anna"].get(path)
        body = {"agreed": False, **asked, "expected_version": held["version"]}
        return await self._who(turn, item).post(f"{path}/move", body)


def _last_of_the_market(story: Story) -> str:
    """The partner of the market whose order of the work is the only one, or came second."""
    return story.also_ordered_by or story.ordered_by or ""


ACTS: Mapping[str, Callable[[Prompter, Item, Turn], Awaitable[Answer]]] = MappingProxyType(
    {
        "move": Prompter.move,
        "raise": Prompter.raise_exception,
        "approve": Prompter.approve,
        "resolve": Prompter.resolve,
        "answer": Prompter.answer,
        "confirm": Prompter.confirm,
        "assign": Prompter.assign,
        "absence": Prompter.absence,
        "colleague": Prompter.colleague,
        "another_time": Prompter.another_time,
        "commission": Prompter.commission,
        "add_evidence": Prompter.add_evidence,
        "cancel": Prompter.withdraw,
        "race": Prompter.race,
        "report": Prompter.report,
        "correct": Prompter.correct,
        "review": Prompter.review,
        "cancel_second": Prompter.withdraw_second,
        "amend": Prompter.amend,
        "propose": Prompter.propose,
        "resend": Prompter.resend,
    }
)
"""What a turn can be, by the name that stories give it."""
