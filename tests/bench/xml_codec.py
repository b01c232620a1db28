"""CIM XML: messages parsed, validated and mapped beside lxml alone; written; and a long file in little memory."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from lxml import etree

from services.mdm_adapter.dialects.cim_xml import batches, messages
from services.mdm_adapter.dialects.cim_xml.envelope import ENVELOPES, PAYLOADS
from services.mdm_adapter.dialects.cim_xml.parsing import HARDENED
from services.mdm_adapter.dialects.cim_xml.xml import MESSAGE, ORDERS
from services.mdm_adapter.dialects.items import OrderDocument
from services.mdm_adapter.dialects.sending import BERLIN, Sending
from tests.bench.child import Measured, main
from tests.bench.codec import best_of
from tests.bench.orders import corpus, long_file

TURNS = 20
"""More than for the other codec: what is compared is short, and anything that runs beside it disturbs it."""
ENVELOPE = ENVELOPES[MESSAGE, "RequestMessage"].schema
PAYLOAD = PAYLOADS[ORDERS, "ServiceOrders"].schema
NOUN = f"{{{MESSAGE}}}Payload/{{{ORDERS}}}ServiceOrders"


def alone(data: bytes) -> None:
    """What the library does: parse, validate the envelope, validate the payload."""
    root = etree.fromstring(data, etree.XMLParser(**HARDENED))
    payload = root.find(NOUN)
    assert ENVELOPE.validate(root)
    assert payload is not None
    assert PAYLOAD.validate(payload)


def ours(data: bytes) -> None:
    """The same, with every check of ours, as documents."""
    assert not messages.decode(data, None, None).findings


def documents_of(data: Sequence[bytes]) -> list[OrderDocument]:
    """What is written again."""
    decoded = (messages.decode(each, None, None) for each in data)
    return [document for each in decoded for item in each.items if (document := item.document)]


def sending() -> Sending:
    """What the envelopes of written messages say."""
    return Sending("M-1", "M-1", "KIS-NORD", datetime(2026, 11, 23, 8, tzinfo=UTC))


def writes(documents: Sequence[OrderDocument], turns: int) -> float:
    """Messages written per second, best turn."""
    about, best = sending(), math.inf
    for _ in range(turns):
        began = time.perf_counter()
        for document in documents:
            messages.encode_request(document, about, BERLIN)
        best = min(best, time.perf_counter() - began)
    return len(documents) / best


def resident_peak_mb() -> float:
    """The most memory that this process ever had, not what it inherited from the one that started it."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def read_long(source: BinaryIO) -> tuple[int, int]:
    """Both passes over a file: orders that were taken, and those that were refused."""
    seen = batches.survey(source, None, None)
    return sum(1 for _ in batches.taken(source, None, None, seen, atomic=False)), seen.refused


def percentile_ms(work: Callable[[bytes], None], data: Sequence[bytes], part: float) -> float:
    """Of single calls, one after the other."""
    taken = []
    for each in data:
        began = time.perf_counter()
        work(each)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[int(part * (len(taken) - 1))] * 1000


async def run(count: int, megabytes: int) -> Measured:
    """Turns alternate, so that both meet the same machine. The long file goes first: it measures memory."""
    with TemporaryFile() as file:
        file.writelines(long_file(megabytes * 10**6, invalid=2 / 3))
        began = time.perf_counter()
        orders, refused = read_long(file)
        seconds = time.perf_counter() - began
    peak = resident_peak_mb()
    assert refused == 1
    data = corpus(count)
    mine, other = ([math.inf] * len(data) for _ in range(2))
    for _ in range(TURNS):
        best_of(ours, data, mine)
        best_of(alone, data, other)
    return {
        "messages_per_s": len(data) / sum(mine),
        "parse_xsd_per_s": len(data) / sum(other),
        "ratio_parse_xsd": sum(other) / sum(mine),
        "p99_ms": percentile_ms(ours, data, 0.99),
        "written_per_s": writes(documents_of(data), TURNS),
        "mean_bytes": sum(map(len, data)) / len(data),
        "batch_orders_per_s": orders / seconds,
        "batch_peak_mb": peak,
    }


if __name__ == "__main__":
    main(run)
