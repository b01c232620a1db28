"""What we have against bytes of our own before they leave: with ourselves nothing is a mere warning."""

from collections.abc import Iterator
from datetime import datetime

from contracts.ids import is_device_id
from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.dialects.edifact_fv.vorgang import Vorgang


def own_faults(content: bytes, now: datetime, *, to_supplier: bool = False) -> list[str]:
    """Code and place of every fault and of everything that a receiver could stumble over; nothing: it may leave."""
    found = check(content, now, to_supplier=to_supplier)
    faults = [found.core] if found.core else list(found.findings) if not found.acknowledgements else []
    said = [f"{fault.code} {fault.position}" for fault in faults]
    said += found.warnings
    for outcome in found.outcomes:
        said += _gateways(outcome.vorgang) if outcome.vorgang else ()
    return said


def _gateways(vorgang: Vorgang) -> Iterator[str]:
    """Gateways of ours are called by their 14 characters (D-DEV-1)."""
    in_gateway = False
    for number, segment in vorgang.segments:
        if segment.tag == "SEQ":
            in_gateway = segment.at(2) == "Z13"
        is_named = segment.tag == "RFF" and segment.at(2) == "Z14"
        is_own = in_gateway and segment.tag == "CAV" and segment.at(2) == "Z30"
        device = segment.at(2, 2) if is_named else segment.at(2, 4) if is_own else None
        if device is not None and not is_device_id(device):
            yield f"D-DEV-1 m{vorgang.message.number}.s{number} {segment.tag}+{segment.at(2)}"
