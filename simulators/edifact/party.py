"""A role of the market that speaks EDIFACT: takes what the hub sends, answers by script, and writes down all of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from kit.clock import Clock
from simulators import facts
from simulators.edifact.answering import Said, answers
from simulators.edifact.calendar import local
from simulators.edifact.documents import ACKNOWLEDGEMENTS, ANSWERS, Item, faults, items, receipt, version_fault
from simulators.edifact.letters import Body, Pen, Quoted, Refusal
from simulators.edifact.syntax import Fault, Interchange, Message, NobodyKnown, read
from simulators.edifact.watch import Watch
from simulators.facts import OrderFacts
from simulators.garbage import spoilt
from simulators.partner import ACTIONS, Action, Entry, Log, Scripts, Send, next_action

NOTICE = timedelta(days=40)
"""How far ahead an order asks for its day: at least 20 Werktage."""
TUESDAY = 1
REFUSED = frozenset({"no", "unreadable", "syntax"})
"""Words behind which a document has no effect."""
SETTLES_NOTHING = frozenset({"garbage", "wrong_reference", "no_correlation", "other_partner_answers"})
"""Actions after which the hub cannot know that a document was acknowledged."""
APART = SETTLES_NOTHING | {"answer_twice", "answer_other_body", "duplicate_delivery"}
"""Actions whose receipts are not bundled with others."""


@dataclass
class Letter:
    """An interchange that is to leave, written when it leaves."""

    write: Callable[[], bytes]
    partner: str
    receipts: Sequence[tuple[Item, bool]] = ()
    content: bytes = b""
    """Once it has left."""

    def again(self) -> "Letter":
        """The same bytes once more."""
        return Letter(lambda: self.content, self.partner)


@dataclass
class Taken:
    """An interchange that came, and what it was answered with."""

    body: bytes
    letters: list[Letter] = field(default_factory=list)


class EdifactParty:
    """One partner with its own number in the market. Scripts: by order number or glob, see `simulators/partner.py`."""

    media_type, suffix = "application/edifact", "edi"

    def __init__(
        self,
        clock: Clock,
        partner: str,
        role: str,
        scripts: Mapping[str, Sequence[str | Action]] | None = None,
        *,
        code: str = "",
        hub: str = facts.HUB_CODE,
    ) -> None:
        self.clock, self.partner, self.role = clock, partner, role
        self.scripts: Scripts = {number: list(actions) for number, actions in (scripts or {}).items()}
        self.pen = Pen(clock, code or facts.MARKET_CODES[role], hub, role[:2].upper())
        self.peers: dict[str, EdifactParty] = {}
        """Who may answer in place of this one."""
        self.logs: dict[str, Log] = {}
        self.journal: list[Entry] = []
        self.effects = Counter[tuple[str, ...]]()
        """How often each business fact was taken over, by business key."""
        self.watch = Watch()
        self.later: list[tuple[datetime, int, Letter]] = []
        self.count = 0
        self._taken: dict[str, Taken] = {}
        self._own: dict[str, str] = {}
        """Own orders: their numbers, and the point of each."""
        self._own_at: dict[str, str] = {}
        """The other way round; the last one at a point counts."""
        self._sent: dict[str, tuple[str, str]] = {}
        """DE0020 of this side: what it was, and about which order."""

    def log(self, order_no: str) -> Log:
        """What it keeps of one order."""
        return self.logs.setdefault(order_no, Log())

    def order_at(self, point: str) -> str:
        """How this side calls the work at a point: by its own order, else by the ERP's."""
        return self._own_at.get(point) or facts.order_no_at(point)

    def take(self, body: bytes) -> tuple[int, bytes]:
        """An interchange of the hub arrives: the status. What is to be said of it leaves as a message of its own."""
        try:
            came = read(body)
        except NobodyKnown:
            self.log("").trouble.append("no interchange")
            return 422, b""
        if known := self._taken.get(came.number):
            return self._again(came, body, known)
        if fault := self._fault(came):
            self._taken[came.number] = Taken(body)
            self._trouble(came, "", f"CONTRL {fault.code} {fault.tag}")
            if _may_be_refused(came, fault):
                self._refuse(came, fault)
            return 202, b""
        vorgaenge = [item for item in items(came) if item.message.type not in ACKNOWLEDGEMENTS]
        actions = [self._action(item) for item in vorgaenge]
        if broken := next((each.code for each in actions if each.verb == "http"), ""):
            self._note("in", "http", came.number, "", broken)
            return int(broken), b""
        self._taken[came.number] = Taken(body)
        for message in came.messages:
            if message.type in ACKNOWLEDGEMENTS:
                self._acknowledged(message, came)
        self._judge(came, list(zip(vorgaenge, actions, strict=True)))
        return 202, b""

    def _again(self, came: Interchange, body: bytes, known: Taken) -> tuple[int, bytes]:
        """A copy is answered as the first was; another one under the same number is refused."""
        if known.body != body:
            self._trouble(came, "", "26 the number was used before")
            self._refuse(came, Fault("26", tag="UNB"))
            return 202, b""
        for order in {self.order_at(item.point) for item in items(came)}:
            self.log(order).copies += 1
        self._note("in", "copy", came.number, "")
        for letter in known.letters:
            if letter.content:
                self._post(timedelta(), letter.again())
        return 202, b""

    def _fault(self, came: Interchange) -> Fault | None:
        if came.fault:
            return came.fault
        if came.receiver != self.pen.code:
            return Fault("7", tag="UNB")
        wrong = next((each for each in came.messages if version_fault(each, came)), None)
        return Fault("14", wrong.number, "UNH") if wrong else None

    def _action(self, item: Item) -> Action:
        """What the script wants; what cannot be read, and answers to this side's orders, never ask it."""
        if item.pid in ANSWERS or faults(item, self.role):
            return Action("accept")
        return next_action(self.scripts, self.order_at(item.point), (item.name, item.pid))

    def _judge(self, came: Interchange, found: Sequence[tuple[Item, Action]]) -> None:
        """Say something about every Vorgang; one that is to be no interchange at all takes the others with it."""
        said: list[Said] = []
        refused = next((action for _, action in found if action.verb == "refuse_syntax"), None)
        for item, action in found:
            order = self._order_of(item)
            self._note("in", f"{item.message.type} {item.pid}", came.number, order, action.verb)
            if wrong := faults(item, self.role):
                self._trouble(came, order, *wrong)
                said.append(Said.receipt(item, action, [Refusal(each.partition(" ")[0]) for each in wrong]))
                continue
            here = list(answers(item, action, self.role))
            said += here
            settles = not refused and action.verb not in SETTLES_NOTHING
            self._heard(item, action, order, is_answered=settles and any(each.accepted is not None for each in here))
        if refused:
            self._refuse(came, Fault(refused.code or "29", came.messages[0].number, "UNT"))
        else:
            self._answer(came, said)

    def _heard(self, item: Item, action: Action, order: str, *, is_answered: bool) -> None:
        """Log a Vorgang, and see whether it was its turn."""
        if item.pid in ANSWERS:
            verdict, code, quoted = ANSWERS[item.pid]
            segment = item.first(code)
            self.log(order).answers.append((verdict, segment.at(2) if segment.tag == "AJT" else segment.at(4)))
            if order not in self._own:
                self._trouble(item.came, order, f"{quoted}{order} was never ordered")
            return
        self.log(order).documents.append(item.name)
        words = [word for part in ACTIONS[action.verb] for word in part]
        if not words or words[-1] not in REFUSED:
            self.effects[item.fact()] += 1
        self._trouble(item.came, order, *self.watch.came(item, is_answered=is_answered))

    def _order_of(self, item: Item) -> str:
        """The order that a Vorgang is about: the one that an answer quotes, else the one at its point."""
        quoted = ANSWERS.get(item.pid)
        return item.first(quoted[2]).at(2, 2) if quoted else self.order_at(item.point)

    def _acknowledged(self, message: Message, came: Interchange) -> None:
        """A receipt of the hub; there is none for receipts, and none for what was never sent."""
        said = receipt(message)
        type_, order = self._sent.get(said.quoted, ("", ""))
        self._note("in", said.what, came.number, order, " ".join(said.errors))
        if not type_:
            self._trouble(came, order, f"{said.what} quotes {said.quoted or 'nothing'}, which was never sent")
        elif type_ == "CONTRL" or (type_ == "APERAK" and message.type == "APERAK"):
            self._trouble(came, order, f"{said.what} answers an acknowledgement")
        else:
            self.log(order).answers.append(("rejected", said.errors[0]) if said.errors else ("received", "312"))

    def _answer(self, came: Interchange, said: Sequence[Said]) -> None:
        """Bundle the receipts that leave together; every other message leaves alone."""
        bundles: dict[object, list[Said]] = {}
        for each in said:
            apart = each.action if each.action.verb in APART else None
            key: object = (each.after, apart) if each.type == "APERAK" else id(each)
            bundles.setdefault(key, []).append(each)
        for bundle in bundles.values():
            action, first = bundle[0].action, self._letter(bundle)
            self._taken[came.number].letters.append(first)
            self._post(bundle[0].after, first)
            for _ in range(action.copies):
                self._post(bundle[0].after, first.again())
            if action.verb == "answer_twice":
                self._post(bundle[0].after + action.after, first.again())
            elif action.verb == "answer_other_body":
                self._post(bundle[0].after + action.after, self._other(first, bundle))

    def _letter(self, said: Sequence[Said], number: str = "") -> Letter:
        first = said[0]
        party = self._speaker(first.action)

        def write() -> bytes:
            bodies = [each.write(party.pen, _quoted(each)) for each in said]
            content = party.interchange(first.type, bodies, self._order_of(first.item), number)
            return spoilt(first.action.code, content) if first.action.verb == "garbage" else content

        receipts = [(each.item, each.accepted) for each in said if each.accepted is not None]
        return Letter(write, party.partner, receipts if first.action.verb not in SETTLES_NOTHING else ())

    def _other(self, first: Letter, said: Sequence[Said]) -> Letter:
        """The number of an interchange that has left, and a refusal in it."""
        refusals = [Said.receipt(each.item, each.action, [Refusal("Z14", "another answer")]) for each in said]
        return Letter(lambda: self._letter(refusals, read(first.content).number).write(), self.partner)

    def _speaker(self, action: Action) -> "EdifactParty":
        """This one, unless the script has another one speak."""
        if action.verb != "other_partner_answers":
            return self
        return self.peers[action.code] if action.code else next(iter(self.peers.values()))

    def interchange(self, type_: str, bodies: Sequence[Body], order: str = "", number: str = "") -> bytes:
        """An interchange of this partner that leaves now."""
        number = number or self.pen.number("")
        self._sent[number] = (type_, order)
        self._note("out", type_, number, order, " ".join(each[0].at(2) for each in bodies))
        return self.pen.interchange(type_, bodies, number)

    def _refuse(self, came: Interchange, fault: Fault) -> None:
        def write() -> bytes:
            return self.interchange("CONTRL", [self.pen.contrl(came, fault.code, fault.message, fault.tag)])

        letter = Letter(write, self.partner)
        self._taken[came.number].letters.append(letter)
        self._post(timedelta(), letter)

    def order(self, order: OrderFacts, order_no: str, **said: Any) -> bytes:
        """17011 for a day, or with `offer` within a window of 60 days from then on; other words have no place here."""
        on = said.get("fixed_on") or _day_of_work((local(self.clock.now()) + NOTICE).date())
        self.begins(order_no, order.metering_point)
        if offer := said.get("offer"):
            body = self.pen.order_of_offer(order, order_no, (on, on + timedelta(days=60)), offer)
        else:
            body = self.pen.order(order, order_no, on)
        return self.interchange("ORDERS", [body], order_no)

    def removal(self, order: OrderFacts, order_no: str, at: datetime, *, all_devices: bool = False) -> bytes:
        """17009: this one is the new operator, the hub the old one."""
        self.begins(order_no, order.metering_point)
        body = self.pen.removal(order, order_no, at, all_devices=all_devices)
        return self.interchange("ORDERS", [body], order_no)

    def fault(self, order: OrderFacts, order_no: str, text: str) -> bytes:
        """23001."""
        self.begins(order_no, order.metering_point)
        return self.interchange("INSRPT", [self.pen.fault(order, order_no, text)], order_no)

    def cancellation(self, order_no: str, version: int = 2, *, pid: str = "21013", named: bool = True) -> bytes:
        """The change failed for which it was ordered; the market knows no versions. `named`: it quotes the order."""
        del version
        body = self.pen.failed_change(self._own[order_no], order_no if named else "", pid)
        return self.interchange("IFTSTA", [body], order_no)

    def begins(self, order_no: str, point: str) -> None:
        """This partner has an order of its own at the point."""
        self._own[order_no], self._own_at[point] = point, order_no
        self.watch.ordered(point)

    def send_later(self, after: timedelta, message: bytes) -> None:
        """Have a message leave by itself."""
        self._post(after, Letter(lambda: message, self.partner))

    def _post(self, after: timedelta, letter: Letter) -> None:
        self.count += 1
        heappush(self.later, (self.clock.now() + after, self.count, letter))

    def next_due(self) -> datetime | None:
        """When the next message leaves by itself."""
        return self.later[0][0] if self.later else None

    async def act(self, send: Send) -> bool:
        """Send what is due."""
        did = False
        while self.later and self.later[0][0] <= self.clock.now():
            letter = heappop(self.later)[2]
            letter.content = letter.write()
            for item, accepted in letter.receipts:  # before it leaves: what it permits may come at once
                self.watch.answered(item, accepted=accepted)
            await send(letter.partner, letter.content)
            did = True
        return did

    def _note(self, way: str, what: str, number: str, order: str, said: str = "") -> None:
        self.journal.append(Entry(self.clock.now(), way, what, number, order, said))

    def _trouble(self, came: Interchange, order: str, *found: str) -> None:
        for each in found:
            self.log(order).trouble.append(each)
            self._note("trouble", each, came.number, order)


def _day_of_work(day: date) -> date:
    """The first Tuesday: a day on which somebody works."""
    return day + timedelta(days=(TUESDAY - day.weekday()) % 7)


def _may_be_refused(came: Interchange, fault: Fault) -> bool:
    """Nobody answers a CONTRL, and of an APERAK only its syntax is refused."""
    types = {message.type for message in came.messages}
    return "CONTRL" not in types and not ("APERAK" in types and fault.code == "14")


def _quoted(said: Said) -> Quoted:
    quoted = Quoted.of(said.item)
    match said.action.verb:
        case "wrong_reference":
            return quoted.wrong()
        case "no_correlation":
            return quoted.none()
    return quoted
