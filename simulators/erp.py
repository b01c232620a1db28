"""The ordering ERP: sends orders, takes documents, answers as its script says; with its own small XML."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import httpx
from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from kit.clock import Clock
from simulators import facts
from simulators.cim import ACCEPTED, M_NS, S_NS, Cim, phone_of
from simulators.facts import OrderFacts
from simulators.partner import ACCEPT, ACTIONS, REFUSALS, Action, Scripts, hand_in, next_action
from simulators.story import Story

XML = {"Content-Type": "application/xml"}
PER_DAY = 60
"""Orders that the ERP sends in one go each morning."""


@dataclass
class Log:
    """What came and went for one order."""

    sent: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    completions: int = 0
    """Documents of finished work, each counted once."""
    copies: int = 0
    """How often a document came that had been taken before."""
    trouble: int = 0


class Erp:
    """One partner with two ways in, HTTP and a folder, and a script per order."""

    name = "erp"
    rhythm: timedelta | None = timedelta()

    def __init__(self, clock: Clock, http: httpx.AsyncClient, key: str, stories: Sequence[Story], drop: Path) -> None:
        self.clock, self.http, self.key, self.drop = clock, http, key, drop
        self.cim = Cim(clock)
        self.stories = {story.number: story for story in stories}
        self.logs = {story.number: Log() for story in stories}
        acts = {OrderFacts(story.number).order_no: dict(story.market).get("erp") for story in stories}
        self.scripts: Scripts = {order_no: [action] for order_no, action in acts.items() if action}
        self.to_send = deque(each for each in stories if each.ordered_by is None or each.ordered_twice)
        self.versions = dict.fromkeys(self.stories, 1)
        """The newest version of each order that was said, in whatever words."""
        self.next_morning: datetime | None = clock.now()
        self.later: list[tuple[datetime, int, str, bytes]] = []
        self.taken: dict[str, tuple[int, bytes]] = {}
        """What a message was answered with: the same message again is answered the same, and has no effect."""
        self.dropped = False
        """Some file may not be taken in yet."""
        self.count = 0
        self.working = Counter[str]()

    def next_due(self) -> datetime | None:
        due = [self.later[0][0]] if self.later else []
        if self.to_send and self.next_morning is not None:
            due.append(self.next_morning)
        return min(due, default=None)

    async def act(self) -> bool:
        """Send what is due, read the folder."""
        did = await self._send_orders()
        did |= await self._answer_later()
        return await self._read_folder() or did

    def taken_in(self) -> bool:
        """Whether the hub has taken every file that was dropped."""
        if self.dropped:
            self.dropped = any(next(self.drop.glob(place), None) for place in ("*/in/*", "*/claimed/*/*"))
        return not self.dropped

    async def take(self, request: Request) -> Response:
        """The endpoint that documents are posted to; a ResponseMessage in the body answers at once."""
        self.working["posts"] += 1
        try:
            return self._take(await request.body())
        finally:
            self.working["posts"] -= 1

    def _take(self, document: bytes) -> Response:
        root = etree.fromstring(document)
        if root.tag == f"{{{M_NS}}}ResponseMessage":
            result = root.findtext(f"{{{M_NS}}}Reply/{{{M_NS}}}Result") or ""
            for order in root.iter(f"{{{M_NS}}}ID"):
                if log := self.logs.get(_number(order.text or "") or 0):
                    log.answers.append(result)
            return Response(status_code=204)
        message, number = root.findtext(f"{{{M_NS}}}Header/{{{M_NS}}}MessageID") or "", _order_of(root)
        story, log = self.stories.get(number), self.logs.get(number)
        if story is None or log is None:
            return Response(status_code=404)
        verb = root.findtext(f"{{{M_NS}}}Header/{{{M_NS}}}Verb") or ""
        if story.broken_first and not log.trouble:
            log.trouble += 1
            return Response(status_code=503)
        if message in self.taken:
            log.copies += 1
        else:
            action = next_action(self.scripts, OrderFacts(number).order_no, (verb,))
            if action.verb == "http":
                return Response(status_code=int(action.code))
            plainly = action == ACCEPT
            judged = (
                self._judge(story, log, verb, message) if plainly else self._play(action, log, verb, message, number)
            )
            self.taken[message] = judged
        status, answer = self.taken[message]
        return Response(answer, status, media_type="application/xml")

    def _judge(self, story: Story, log: Log, verb: str, message: str) -> tuple[int, bytes]:
        """Take a document: answer it at once, later, or both."""
        log.documents.append(verb)
        answer, now = self._answer(story, log, verb, message), self.clock.now()
        if story.answers_late_hours:
            self._later(now + timedelta(hours=story.answers_late_hours), facts.PARTNER, answer)
        if log.completions == 1 and verb == "change":
            for hours, code in story.second_thoughts:
                order = OrderFacts(story.number).order_no
                other = self.cim.response(message, order, facts.PARTNER, code, about=f"{message}/{code}")
                self._later(now + timedelta(hours=hours), facts.PARTNER, other)
        if story.answers_twice:
            self._later(now + timedelta(hours=story.answers_late_hours, minutes=5), facts.PARTNER, answer)
        return (202, b"") if story.answers_late_hours else (200, answer)

    def _play(self, action: Action, log: Log, verb: str, message: str, number: int) -> tuple[int, bytes]:
        """What the script wants said: first the answer to the request, all else as messages of their own."""
        log.documents.append(verb)
        log.completions += verb == "change"
        order, now = OrderFacts(number).order_no, self.clock.now()
        at_once, later = ACTIONS[action.verb]
        said = [self.cim.said(word, action, message, order) for word in at_once]
        for word in later:
            self._later(now + action.after, facts.PARTNER, self.cim.said(word, action, message, order))
        if action.verb == "other_partner_answers":
            self._drop(facts.FILE_PARTNER, f"answer-{self.cim.id(message)}.xml", said[0])
            return 202, b""
        for each in (*said[1:], *said[:1] * action.copies):
            self._later(now, facts.PARTNER, each)
        return (200, said[0]) if said else (202, b"")

    def _answer(self, story: Story, log: Log, verb: str, message: str) -> bytes:
        order, source = OrderFacts(story.number).order_no, _partner(story) if story.by_file else facts.PARTNER
        if verb == "change":
            log.completions += 1
            if log.completions <= len(story.reject):
                return self.cim.response(message, order, source, story.reject[log.completions - 1])
        return self.cim.response(message, order, source, ACCEPTED)

    async def _send_orders(self) -> bool:
        now = self.clock.now()
        if not self.to_send or self.next_morning is None or now < self.next_morning:
            return False
        batch = [self.to_send.popleft() for _ in range(min(PER_DAY, len(self.to_send)))]
        files = [story for story in batch if story.by_file]
        for story in batch:
            if not story.by_file:
                await self._order(story)
        for partner in sorted({_partner(story) for story in files}):
            self._order_by_file(partner, [story for story in files if _partner(story) == partner])
        self.next_morning = now + timedelta(days=1)
        return True

    async def _order(self, story: Story) -> None:
        create = self.cim.ordered(OrderFacts(story.number), story, "create", 1)
        if story.cancelled_before:
            await self._post(self.cim.cancellation(OrderFacts(story.number), 1), story.number)
        await asyncio.gather(*(self._post(create, story.number) for _ in range(story.copies)))

    def _order_by_file(self, partner: str, stories: Sequence[Story]) -> None:
        names = "order_no;version;kind;metering_point_id;street;number;postcode;city;municipality;old_serial"
        lines = [f"{names};sms_allowed;name;phone"]
        for story in stories:
            order = OrderFacts(story.number)
            place = f"{order.street};{order.house_number};{order.postcode};Auental;00000001"
            lines.append(
                f"{order.order_no};1;exchange;{order.metering_point};{place};{order.old_serial};true;"
                f"{order.name};{phone_of(story)}"
            )
            self.logs[story.number].sent.append("file")
        self._drop(partner, f"orders-{self.clock.now():%Y%m%d%H%M}.csv", "\n".join([*lines, ""]).encode())

    def _drop(self, partner: str, name: str, content: bytes) -> None:
        hand_in(self.drop / partner / "in", name, content)
        self.dropped = True

    async def withdraw(self, number: int) -> None:
        """Cancel an order, on the way that it came."""
        story, order, version = self.stories[number], OrderFacts(number), self._next_version(number)
        if story.by_file:
            self._cancel_by_file(_partner(story), order.order_no, version)
        else:
            await self._post(self.cim.cancellation(order, version), number)

    async def amend(self, number: int) -> None:
        """Another door, and another old meter behind it."""
        order = OrderFacts(number, amended=True)
        await self._post(self.cim.ordered(order, self.stories[number], "change", self._next_version(number)), number)

    def _next_version(self, number: int) -> int:
        self.versions[number] += 1
        return self.versions[number]

    def _cancel_by_file(self, partner: str, order_no: str, version: int) -> None:
        line = f"order_no;version;action;reason\n{order_no};{version};cancel;moved\n"
        self._drop(partner, f"cancel-{order_no}.csv", line.encode())

    async def _answer_later(self) -> bool:
        did = False
        while self.later and self.later[0][0] <= self.clock.now():
            _, _, partner, answer = heappop(self.later)
            taken = await self.http.post(f"/mdm/v1/in/{partner}", content=answer, headers=XML | self._key())
            if taken.status_code not in REFUSALS:
                taken.raise_for_status()
            did = True
        return did

    async def _read_folder(self) -> bool:
        """Documents of the partner that works with files are answered with files."""
        folder = self.drop / facts.FILE_PARTNER / "out"
        did = False
        for place in sorted(folder.glob("*.xml")) if folder.exists() else ():
            root = etree.fromstring(place.read_bytes())
            place.unlink()
            did = True
            self._answer_by_file(root)
        return did

    def _answer_by_file(self, root: Any) -> None:
        message, order_no = root.findtext(f"{{{M_NS}}}Header/{{{M_NS}}}MessageID") or "", _order_no_of(root)
        log = self.logs.get(_number(order_no) or 0)
        if log is None or root.tag == f"{{{M_NS}}}ResponseMessage":
            return
        verb = root.findtext(f"{{{M_NS}}}Header/{{{M_NS}}}Verb") or ""
        log.documents.append(verb)
        answer = self._answer(self.stories[_number(order_no) or 0], log, verb, message)
        self._drop(facts.FILE_PARTNER, f"answer-{self.cim.id(message)}.xml", answer)

    async def _post(self, message: bytes, number: int) -> None:
        answer = await self.http.post(f"/mdm/v1/in/{facts.PARTNER}", content=message, headers=XML | self._key())
        answer.raise_for_status()
        self.logs[number].sent.append(answer.json()["receipt"])

    def _later(self, at: datetime, partner: str, answer: bytes) -> None:
        self.count += 1
        heappush(self.later, (at, self.count, partner, answer))

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def _partner(story: Story) -> str:
    return facts.UNKNOWN_PARTNER if story.unknown_partner else facts.FILE_PARTNER


def _order_no_of(root: Any) -> str:
    found = (each.text or "" for each in root.iter(f"{{{S_NS}}}mRID"))
    return next((order_no for order_no in found if _number(order_no) is not None), "")


def _order_of(root: Any) -> int:
    return _number(_order_no_of(root)) or 0


def _number(order_no: str) -> int | None:
    return int(order_no[2:]) if order_no.startswith("A-") and order_no[2:].isdigit() else None
