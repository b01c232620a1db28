"""Every message that a market party writes, with numbers of its own; segments as the market's skeletons have them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from kit.clock import Clock
from simulators.edifact.calendar import identifier, in_utc, local, midnight, stamp
from simulators.edifact.documents import Item
from simulators.edifact.syntax import Interchange, Segment, seg, written
from simulators.facts import ELSEWHERE, OrderFacts

Body = list[Segment]
"""What stands between UNH and UNT."""
AGENCIES = {"99": ("500", "293"), "98": ("502", "332")}
"""First digits of a market partner -> DE0007 of UNB and DE3055 of NAD; every other one is a number of GS1."""
GS1 = ("14", "9")
QUOTES_SEGMENT = frozenset({"Z21", "Z29", "Z35", "Z38", "Z39", "Z40", "Z41"})
BEHIND_ERROR = "2.1i"
"""The version of APERAK whose refusals quote behind the error."""
PRODUCT = "9991000002082"
FIELDS = {
    "voltage": ("Z18", "E04", ""),
    "tariffs": ("Z03", "E13", ""),
    "direction": ("Z03", "E13", ""),
    "serial": ("Z03", "E13", "Z30"),
    "remote_switch": ("Z03", "E13", "Z58"),
    "mounting": ("Z03", "Z28", ""),
    "granularity": ("Z20", "ZE4", ""),
    "bearer": ("Z05", "Z26", ""),
}
"""What a receiver of master data may see otherwise: group, characteristic, and the code before a number."""


def agencies(code: str) -> tuple[str, str]:
    """DE0007 and DE3055 of a market partner."""
    return AGENCIES.get(code[:2], GS1)


@dataclass(frozen=True)
class Quoted:
    """What an answer quotes of a message: numbers of its interchange, document and Vorgang. Empty ones are left out."""

    interchange: str
    sent: datetime
    document: str
    transaction: str = ""

    @classmethod
    def of(cls, item: Item) -> "Quoted":
        """What is quoted of a Vorgang as it came."""
        return cls(item.came.number, item.came.sent, item.document, item.number)

    def wrong(self) -> "Quoted":
        """Numbers that nobody ever gave."""
        return replace(self, interchange="X0", document="X-0", transaction="X-0" if self.transaction else "")

    def none(self) -> "Quoted":
        """Nothing is quoted."""
        return replace(self, interchange="", document="", transaction="")


@dataclass(frozen=True)
class Refusal:
    """An error of an APERAK."""

    code: str
    text: str = ""
    segment: Segment | None = None
    """As it was received."""


class Pen:
    """Writes in the name of one market partner to the hub."""

    def __init__(self, clock: Clock, code: str, hub: str, prefix: str) -> None:
        self.clock, self.code, self.hub, self.prefix = clock, code, hub, prefix
        self._count = 0

    def number(self, kind: str) -> str:
        """A number that this partner never gave before."""
        self._count += 1
        return f"{self.prefix}-{kind}-{self._count:06}" if kind else f"{self.prefix}{self._count:010}"

    def version(self, type_: str) -> tuple[str, ...]:
        """S009 of a message that leaves now. Raises LookupError where the market has none yet."""
        found = identifier(type_, local(self.clock.now()).date())
        if found is None:
            raise LookupError(f"no version of {type_} is valid at {self.clock.now()}")
        return found

    def interchange(self, type_: str, bodies: Sequence[Body], number: str) -> bytes:
        """One interchange that leaves now."""
        sent = local(self.clock.now())
        parties = [(code, agencies(code)[0]) for code in (self.code, self.hub)]
        segments = [seg("UNB", ("UNOC", "3"), *parties, (f"{sent:%y%m%d}", f"{sent:%H%M}"), number)]
        for index, body in enumerate(bodies, 1):
            whole = [seg("UNH", str(index), self.version(type_)), *body]
            segments += [*whole, seg("UNT", str(len(whole) + 1), str(index))]
        return written([*segments, seg("UNZ", str(len(bodies)), number)])

    def aperak(self, quoted: Quoted, refusals: Sequence[Refusal] = ()) -> Body:
        """312, or 313 with its errors."""
        behind = self.version("APERAK")[-1] == BEHIND_ERROR and bool(refusals)
        numbers = [("AGO", quoted.document), ("TN", quoted.transaction)]
        references = [seg("RFF", (kind, number)) for kind, number in numbers if number]
        body = self._begin("313" if refusals else "312")
        if quoted.interchange:
            body += [seg("RFF", ("ACE", quoted.interchange)), _at("171", in_utc(quoted.sent))]
        body += [*([] if behind else references), *self._parties()]
        for index, refusal in enumerate(refusals):
            body += _error(refusal, references, all_references=behind and not index)
        return body

    def contrl(self, came: Interchange, code: str, message: str = "", tag: str = "") -> Body:
        """The refusal of a whole interchange; `message` is the one in which the fault is."""
        sender, receiver = came.head.elements[1:3]
        about = next((each for each in came.messages if each.number == message), None) if message else None
        if about is None:
            return [seg("UCI", came.number, sender, receiver, "4", code, tag)]
        uci = seg("UCI", came.number, sender, receiver, "4")
        return [uci, seg("UCM", about.number, about.identifier, "4", code, tag)]

    def agreement(self, item: Item, quoted: Quoted, pid: str, code: str, list_: str = "E_0233") -> Body:
        """21030 agrees to an announcement, 21031 objects."""
        status = "Z30" if pid == "21030" else "Z31"
        body = [*self._begin("Z09"), *self._parties("MR"), seg("CNI", "1"), seg("LOC", "172", item.point)]
        body += [seg("STS", "Z19", status, (code, list_)), seg("RFF", ("Z13", pid))]
        numbers = [("ACW", quoted.document), ("ADY", quoted.transaction)]
        body += [seg("RFF", (kind, number)) for kind, number in numbers if number]
        return [*body, seg("DTM", ("76", item.time("76"), "102"))] if pid == "21030" else body

    def failed_change(self, point: str, order: str, pid: str = "21013") -> Body:
        """21011, 21013: the change of operator failed, what was ordered for it is not wanted any more.

        Without an order it names the point alone.
        """
        body = [*self._begin("Z09"), *self._parties("MR"), seg("CNI", "1"), seg("LOC", "172", point)]
        body += [seg("STS", "Z10", "Z13", "E17"), seg("RFF", ("Z13", pid))]
        body += [seg("RFF", ("ACW", order))] if order else []
        return [*body, seg("RFF", ("ADY", "1"))] if order and pid == "21011" else body

    def order_answer(self, quoted: Quoted, pid: str, code: str, text: str = "") -> Body:
        """19015, 19016: the old operator answers 17009. ZB5 says where old devices go, Z07 who is responsible."""
        body = [*self._begin("Z13"), *([seg("RFF", ("ON", quoted.document))] if quoted.document else [])]
        body += [seg("RFF", ("Z13", pid)), seg("AJT", code, "S_0065" if pid == "19015" else "S_0066")]
        body += [seg("FTX", "AAP", "", "", text)] if text else []
        body += self._parties()
        if code == "ZB5":
            body.append(seg("NAD", "Z22", "", "", _name("Lager Auental GmbH", company=True), *_address(OrderFacts(1))))
        if code == "Z07":
            body.append(seg("NAD", "VY", (ELSEWHERE, "", agencies(ELSEWHERE)[1])))
        return [*body, seg("UNS", "S")]

    def feedback(self, item: Item, quoted: Quoted, pid: str, code: str, seen: tuple[str, str] | None = None) -> Body:
        """55648, 55658: master data are taken over (A01), seen otherwise (A02), or to be cleared (Z88)."""
        clears, list_ = code == "Z88", "E_0415" if pid == "55648" else "E_0412"
        body = [*self._begin("Z88" if clears else "E03"), *self._parties()]
        body += [seg("IDE", "24", self.number("V")), seg("STS", "7", "", "ZX7")]
        body += [] if clears else [seg("STS", "E01", "", (code, list_, "", "1"))]
        body += [seg("LOC", "Z17", item.point), seg("RFF", ("Z13", pid))]
        body += [seg("RFF", ("TN", quoted.transaction))] if quoted.transaction else []
        if seen is not None:
            block, characteristic, kind = FIELDS[seen[0]]
            value = seg("CAV", (kind, "", "", seen[1])) if kind else seg("CAV", seen[1])
            body += [seg("RFF", ("Z49", "", "1")), _day("Z25", item.day("Z25") or local(self.clock.now()).date())]
            body += [seg("SEQ", block, "1"), seg("CCI", "", "", characteristic), value]
        return body

    def order(self, order: OrderFacts, number: str, on: date) -> Body:
        """17011 with Z12: another technique on a day."""
        body = [*self._begin("Z12", number), _day("203", on), seg("RFF", ("Z13", "17011"))]
        body += [*self._parties(), *_place(order), *_contact("Z09", order)]
        return [*body, seg("LIN", "1", "Z19"), seg("PIA", "5", (PRODUCT, "Z11")), seg("UNS", "S")]

    def order_of_offer(self, order: OrderFacts, number: str, window: tuple[date, date], offer: str) -> Body:
        """17011 with Z93: the order of an offer, within a window."""
        body = [*self._begin("Z93", number), _day("469", window[0]), _day("472", window[1])]
        body += [seg("RFF", ("ACW", f"{offer}-P")), seg("RFF", ("AAG", offer)), seg("RFF", ("Z13", "17011"))]
        body += [*self._parties(), *_place(order), *_contact("Z09", order)]
        return [*body, seg("LIN", "1", "Z19"), seg("UNS", "S")]

    def removal(self, order: OrderFacts, number: str, at: datetime, *, all_devices: bool = False) -> Body:
        """17009: the new operator wants the old one's devices gone, all of them or the meter that is named."""
        body = [*self._begin("Z13", number), _at("203", at), seg("IMD", "", "Z58" if all_devices else "Z59")]
        body += [seg("RFF", ("Z13", "17009")), *self._parties(), *_place(order)]
        body += [seg("LIN", "1"), seg("CCI", "", "", "ZD4")]
        body += [] if all_devices else [seg("RFF", ("Z09", order.old_serial))]
        return [*body, seg("UNS", "S")]

    def fault(self, order: OrderFacts, number: str, text: str) -> Body:
        """23001: something does not work there; `number` is that of the Vorgang."""
        receiver, sender = self._parties("MR")
        body = [*self._begin("4"), receiver, sender, seg("DOC", "21", number), seg("RFF", ("Z13", "23001"))]
        body += [sender, seg("CTA", "IC", ("", "Leitstelle")), seg("COM", ("leitstelle@example.org", "EM"))]
        body += [*_contact("CC", order), seg("LIN", "1"), seg("STS", "Z06", "Z11"), seg("FTX", "ACD", "", "", text)]
        return [*body, *_place(order)]

    def _begin(self, name: str, number: str = "") -> Body:
        return [seg("BGM", name, number or self.number("D")), _at("137", self.clock.now())]

    def _parties(self, first: str = "MS") -> Body:
        both = [seg("NAD", role, (code, "", agencies(code)[1])) for role, code in (("MS", self.code), ("MR", self.hub))]
        return both if first == "MS" else both[::-1]


