"""Field crews: each technician reads the own list, goes there, builds, photographs and reports."""

import asyncio
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from PIL import Image

from kit.clock import Clock
from simulators import facts
from simulators.story import Story
from simulators.world import Answer, Person

Item = dict[str, Any]
PHOTOS = ("photo_old_meter", "photo_old_reading", "photo_new_meter", "photo_new_reading")
LACKING = "photo_new_reading"
"""What papers lack where they lack something."""
OBIS = "1-0:1.8.0"
KEPT = "move-not-allowed"
"""The code of a report that could not be taken, and was kept for people to decide."""
MORNING = 5
"""Hour (UTC) at which the phone fetches the day's list."""


class Technician:
    """One person with a van."""

    rhythm: timedelta | None = None

    def __init__(
        self, person: Person, technician_id: str, clock: Clock, stories: Mapping[int, Story], spare: Sequence[str]
    ) -> None:
        self.person, self.technician_id, self.clock, self.stories = person, technician_id, clock, stories
        self.spare = list(spare)
        self.name = f"technician {person.name}"
        self.due: datetime | None = clock.now()
        self.carried = dict[str, Item]()
        """Work orders as the phone has them, that are reported whatever became of them."""
        self.reported = dict[str, Item]()
        """The report of each work order, as it was sent."""

    def next_due(self) -> datetime | None:
        return self.due

    @property
    def owes(self) -> bool:
        """A report is still in the phone."""
        return bool(self.carried)

    async def act(self) -> bool:
        """Start what begins now, report what is done."""
        morning = self.clock.now().replace(hour=MORNING, minute=0, second=0) + timedelta(days=1)
        self.due, did = morning, False
        page = await self.person.get("/case/v1/work-orders", limit=500)
        items = {item["work_order_id"]: item for item in page["items"]} | self.carried
        for item in sorted(items.values(), key=lambda each: (each["start"] or "", each["metering_point_id"])):
            did |= await self._work(item)
        return did

    async def _work(self, item: Item) -> bool:
        start, story = datetime.fromisoformat(item["start"]), self._story(item)
        known, today = item["work_order_id"] in self.carried, start.date() == self.clock.now().date()
        if story.offline and not known and item["state"] == "READY" and today:
            self.carried[item["work_order_id"]] = item | {"held": await self._held(item)}  # for when the net is gone
        if item["work_order_id"] in self.carried:
            return await self._report_when_done(item, start)
        if item["state"] == "READY":
            if start > self.clock.now():
                return self._again_at(start)
            answer = await self.person.post(self._moves(item), {"move": "start"})
            if answer.ok and story.finishes:
                self.carried[item["work_order_id"]] = item
            self._again_at(self._end(item, start) if answer.ok else start + timedelta(days=1))
            return answer.ok
        if item["state"] != "IN_PROGRESS":
            return False
        return await self._report_when_done(item, start)

    def _story(self, item: Item) -> Story:
        number = facts.number_of(item["metering_point_id"])
        return self.stories.get(number, Story(number))

    async def _report_when_done(self, item: Item, start: datetime) -> bool:
        if (end := self._end(item, start)) > self.clock.now():
            return self._again_at(end)
        return await self._report(item, start)

    @staticmethod
    def _end(item: Item, start: datetime) -> datetime:
        return start + timedelta(minutes=item["estimate"] or item["duration_min"])

    def _again_at(self, at: datetime) -> bool:
        self.due = min(filter(None, (self.due, at)))
        return False

    async def report_now(self, item: Item) -> Answer:
        """Report a visit before its time is over."""
        start = datetime.fromisoformat(item["start"])
        report = {"arrived_at": start.isoformat(), "finished_at": (start + timedelta(minutes=30)).isoformat()}
        report |= await self._outcome(item, start)
        return await self.person.post(self._moves(item), {"move": "resolve", "report": report})

    async def _report(self, item: Item, start: datetime) -> bool:
        report = {"arrived_at": start.isoformat(), "finished_at": self.clock.now().isoformat()}
        report |= await self._outcome(item, start)
        self.reported[item["work_order_id"]] = report
        carried = self.carried.pop(item["work_order_id"], None)
        key = f"report-{item['work_order_id']}"
        for _ in range(2 if carried and self._story(item).offline else 1):  # a phone that was away asks again
            answer = await self.person.post(self._moves(item), {"move": "resolve", "report": report}, key=key)
        if not answer.ok and (carried is None or answer.code != KEPT):
            raise RuntimeError(f"{item['metering_point_id']}: {answer.code} {answer.body}")
        return True

    def corrected(self, item: Item) -> Item:
        """What was reported, but for a reading of the old meter that was typed wrongly."""
        report = deepcopy(self.reported[item["work_order_id"]])
        for device in report["removed"]:
            for register in device["registers"]:
                register["reading"] = str(Decimal(register["reading"]) + 1)
        return report

    async def _outcome(self, item: Item, start: datetime) -> Item:
        story, visit = self._story(item), item["sequence"] - 1
        result, _, sub_reason = story.visits[visit].partition("/") if visit < len(story.visits) else ("OK", "", "")
        if sub_reason:
            return {"result": result, "sub_reason": sub_reason}
        held = dict(item.get("held") or await self._held(item))
        planned = {each["role"] for each in item["device_plan"]["install"]}
        if planned - held.keys():
            missing = sorted(planned - held.keys())
            return {"result": "MATERIAL_MISSING", "sub_reason": "missing_equipment", "missing": missing}
        if story.wrong_serial and visit == 0 and self.spare:
            held["meter"] = held["meter"] | {"serial": self.spare.pop()}
        return await self._done(item, start, result, [held[role] for role in sorted(planned)])

    async def _done(self, item: Item, start: datetime, result: str, devices: Sequence[Item]) -> Item:
        at = start + timedelta(minutes=10)
        silent, lacks = result == "COMMS_PENDING", result == "DOCS_INCOMPLETE"
        kinds = [kind for kind in PHOTOS if not (lacks and kind == LACKING)]
        return {
            "result": result,
            "installed": [_installed(each, at + timedelta(minutes=2), silent=silent) for each in devices],
            "removed": [_removed(each, at) for each in _hangs_there(item)],
            "missing": [LACKING] if lacks else [],
            "evidence": await self.photograph(item, at, kinds),
            "answers": {"installation_safe": True, "customer_present": True, "seal_no": f"S-{item['sequence']}"},
            "form_key": "meter_exchange",
            "form_version": 1,
            "site": {"generation": False, "postcode": item["area"]["postcode"]},
        }

    async def add_evidence(self, item: Item, *, kind: str, reason: str) -> Answer:
        """A photo that was missing or not good enough goes after the report."""
        at = datetime.fromisoformat(item["resolved_at"]) - timedelta(minutes=5)
        evidence = await self.photograph(item, at, (kind,))
        body = {"move": "add_evidence", "expected_version": item["version"], "reason": reason, "evidence": evidence}
        return await self.person.post(self._moves(item), body)

    async def photograph(self, item: Item, at: datetime, kinds: Sequence[str]) -> list[Item]:
        """Upload photos; each shows something else."""
        return list(await asyncio.gather(*(self._photo(item, at, number, kind) for number, kind in enumerate(kinds))))

    async def _photo(self, item: Item, at: datetime, number: int, kind: str) -> Item:
        name = f"{item['work_order_id']}/{kind}/{at.isoformat()}"
        evidence_id, content = str(uuid5(NAMESPACE_URL, name)), photo(name)
        digest = sha256(content).hexdigest()
        taken = (at + timedelta(minutes=number)).isoformat()
        headers = {"Content-Type": "image/jpeg", "X-Content-SHA256": digest, "X-Kind": kind}
        headers |= {"X-Captured-At": taken, "X-Work-Order": item["work_order_id"]}
        answer = await self.person.put(f"/qa/v1/evidence/{evidence_id}", content=content, headers=headers)
        if not answer.ok:
            raise RuntimeError(f"{name}: {answer.code} {answer.body}")
        return {"evidence_id": evidence_id, "kind": kind, "sha256": digest, "captured_at": taken}

    async def _held(self, item: Item) -> dict[str, Item]:
        """What was picked for this work, by role; what goes back into its old place comes from the van."""
        if item["kind"] == "reversal":
            old = facts.OrderFacts(facts.number_of(item["metering_point_id"])).old_serial
            return {"meter": {"role": "meter", "serial": old, "manufacturer": None, "held_type": None}}
        page = await self.person.get("/asset/v1/reservations", work_order_id=item["work_order_id"], limit=20)
        return {each["role"]: each for each in page["reservations"] if each["state"] == "PICKED"}

    def _moves(self, item: Item) -> str:
        return f"/case/v1/work-orders/{item['work_order_id']}/moves"


