"""Documents leave as interchanges of the market: what they are written from, and how they are found again."""

from dataclasses import replace
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from kit.store import Unit
from services.mdm_adapter import answering
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.market_sending import (
    Asked,
    CodeRefused,
    Facts,
    MarketSending,
    MissingFact,
    Numbers,
    needed,
)
from services.mdm_adapter.dialects.edifact_fv.meter_values import read_devices
from services.mdm_adapter.dialects.edifact_fv.writing import Unencodable
from services.mdm_adapter.dialects.items import Reference
from services.mdm_adapter.documents.answer import Answer, AnswerFacts
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import DocumentKind, Role
from services.mdm_adapter.documents.values import Customer, DeviceFact, Location
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.domain.calendar import end_of_day, end_of_wait, local_day
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Row
from services.mdm_adapter.domain.messages import InboundMessage, KnownMessage, OutboundMessage
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.domain.points import MasterData
from services.mdm_adapter.domain.reports import Report
from services.mdm_adapter.fact_edits import with_edits
from services.mdm_adapter.filling import master_data_of
from services.mdm_adapter.partners.profile import Profile

FAULT_MENDED_WITHIN = 7
"""Werktage that a fault may take where nobody has named a day (edifact page, 4: M-DL-10, conventional meters)."""


def key_of(reference: Reference) -> str:
    """The key under which a document of ours is found again by a number that is quoted."""
    return f"{reference.kind}:{reference.number}"


def envelope(unit: Unit, parties: tuple[str, str], message: OutboundMessage, count: int = 1) -> MarketSending:
    """Sender and receiver, and fresh numbers for so many messages of one interchange.

    Only the interchange counts (edifact page, 1.3): all other numbers are those of our message, which is unique.
    """
    sender, receiver = parties
    own = message.id.hex.upper()
    documents = (own,) if count == 1 else tuple(f"{own}{index:03d}" for index in range(1, count + 1))
    return MarketSending(
        sender=sender,
        receiver=receiver,
        at=unit.now,
        numbers=Numbers(
            interchange=f"HUB{answering.head_of(unit).number(unit.now):011d}",
            messages=tuple(f"M{index:04d}" for index in range(1, count + 1)),
            documents=documents,
            transaction=own,
        ),
    )


def written(
    unit: Unit,
    desk: Desk,
    profile: Profile,
    dossier: Dossier,
    row: Row,
    order: Order,
    document: Report,
    message: OutboundMessage,
) -> tuple[bytes, tuple[str, ...]]:
    """The interchange of a document, and the numbers of its messages. Raises MissingFact and CodeRefused."""
    on = local_day(unit.now)
    known = master_data_of(unit, dossier.metering_point_id or "", on)
    facts = with_edits(_facts(desk, profile, dossier, row, order, document, known), row.edits)
    count = 1
    if row.document == DocumentKind.METER_READINGS and isinstance(document, DeviceExchangeCompleted):
        count = len(read_devices(document))
    elif row.document == DocumentKind.READINGS_WITHDRAWN:
        count = len(facts.withdrawn)
    parties = (needed(desk.market_id, "market_id"), needed(profile.market_id(on), f"partner.{profile.id}.market_id"))
    sending = envelope(unit, parties, message, max(count, 1))
    numbers = replace(sending.numbers, configurations=_configurations(document))
    ordering = desk.partners.find(order.partner)
    sending = replace(
        sending,
        numbers=numbers,
        role=_role(row, profile),
        ordered=ordering is not None and ordering.contract == "market",
        facts=facts,
    )
    return _encoded(row, document, sending), numbers.documents


def _encoded(row: Row, document: Report, sending: MarketSending) -> bytes:
    if isinstance(document, DeviceExchangeCompleted):
        if row.document == DocumentKind.METER_READINGS:
            return edifact.encode_readings(document, sending)
        if row.document == DocumentKind.READINGS_WITHDRAWN:
            return edifact.encode_withdrawal(document, sending)
    return edifact.encode(document, sending)


def _role(row: Row, profile: Profile) -> Role:
    """What the recipient is to the point; whoever ordered is told in its role of the market."""
    if row.role is not Role.ORDERING:
        return row.role
    return {"LF": Role.LF, "WMSB": Role.WMSB, "MSB": Role.MSB_OLD}.get(profile.role, Role.NB)