def _error(refusal: Refusal, references: Sequence[Segment], *, all_references: bool) -> Iterator[Segment]:
    yield seg("ERC", refusal.code)
    if refusal.text:
        yield seg("FTX", "ABO", "", "", refusal.text)
    quotes = refusal.code in QUOTES_SEGMENT
    if all_references:
        yield from references
    elif quotes:
        yield from references[-1:]
    if quotes and refusal.segment:
        name = "+".join(refusal.segment.text.split("+")[:2])
        yield seg("FTX", "Z02", "", "", (name, refusal.segment.written()))
    if refusal.code == "Z16":
        yield seg("RFF", ("Z08", ELSEWHERE))


def _at(qualifier: str, moment: datetime) -> Segment:
    return seg("DTM", (qualifier, stamp(moment), "303"))


def _day(qualifier: str, on: date) -> Segment:
    return _at(qualifier, midnight(on))


def _name(name: str, *, company: bool = False) -> tuple[str, ...]:
    """C080: a person by surname and first name, a company as it is called."""
    first, _, last = name.rpartition(" ")
    return (name, "", "", "", "", "Z02") if company else (last, first, "", "", "", "Z01")


def _address(order: OrderFacts) -> tuple[str | tuple[str, ...], ...]:
    return ((order.street, "", order.house_number), "Auental", "", order.postcode, "DE")


def _place(order: OrderFacts) -> Body:
    return [seg("NAD", "DP", "", "", "", *_address(order)), seg("LOC", "172", order.metering_point)]


def _contact(role: str, order: OrderFacts) -> Body:
    """Whom to reach at the point."""
    named = [seg("NAD", role, "", "", _name(order.name)), seg("CTA", "IC", ("", order.name))]
    return [*named, seg("COM", (order.phone, "TE"))]
