"""The order contract in XML, as an ordering ERP writes it: orders, withdrawals, answers to documents."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lxml import etree
from lxml.builder import ElementMaker  # type: ignore[import-not-found]

from kit.clock import Clock
from simulators import facts
from simulators.facts import OrderFacts
from simulators.garbage import spoilt
from simulators.partner import Action, Unspeakable
from simulators.story import Story

M_NS, S_NS = "http://iec.ch/TC57/2011/schema/message", "http://iec.ch/TC57/2011/ServiceOrders#"
M = ElementMaker(namespace=M_NS, nsmap={"m": M_NS})
S = ElementMaker(namespace=S_NS, nsmap={"s": S_NS})
ACCEPTED, RECEIVED, TEXT = "0.0", "0.3", "as scripted"
CODES = {
    **dict.fromkeys(("yes", "same", "answer", "accepted"), ACCEPTED),
    "received": RECEIVED,
    "other body": "5.3",
    **dict.fromkeys(("no", "unreadable", "syntax", "part"), ""),
}
"""Words of scripts; those without a code have that of the action."""
FIRST = frozenset({"yes", "same", "other body"})
"""Words that come under one id."""
UNNAMED = "no_id"
"""Instead of a list: the error does not name the order."""


class Cim:
    """Writes messages; the same words about the same thing have the same id."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def id(self, about: str) -> str:
        """The id of a message about this."""
        return str(uuid5(NAMESPACE_URL, about))

    def _header(
        self, verb: str, about: str, correlation: str | None = None, source: str = facts.PARTNER, **properties: str
    ) -> Any:
        message = self.id(about)
        correlated = [M.CorrelationID(message if correlation is None else correlation)] if correlation != "" else []
        named = [M.Property(M.Name(name), M.Value(value)) for name, value in properties.items()]
        return M.Header(
            M.Verb(verb),
            M.Noun("ServiceOrders"),
            M.Revision("1.0"),
            M.Timestamp(f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}"),
            M.Source(source),
            M.MessageID(message),
            *correlated,
            *named,
        )

    def ordered(self, order: OrderFacts, story: Story, verb: str, version: int) -> bytes:
        """An order, or all of it anew."""
        address = S.mainAddress(
            S.streetDetail(S.number(order.house_number), S.name(order.street)),
            S.townDetail(S.code("00000001"), S.name("Auental"), S.country("DE")),
            S.postalCode(order.postcode),
        )
        work = S.Work(
            S.kind("meter"),
            S.Customers(S.name(order.name), S.phone(S.ituPhone(phone_of(story)))),
            S.WorkLocation(address),
            S.WorkTask(
                S.taskKind("exchange"),
                S.OldAsset(S.serialNumber(order.old_serial)),
                S.UsagePoint(S.mRID(order.metering_point), S.Names(S.name("MeLo"), S.NameType(S.name("MeLo")))),
            ),
        )
        service = S.ServiceOrder(S.mRID(order.order_no), S.revisionNumber(str(version)), S.priority("3"), work)
        parties = {f"party.{role}": facts.MARKET_CODES[role] for role in story.parties}
        market = {"voltage": "E06", "customer_class": "person", "malo": order.malo} if parties else {}
        said = {"plan": story.plan, "sms_allowed": "true", "language": "de", **parties, **market, **story.extra}
        header = self._header(verb, f"{verb}/{order.order_no}/{version}", **said)
        return _text(M.RequestMessage(header, M.Payload(S.ServiceOrders(service))))

    def cancellation(self, order: OrderFacts, version: int) -> bytes:
        """The order is withdrawn."""
        reason = S.statusReason("moved")
        service = S.ServiceOrder(S.mRID(order.order_no), S.revisionNumber(str(version)), reason)
        header = self._header("cancel", f"cancel/{order.order_no}/{version}")
        return _text(M.RequestMessage(header, M.Payload(S.ServiceOrders(service))))

    def response(
        self, message: str, order: str, source: str, code: str, about: str = "", result: str = "", text: str = ""
    ) -> bytes:
        """The answer to a document; without `message` or `order` it names none."""
        identity = [M.ID(order, idType="serviceOrder", kind="name")] if order else []
        is_good = code in {ACCEPTED, RECEIVED}
        result = result or ("OK" if is_good else "FAILED")
        error = M.Error(M.code(code), M.level("INFORM" if is_good else "FATAL"), M.reason(text or TEXT), *identity)
        header = self._header("reply", f"reply/{about or message}", message, source)
        return _text(M.ResponseMessage(header, M.Reply(M.Result(result), error)))

    def said(self, word: str, action: Action, message: str, order: str) -> bytes:
        """A word of a script about a document. Raises Unspeakable where this contract has none for it."""
        if word not in CODES:
            raise Unspeakable(f"an ERP cannot say {word}")
        code, result = action.code or "2.4", "PARTIAL" if word == "part" else ""
        quoted = {"wrong_reference": (self.id(f"not {message}"), "X-0"), "no_correlation": ("", "")}
        correlation, named = quoted.get(action.verb, (message, "" if action.list == UNNAMED else order))
        about = message if word in FIRST else f"{message}/{word}"
        source = facts.FILE_PARTNER if action.verb == "other_partner_answers" else facts.PARTNER
        content = self.response(correlation, named, source, CODES[word] or code, about, result, action.text)
        return spoilt(action.code, content) if action.verb == "garbage" else content


def phone_of(story: Story) -> str:
    """The number that the partner knows of the customer."""
    order = OrderFacts(story.number)
    return order.phone if story.mobile else order.home_phone


def _text(root: Any) -> bytes:
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return text
