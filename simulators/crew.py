"""Field crews: each technician reads the own list, goes there, builds, photographs and reports."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from PIL import Image

from kit.clock import Clock
from simulators import facts
from simulators.story import Story
from simulators.world import Person

Item = dict[str, Any]
PHOTOS = ("photo_old_meter", "photo_old_reading", "photo_new_meter", "photo_new_reading")
OBIS = "1-0:1.8.0"
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

    def next_due(self) -> datetime | None:
        return self.due

    async def act(self) -> bool:
        """Start what begins now, report what is done."""
        morning = self.clock.now().replace(hour=MORNING, minute=0, second=0) + timedelta(days=1)
        self.due, did = morning, False
        page = await self.person.get("/case/v1/work-orders", limit=500)
        for item in sorted(page["items"], key=lambda each: (each["start"] or "", each["metering_point_id"])):
            did |= await self._work(item)
        return did

    async def _work(self, item: Item) -> bool:
        start = datetime.fromisoformat(item["start"])
        if item["state"] == "READY":
            if start > self.clock.now():
                return self._again_at(start)
            answer = await self.person.post(self._moves(item), {"move": "start"})
            self._again_at(self._end(item, start) if answer.ok else start + timedelta(days=1))
            return answer.ok
        if item["state"] != "IN_PROGRESS":
            return False
        if (end := self._end(item, start)) > self.clock.now():
            return self._again_at(end)
        return await self._report(item, start)

    @staticmethod
    def _end(item: Item, start: datetime) -> datetime:
        return start + timedelta(minutes=item["estimate"] or item["duration_min"])

    def _again_at(self, at: datetime) -> bool:
        self.due = min(filter(None, (self.due, at)))
        return False

    async def _report(self, item: Item, start: datetime) -> bool:
        number = facts.number_of(item["metering_point_id"])
        story, visit = self.stories.get(number, Story(number)), item["sequence"] - 1
        now = self.clock.now()
        report: Item = {"arrived_at": start.isoformat(), "finished_at": now.isoformat()}
        serial = await self._serial(item)
        if visit < len(story.visits):
            report |= {"result": story.visits[visit], "sub_reason": "customer_not_home"}
        elif item["device_plan"]["install"] and serial is None:
            report |= {"result": "MATERIAL_MISSING", "sub_reason": "missing_equipment"}
        else:
            wrong = story.wrong_serial and visit == 0
            report |= await self._done(item, start, self.spare.pop() if wrong and self.spare else serial)
        answer = await self.person.post(self._moves(item), {"move": "resolve", "report": report})
        if not answer.ok:
            raise RuntimeError(f"{item['metering_point_id']}: {answer.code} {answer.body}")
        return True

    async def _done(self, item: Item, start: datetime, serial: str | None) -> Item:
        at = start + timedelta(minutes=10)
        plan, installed, removed = item["device_plan"], [], []
        for each in plan["remove"]:
            out = self._register(at, "48213.4", last_billed="47000.0", last_billed_on="2025-12-01")
            removed.append(
                {"role": each["role"], "serial": each["serial"], "at": at.isoformat(), "destination": "van"}
                | {"registers": [out]}
            )
        if serial is not None and plan["install"]:
            built = {"role": "meter", "serial": serial, "manufacturer": "HUB", "device_type": "mme_3ph"}
            built |= {"at": (at + timedelta(minutes=2)).isoformat(), "comms": "none"}
            installed.append(built | {"registers": [self._register(at + timedelta(minutes=2), "0.0")]})
        evidence = await self.photograph(item, at)
        answers = {"installation_safe": True, "customer_present": True, "seal_no": f"S-{item['sequence']}"}
        return {
            "result": "OK",
            "installed": installed,
            "removed": removed,
            "evidence": evidence,
            "answers": answers,
            "form_key": "meter_exchange",
            "form_version": 1,
            "site": {"generation": False, "postcode": item["area"]["postcode"]},
        }

    def _register(self, at: datetime, reading: str, **more: str) -> Item:
        return {"obis": OBIS, "reading": reading, "unit": "kWh", "at": at.isoformat(), "source": "typed", **more}

    async def photograph(self, item: Item, at: datetime, kinds: Sequence[str] = PHOTOS) -> list[Item]:
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

    async def _serial(self, item: Item) -> str | None:
        """The meter that was picked for this work."""
        page = await self.person.get("/asset/v1/reservations", work_order_id=item["work_order_id"], limit=5)
        picked = [each["serial"] for each in page["reservations"] if each["state"] == "PICKED"]
        return picked[0] if picked else None

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
            at = datetime.fromisoformat(item["resolved_at"]) - timedelta(minutes=5)
            evidence = await technician.photograph(item, at, ("photo_new_reading",))
            body = {"move": "add_evidence", "reason": "a sharper photo", "evidence": evidence}
            path = f"/case/v1/work-orders/{asked['work_order_id']}/moves"
            did |= (await technician.person.post(path, body)).ok
        return did


def photo(name: str) -> bytes:
    """A small picture that no other name gives."""
    colour = tuple(sha256(name.encode()).digest()[:3])
    kept = BytesIO()
    Image.new("RGB", (96, 72), colour).save(kept, "JPEG", quality=80)
    return kept.getvalue()