class Desk:
    """Desk rework: what the reviewer misses is added by the crew that was there."""

    name = "desk"
    rhythm: timedelta | None = timedelta(hours=2)

    def __init__(self, crew: Sequence[Technician], office: Person) -> None:
        self.crew, self.office = {each.technician_id: each for each in crew}, office
        self.answered = set[str]()

    def next_due(self) -> datetime | None:
        return None

    async def act(self) -> bool:
        page = await self.office.get("/qa/v1/reviews", state="REWORK", limit=200)
        did = False
        for asked in page["items"]:
            if asked["review_id"] in self.answered:
                continue
            self.answered.add(asked["review_id"])
            screen = await self.office.get(f"/qa/v1/reviews/{asked['review_id']}")
            if not any(
                each["review_id"] == asked["review_id"] and each["kind"] == "desk" for each in screen["reworks"]
            ):
                continue
            item = await self.office.get(f"/case/v1/work-orders/{asked['work_order_id']}")
            technician = self.crew[item["responsible"]]
            did |= (await technician.add_evidence(item, kind=LACKING, reason="a sharper photo")).ok
        return did


def _installed(device: Item, at: datetime, *, silent: bool) -> Item:
    """What went in; a gateway talks at once, or keeps silent for now."""
    talks = {"comms": "none"}
    if device["role"] == "smgw":
        talks = {"comms": "pending", "comms_cause": "head_end"} if silent else {"comms": "ok"}
    registers = [_register(at, _shows(device["serial"], leaving=False))] if device["role"] == "meter" else []
    named = {"role": device["role"], "serial": device["serial"], "at": at.isoformat(), "registers": registers}
    known = {"manufacturer": device["manufacturer"], "device_type": device["held_type"]}
    return named | talks | {name: value for name, value in known.items() if value}