def _facts(
    desk: Desk, profile: Profile, dossier: Dossier, row: Row, order: Order, document: Report, known: MasterData
) -> Facts:
    """What is known beside the document: from the order, else of the point, else agreed; and from the visits."""
    ordering = desk.partners.find(order.partner)
    content = order.content
    if content is not None:
        content = content.filled(known.content())
        content = content.filled(ordering.defaults.content()) if ordering else content
    planned = ordering.defaults.device_types if ordering else {}
    devices = dict[str, DeviceFact]()
    if isinstance(document, DeviceExchangeCompleted):
        reported = {serial: fact for visit in dossier.visits for serial, fact in visit.devices.items()}
        for device in document.installed:
            fact = reported.get(device.serial, DeviceFact())
            type_ = fact.device_type or planned.get(device.role)
            devices[device.serial] = fact.model_copy(update={"device_type": type_})
    return Facts(
        voltage=known.voltage or (content.voltage if content else None),
        customer_class=content.customer_class if content else None,
        customer=content.customer if content else None,
        location=content.location if content else None,
        devices=devices,
        device_types=desk.device_types.now,
        malo=known.market_location,
        price_key=profile.defaults.price_key,
        failure_text=_words(document),
        withdrawn=tuple(number for each in dossier.readings_sent(row.recipient) for number in each.numbers),
    )


def _words(document: Report) -> str | None:
    """What happened, for a code that says nothing: in the words of whoever reported it, else of its reason."""
    if not isinstance(document, WorkNotCompleted):
        return None
    return document.text or (document.sub_reason or document.reason).replace("_", " ").lower()


def _configurations(document: Report) -> dict[tuple[str, str], str]:
    """RFF+AGK: one per point, gateway and register, the same in every document about them."""
    if not isinstance(document, DeviceExchangeCompleted):
        return {}
    point, serials = document.metering_point.id, [device.serial for device in document.installed]
    registers = {reading.obis for device in document.installed for reading in device.readings}
    pairs = ((serial, obis) for serial in serials for obis in sorted(registers))
    return {pair: uuid5(NAMESPACE_OID, f"{point}|{pair[0]}|{pair[1]}").hex.upper() for pair in pairs}


def send_order_answer(
    unit: Unit, desk: Desk, profile: Profile, message: InboundMessage, answer: Answer, asked: Asked | None
) -> str | None:
    """Answer an order of the market (ORDRSP, INSRPT); returns what is missing for it, None once it has left."""
    out = answering.outbound(unit, profile, answering.ANSWER, edifact.NAME)
    out.answers_to = message.id
    parties = (desk.market_id or "", profile.market_id(local_day(unit.now)) or "")
    ends = end_of_day(answer.fixed_on) if answer.fixed_on else end_of_wait(unit.now, FAULT_MENDED_WITHIN)
    try:
        needed(all(parties) or None, "market_id")
        sending = replace(envelope(unit, parties, out), asked=asked, facts=_facts_of(answer, ends))
        content = edifact.encode(answer, sending)
    except (MissingFact, CodeRefused, Unencodable) as error:
        return str(error)
    if faults := edifact.own_faults(content, unit.now):
        return faults[0]
    for reference in edifact.keys_of(content):  # its receipt finds what it is about
        name = answered_by(profile.id, key_of(reference))
        unit.add(KnownMessage(name=name, message_id=out.id, sha256=""))
    answering.post(unit, desk, profile, out, content, lane=str(message.id))
    return None


def _facts_of(answer: Answer, ends: datetime) -> Facts:
    said = answer.facts or AnswerFacts()
    to = said.return_to
    return Facts(
        work_ends_at=ends,
        price_sheet=said.price_sheet,
        return_to=(Customer(name=to.name), Location(**to.model_dump(exclude={"name"}))) if to else None,
        right_partner=said.right_partner,
    )


def answered_by(partner: str, key: str) -> str:
    """The name of an answer of ours, by a number that its receipt quotes."""
    return f"answer|{partner}|{key}"
