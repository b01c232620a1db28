"""The office beside the dispatcher: reviewer, MDM clerk and warehouse, each a person of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kit.clock import Clock
from simulators import facts
from simulators.script import Script
from simulators.story import Story
from simulators.world import Person

Item = dict[str, Any]


class Clerk:
    """The MDM clerk: takes over what partners refused, and releases what lies in quarantine."""

    name = "clerk"
    rhythm: timedelta | None = timedelta(hours=2)

    def __init__(
        self,
        person: Person,
        stories: Mapping[int, Story],
        profiles: Path,
        script: Script,
        newcomers: Mapping[str, str],
    ) -> None:
        self.person, self.stories, self.profiles, self.script = person, stories, profiles, script
        self.newcomers = newcomers
        """Profiles of partners of the market that become known; every other one that does is an ERP with files."""

    def next_due(self) -> datetime | None:
        return None

    async def act(self) -> bool:
        did = await self._quarantine()
        for state in ("REJECTED_BY_MDM", "MANUAL_FOLLOW_UP"):
            page = await self.person.get("/case/v1/work-orders", state=state, limit=500)
            for item in sorted(page["items"], key=lambda each: str(each["metering_point_id"])):
                did |= not self.script.reserved(item) and await self._mend(item)
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
        defaults = f"{{operator: {facts.TOLERANT_OPERATOR}, country: DE, device_types: {{meter: mme_3ph}}}}"
        text = (
            f"id: {partner}\nname: New partner\nrole: ERP\nidentity: {identity}\n"
            f"dialects: [{{dialect: csv}}, {{dialect: cim_xml}}]\ntransports: {transports}\n"
            f"accept: transport\ndefaults: {defaults}\n"
        )
        (self.profiles / f"{partner}.yaml").write_text(self.newcomers.get(partner, text), "utf-8")


class Reviewer:
    """QA: looks at what was reported; approves, or asks once for what is missing."""

    name = "reviewer"
    rhythm: timedelta | None = timedelta(hours=1)

    def __init__(self, person: Person, stories: Mapping[int, Story], script: Script) -> None:
        self.person, self.stories, self.script = person, stories, script
        self.reworked = set[int]()

    def next_due(self) -> datetime | None:
        return None

    async def act(self) -> bool:
        did = False
        page = await self.person.get("/qa/v1/reviews", state="PENDING", limit=200)
        for line in page["items"]:
            if self.script.reserves_review(line["case_id"], line["sequence"]):
                continue
            answer = await self.person.post(f"/qa/v1/reviews/{line['review_id']}/take", {})
            did |= answer.ok and await self._decide(answer.body)
        return did

    async def _decide(self, review: Item) -> bool:
        number = _number(review)
        story, where = self.stories.get(number, Story(0)), f"/qa/v1/reviews/{review['review_id']}"
        papers = review["visit"]["missing"] and not _complete(review)
        if papers or (story.rework and number not in self.reworked):
            self.reworked.add(number)
            kind = "desk" if papers else story.rework
            body = {"kind": kind, "reasons": ["photos"], "comment": "the reading can't be seen"}
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


def _complete(review: Item) -> bool:
    """Everything is there that the technician said was missing."""
    return set(review["visit"]["missing"]) <= {each["kind"] for each in review["evidence"]}
