"""What is mutated of each dialect, and the words of its language. A dialect is added here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from contracts.codes import Scheme
from kit.clock import ManualClock
from services.mdm_adapter.checking import Verdict, check
from services.mdm_adapter.dialects.cim_xml import messages as cim_xml
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.corrected import Corrected, CorrectedField
from services.mdm_adapter.documents.device_announced import DeviceAnnounced
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import MeteringPoint, ReportedDevice
from services.mdm_adapter.partners.profile import Profile
from simulators.facts import OrderFacts
from simulators.market import Party
from tests.bench.market import corpus

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SENDING = Sending("M-1", "M-1", "ERP-A", NOW)
DONE = DeviceExchangeCompleted(
    order_no="WO-1",
    order_version=1,
    metering_point=MeteringPoint(id="41373559241", scheme=Scheme.MALO),
    started_at=NOW,
    finished_at=NOW,
    installed=(ReportedDevice(serial="1EMH0012345678"),),
)
CSV = (
    "order_no;version;kind;metering_point_id;street;number;postcode;city;municipality;country\n"
    "O-1;1;exchange;41373559241;Am Hang;7;00101;Auental;00000001;DE\n"
    "O-2;1;install;41373559241;Am Hang;8;00101;Auental;00000001;DE\n"
)


@dataclass(frozen=True)
class Dialect:
    """Good messages of a dialect, and words of which bad ones are made."""

    seeds: Callable[[], Sequence[bytes]]
    words: Sequence[bytes]


def edifact() -> list[bytes]:
    """Generated interchanges, and those of the samples."""
    return [*corpus(60, seed=5), *(file.read_bytes() for file in sorted((SAMPLES / "edifact").rglob("*.edi")))]


def xml() -> list[bytes]:
    """Messages of the samples, without the long ones, and one of each other noun."""
    files = sorted((SAMPLES / "xml").rglob("*.xml"))
    samples = [data for data in (file.read_bytes() for file in files) if len(data) < 20_000]
    devices, correction = [DeviceAnnounced(serial="1EMH0012345678", model="ED300L")], CorrectedField(field="a", new="b")
    return [
        *samples,
        cim_xml.encode_devices(devices, SENDING),
        cim_xml.encode_corrected(Corrected(order_no="WO-1", changes=(correction,)), DONE, SENDING),
        cim_xml.encode_one_sided(DONE, SENDING),
    ]


def json() -> list[bytes]:
    """An order and its answers."""
    party = Party(ManualClock(NOW), "mdm-b", "mdm")
    answer = {"auftrag": {"order_no": "B-1"}, "rueckmeldung": {"level": "business", "reasons": [{"code": "Z88"}]}}
    return [
        *(party.order(OrderFacts(number), f"B-{number}") for number in range(1, 6)),
        party.event("rejected", "n", answer, correlationid="1"),
    ]


EDIFACT_WORDS = (
    *(b"'", b"+", b":", b"?", b"\n", b"\0", b"\xc3\xa4", b"\xff", b"999999999999", b"UNA:+.? '", b"UNB+", b"UNH+"),
    *(b"UNT+", b"UNZ+1+1'", b"IDE+24", b"CNI+", b"RFF+Z49::1'", b"DTM+7:", b"SEQ+Z18+1'", b"STS+Z15", b"LIN+1'"),
)
XML_WORDS = (
    *(b"<", b">", b"</", b"&", b"&b;", b"<![CDATA[", b"]]>", b"<?x?>", b"xmlns='x'", b"\0", b"\xff"),
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
)
JSON_WORDS = (
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"-", b"null", b"1e999", b"\\ud800", b"\xff", b"\0", b'"data":'),
)
CSV_WORDS = (b";", b"\n", b'"', b"\0", b"\xff", b"\r", b"=1+1", b"version", b";;;;;;")
DIALECTS = {
    "edifact_fv": Dialect(edifact, EDIFACT_WORDS),
    "cim_xml": Dialect(xml, XML_WORDS),
    "json_ce": Dialect(json, JSON_WORDS),
    "csv": Dialect(lambda: [CSV.encode()], CSV_WORDS),
}


@cache
def partner() -> Profile:
    """A partner that may speak all of them."""
    return Profile.model_validate(
        {
            "id": "any",
            "name": "Any partner",
            "role": "ERP",
            "dialects": [{"dialect": "cim_xml"}, {"dialect": "json_ce"}, {"dialect": "csv"}],
            "transports": {"in": [{"kind": "rest"}], "out": [{"kind": "rest"}]},
            "defaults": {"operator": "nord"},
        }
    )


def verdict(data: bytes) -> Verdict:
    """What the hub makes of it; nothing but a verdict may come out."""
    return check(data, partner(), as_of=NOW)
