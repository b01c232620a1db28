"""In which dialect a document leaves, and its bytes in it."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from services.mdm_adapter.dialects.cim_xml import messages as cim_xml
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus
from services.mdm_adapter.partners.profile import Profile

Outgoing = WorkStatus | DeviceExchangeCompleted | WorkNotCompleted | Answer
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {cim_xml.NAME: "application/xml", json_ce.NAME: json_ce.MEDIA_TYPE, edifact.NAME: edifact.MEDIA_TYPE}
)
SUFFIXES: Mapping[str, str] = MappingProxyType({cim_xml.NAME: "xml", json_ce.NAME: "json", edifact.NAME: "edi"})


def answers(dialect: str) -> bool:
    """Whether a dialect has words for any answer; a file of rows has not, interchanges have them for some orders."""
    return dialect in {cim_xml.NAME, json_ce.NAME}


def carries(dialect: str, document: Outgoing) -> bool:
    """Whether a dialect has words for a document."""
    if dialect == json_ce.NAME:
        return True
    if dialect == edifact.NAME:
        return not isinstance(document, Answer)
    withdraws = isinstance(document, DeviceExchangeCompleted) and document.withdraws
    return dialect == cim_xml.NAME and not withdraws


def dialect_for(profile: Profile, document: Outgoing, on: date) -> str | None:
    """The first dialect agreed with the partner that can carry a document; None: there is none."""
    spoken = (each.dialect for each in profile.dialects if each.valid_from is None or each.valid_from <= on)
    return next((dialect for dialect in spoken if carries(dialect, document)), None)


def is_market(profile: Profile, on: date) -> bool:
    """Whether documents about work leave to a partner as interchanges of the market."""
    spoken = (each.dialect for each in profile.dialects if each.valid_from is None or each.valid_from <= on)
    return next(spoken, None) == edifact.NAME


def encode(dialect: str, document: Outgoing, sending: Sending) -> bytes:
    """The bytes of a document."""
    is_json = dialect == json_ce.NAME
    if isinstance(document, Answer):
        return json_ce.encode_answer(document, sending) if is_json else cim_xml.encode_answer(document, sending)
    return json_ce.encode_report(document, sending) if is_json else cim_xml.encode_report(document, sending)


def own_faults(dialect: str, content: bytes) -> list[str]:
    """What our own schemas have against bytes that are about to leave."""
    return json_ce.own_faults(content) if dialect == json_ce.NAME else cim_xml.own_faults(content)
