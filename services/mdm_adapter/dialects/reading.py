"""Which dialect a message is in, by its bytes, and what it says in it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.cim_xml import messages as cim_xml
from services.mdm_adapter.dialects.cim_xml.replies import names_own, read_answer
from services.mdm_adapter.dialects.csv import files as csv
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Kind
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.packing import unpacked
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState
from services.mdm_adapter.partners.profile import Profile

PACKED = "gzip"
"""What stands for the dialect of a message that could not be unpacked."""


def dialect_of(data: bytes, profile: Profile | None) -> str:
    """The dialect that bytes look like; what looks like nothing is a file of rows where those are agreed."""
    if json_ce.is_json(data):
        return json_ce.NAME
    if edifact.is_edifact(data):
        return edifact.NAME
    only_market = profile is not None and profile.speaks(edifact.NAME, None) and not profile.speaks(cim_xml.NAME, None)
    if cim_xml.is_xml(data) and not only_market:
        return cim_xml.NAME
    if profile is None or profile.speaks(csv.NAME, None):
        return csv.NAME
    return edifact.NAME if profile.speaks(edifact.NAME, None) else cim_xml.NAME


def decode(data: bytes, profile: Profile, now: datetime, own: Collection[str] | None = None) -> Decoded:
    """Read a message of a partner, in the dialect that its bytes show; `own` are our codes in the market. Pure."""
    data, refused = unpacked(data, profile.limits.message_bytes)
    if refused is not None:
        return Decoded(PACKED, Kind.OTHER, findings=[refused])
    dialect = dialect_of(data, profile)
    if not profile.speaks(dialect, now.astimezone(profile.zone).date()):
        findings = [Finding("1.9", "/", f"{dialect} is not agreed with this partner", rule="DIALECT")]
        return Decoded(dialect, Kind.OTHER, findings=findings)
    match dialect:
        case json_ce.NAME:
            return json_ce.decode(data, profile, now)
        case edifact.NAME:
            return edifact.decode(data, profile, now, own)
        case cim_xml.NAME:
            return _taken(cim_xml.decode(data, profile, now))
        case _:
            return csv.decode(data, profile)


def records(data: bytes, profile: Profile | None, now: datetime) -> int | None:
    """How many orders or other items a message holds; None where it cannot be read, or nobody says how."""
    if profile is None:
        return None
    decoded = decode(data, profile, now)
    return None if decoded.findings else max(len(decoded.items), 1)


def _taken(decoded: Decoded) -> Decoded:
    """Some nouns are read and checked, and no flow takes them yet: their sender is told so."""
    if decoded.findings or decoded.kind not in {Kind.DEVICES, Kind.OTHER}:
        return decoded
    detail = f"{decoded.verb} {decoded.noun} is understood, and not taken here yet"
    return replace(decoded, findings=[Finding(codes.NOUN, "Noun", detail)])


def answer_about(decoded: Decoded, order_no: str) -> Answer:
    """What an answer says about this order. One that names no order speaks of the whole message."""
    if decoded.answer is not None:
        named = [item for item in decoded.answer.items if item.item in ("", order_no)]
        unknown = (ItemAnswer(item=order_no, state=ItemState.UNKNOWN),)
        return decoded.answer.model_copy(update={"items": tuple(named) or unknown})
    if decoded.reply is not None:
        return read_answer(decoded.reply, [order_no])
    return Answer(items=(ItemAnswer(item=order_no, state=ItemState.UNKNOWN),))


def names_order(decoded: Decoded, order_no: str) -> bool:
    """Whether an answer names this very order."""
    if decoded.reply is not None:
        return names_own(decoded.reply, order_no)
    return order_no in decoded.orders
