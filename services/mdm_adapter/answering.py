"""Messages of ours leave: archived in the transaction that decides on them, sent by the effects worker."""

from contracts.codes import Level
from kit.store import Unit
from services.mdm_adapter.desk import RESULT, TRANSPORTS, Desk
from services.mdm_adapter.dialects import writing
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.domain.messages import CHAIN, ArchiveHead, InboundMessage, OutboundMessage, archive, digest
from services.mdm_adapter.metrics import MESSAGES
from services.mdm_adapter.partners.profile import Profile

ANSWER = "answer"
TEXT = 1000
"""Characters of our own words in an answer."""


def head_of(unit: Unit) -> ArchiveHead:
    """The end of the archive's chain; the first message of all begins it."""
    head = unit.find(ArchiveHead, CHAIN)
    if head is None:
        head = ArchiveHead()
        unit.add(head)
    return head


def post(
    unit: Unit,
    desk: Desk,
    profile: Profile,
    message: OutboundMessage,
    content: bytes,
    lane: str,
) -> bool:
    """Archive a message and have it sent; False where the partner has no address. One lane keeps its order."""
    kind = desk.way_out(profile)
    if kind is None:
        unit.anomaly("no_recipient", f"partner/{profile.id}", document=message.document)
        return False
    message.transport, message.sha256 = TRANSPORTS[kind], digest(content)
    unit.add(archive(head_of(unit), message.id, "out", profile.id, unit.now, content))
    unit.add(message)
    payload = {"message_id": str(message.id), "partner": profile.id, "case_id": str(message.case_id or "")}
    unit.effect(kind, str(message.id), payload, lane=f"{profile.id}/{lane}")
    MESSAGES.labels(profile.id, message.document, "out", "told").inc()
    return True


def outbound(
    unit: Unit, profile: Profile, document: str, dialect: str, correlation_id: str | None = None
) -> OutboundMessage:
    """A message that is about to be written."""
    return OutboundMessage(
        id=unit.new_id(),
        partner=profile.id,
        document=document,
        dialect=dialect,
        transport="",
        created_at=unit.now,
        sha256="",
        correlation_id=correlation_id,
    )


def sending(unit: Unit, desk: Desk, profile: Profile, message: OutboundMessage) -> Sending:
    """The envelope of a message; what answers nothing is its own correlation. Days are those of the receiver's zone."""
    message_id = str(message.id)
    return Sending(message_id, message.correlation_id or message_id, desk.source, unit.now, profile.zone)


def answer(unit: Unit, desk: Desk, profile: Profile, message: InboundMessage, given: Answer) -> None:
    """Answer a message: kept for its copies, and sent where its dialect has answers."""
    message.answered(given, unit.now)
    send_answer(unit, desk, profile, message, given)


def send_answer(unit: Unit, desk: Desk, profile: Profile, message: InboundMessage, given: Answer) -> None:
    """Send an answer with an envelope of its own; a file of rows is answered by its result file only."""
    dialect = message.dialect
    if dialect is None or not writing.answers(dialect):
        return
    out = outbound(unit, profile, ANSWER, dialect, message.correlation_id or str(message.id))
    out.answers_to = message.id
    post(
        unit,
        desk,
        profile,
        out,
        writing.encode(dialect, given, sending(unit, desk, profile, out)),
        lane=f"{message.id}",
    )


def write_result(unit: Unit, message: InboundMessage) -> None:
    """A file is answered by a file beside it, once per time that it was worked on."""
    if message.transport == "file_drop" and message.transport_key:
        payload = {"message_id": str(message.id), "partner": message.partner, "name": message.transport_key}
        unit.effect(RESULT, f"{message.id}:{message.version}", payload)


def refused(order_no: str, findings: list[Finding]) -> ItemAnswer:
    """The answer to an item that is not taken: every finding, with its code and place."""
    reasons = tuple(
        Reason(
            code=found.code,
            text=f"{found.position}: {found.detail}"[:TEXT],
            field=found.position[:200] if found.position.startswith("/") else None,
        )
        for found in findings[:20]
    )
    return ItemAnswer(item=order_no, state=ItemState.REFUSED, reasons=reasons)


def refused_whole(orders: tuple[str, ...], findings: list[Finding]) -> Answer:
    """The answer to a message that is refused as a whole: every order that it names, or none."""
    return Answer(items=tuple(refused(order_no, findings) for order_no in orders or ("",)))


def all_in(state: ItemState, orders: tuple[str, ...], level: Level = Level.BUSINESS) -> Answer:
    """One answer for all orders of a message."""
    return Answer(items=tuple(ItemAnswer(item=order_no, state=state) for order_no in orders), level=level)
