"""Orders as a role of the market writes them: what `decode` reads back, field for field."""

from collections.abc import Iterator

from contracts.codes import DeviceRole, OrderKind, Scheme
from services.mdm_adapter.dialects.edifact_fv import places
from services.mdm_adapter.dialects.edifact_fv.composing import begin, day, ftx, interchange, parties, rff, seg, window
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending, MissingFact, needed
from services.mdm_adapter.dialects.edifact_fv.received_orders import (
    FAULT_STATE,
    OFFER,
    OFFERED_PRICES,
    PRODUCT,
    SCHEMES,
    SCOPE,
    TEXT,
)
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.documents.values import Customer
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested

POSITIONS = {scheme: code for code, scheme in SCHEMES.items()}
ALL, SOME = "Z58", "Z59"
REPORTED = "Z11"


def encode_request(document: WorkOrderRequested, sending: MarketSending) -> bytes:
    """An order: change of technique, change of operator, or a fault. Other kinds have no message in this market."""
    match document.kind:
        case OrderKind.TECH_CHANGE:
            return interchange(sending, "ORDERS", [_technique(document, sending)])
        case OrderKind.REMOVE:
            return interchange(sending, "ORDERS", [_removal(document, sending)])
        case OrderKind.REPAIR:
            return interchange(sending, "INSRPT", [_fault(document, sending)])
        case _:
            raise MissingFact("kind")


def _technique(document: WorkOrderRequested, sending: MarketSending) -> list[Segment]:
    """17011: for a day, or within a window that was offered."""
    said = dict(document.properties)
    body: list[Segment]
    if offer := said.get(OFFER):
        body = [*begin(sending, "Z93"), *window(document.window_from, document.window_to), rff("Z13", "17011")]
        body += [rff("ACW", needed(said.get(OFFERED_PRICES), OFFERED_PRICES)), rff("AAG", offer)]
    else:
        body = [*begin(sending, "Z12"), day("203", needed(document.fixed_on, "fixed_on")), rff("Z13", "17011")]
    body += [*parties(sending), *_place(document), *_contact("Z09", document)]
    scheme = POSITIONS.get(document.metering_point.scheme, POSITIONS[Scheme.MELO])
    body.append(seg("LIN", "1", scheme))
    if said.get(PRODUCT) or not offer:
        body.append(seg("PIA", "5", (needed(said.get(PRODUCT), PRODUCT), "Z11")))
    return [*body, seg("UNS", "S")]


def _removal(document: WorkOrderRequested, sending: MarketSending) -> list[Segment]:
    """17009: all devices, or those that are named."""
    on = sending.at.astimezone(MARKET).date()
    kinds = {row["role"]: row["kind"] for row in rows_at("device_kinds.csv", on)}
    devices = document.old_devices or ()
    scope = dict(document.properties).get(SCOPE) or (SOME if devices else ALL)
    body = [*begin(sending, "Z13"), day("203", needed(document.fixed_on, "fixed_on")), seg("IMD", "", scope)]
    body += [rff("Z13", "17009"), *parties(sending), *_place(document), *_contact("Z09", document)]
    for number, device in enumerate(devices, 1):
        kind = needed(kinds.get(device.role), f"kind of {device.serial}")
        body += [seg("LIN", str(number)), seg("CCI", "", "", kind), rff("Z09", device.serial)]
    if not devices:
        body += [seg("LIN", "1"), seg("CCI", "", "", kinds[DeviceRole.METER])]
    return [*body, seg("UNS", "S")]


def _fault(document: WorkOrderRequested, sending: MarketSending) -> list[Segment]:
    """23001."""
    said = dict(document.properties)
    body = [*begin(sending, "4"), *parties(sending, "MR"), seg("DOC", "21", document.order_no), rff("Z13", "23001")]
    body += [*_contact("CC", document), seg("LIN", "1"), seg("STS", "Z06", said.get(FAULT_STATE, REPORTED))]
    if text := said.get(TEXT):
        body.append(ftx("ACB", text))
    return [*body, *_place(document)]


def _place(document: WorkOrderRequested) -> Iterator[Segment]:
    yield places.nad("DP", at=places.as_said(document.location))
    yield seg("LOC", "172", document.metering_point.id)


def _contact(role: str, document: WorkOrderRequested) -> Iterator[Segment]:
    """Whom to reach, by name, phone and mail."""
    customer = document.customer or Customer()
    if not (customer.name or customer.phone or customer.email):
        return
    called = places.name(customer, document.customer_class) if document.customer_class else (customer.name or "",)
    yield places.nad(role, called)
    yield from places.contact(customer)