def _hangs_there(item: Item) -> Sequence[Item]:
    """What goes: as planned; else the old meter, which an order of the market does not name."""
    planned = item["device_plan"]
    if planned["remove"] or not planned["install"] or item["sequence"] > 1:
        return list(planned["remove"])
    return [{"role": "meter", "serial": facts.OrderFacts(facts.number_of(item["metering_point_id"])).old_serial}]


def _removed(planned: Item, at: datetime) -> Item:
    billed = (
        {"last_billed": "47000.0", "last_billed_on": "2025-12-01"} if facts.number_of_old(planned["serial"]) else {}
    )
    registers = [_register(at, _shows(planned["serial"], leaving=True), **billed)] if planned["role"] == "meter" else []
    named = {"role": planned["role"], "serial": planned["serial"], "at": at.isoformat(), "destination": "van"}
    return named | {"registers": registers}


def _shows(serial: str, *, leaving: bool) -> str:
    """What the display says: an old meter has counted for years, a new one for days."""
    return "48213.4" if facts.number_of_old(serial) else "3.0" if leaving else "0.0"


def _register(at: datetime, reading: str, **more: str) -> Item:
    return {"obis": OBIS, "reading": reading, "unit": "kWh", "at": at.isoformat(), "source": "typed", **more}


def photo(name: str) -> bytes:
    """A small picture that no other name gives."""
    colour = tuple(sha256(name.encode()).digest()[:3])
    kept = BytesIO()
    Image.new("RGB", (96, 72), colour).save(kept, "JPEG", quality=80)
    return kept.getvalue()
