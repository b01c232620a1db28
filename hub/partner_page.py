"""docs/partners.md: what is written there by hand, with the tables and messages that come from the code."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from lxml import etree

from contracts.codes import AnnouncedPlan, Fact, HubReason, Scheme
from services.mdm_adapter.dialects import writing
from services.mdm_adapter.dialects.json_ce import messages as json_ce
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.coverage import CARRIED, CIM, CSV, EDIFACT, JSON
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import MATRIX, Role
from services.mdm_adapter.documents.values import MeteringPoint, Reading, ReportedDevice
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus
from services.mdm_adapter.domain.causes import CAUSES
from services.mdm_adapter.partners import codes, refusals
from services.mdm_adapter.partners.refusals import Refusal

PLACE = re.compile(r"<!-- made: ([a-z.-]+) -->\n.*?<!-- /made -->", re.DOTALL)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
POINT = MeteringPoint(id="DE000123001010000000000000001234A", scheme=Scheme.MELO)
ID = "0197f000-0000-7000-8000-000000000001"
DATA = resources.files("services.mdm_adapter.dialects.edifact_fv") / "data"


def filled(text: str) -> str:
    """The page with every made part made anew. Raises KeyError for a part that nobody makes."""
    return PLACE.sub(lambda found: f"<!-- made: {found[1]} -->\n{PARTS[found[1]]()}\n<!-- /made -->", text)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _documents() -> str:
    """Which dialect has words for what."""
    dialects = (JSON, CIM, CSV, EDIFACT)
    rows = (
        (f"`{document.__name__}`", *(f"{len(fields[d])} fields" if d in fields else "–" for d in dialects))
        for document, fields in CARRIED.items()
    )
    return _table(("document", *dialects), rows)


def _matrix() -> str:
    """Who is told what, and which answer settles it."""
    names = {Role.ORDERING: "who ordered", Role.NB: "NB", Role.LF: "LF", Role.WMSB: "wMSB", Role.MSB_OLD: "old MSB"}
    rows = []
    for fact in Fact:
        cells = []
        for role in names:
            rule = MATRIX.get((fact, role))
            silence = ", or silence" if rule and rule.silence_agrees else ""
            settled = rule.accept.value if rule and rule.accept else "as agreed"
            cells.append(f"{rule.document.value}: {settled}{silence}" if rule else "–")
        if any(cell != "–" for cell in cells):
            rows.append((f"`{fact.value}`", *cells))
    return _table(("fact", *names.values()), rows)


def _explained(table: Mapping[str, Refusal]) -> str:
    return _table(("code", "says", "do"), ((f"`{code}`", each.says, each.do) for code, each in table.items()))


def _quarantine() -> str:
    rows = ((f"`{code}`", cause.means, cause.remedy) for code, cause in CAUSES.items())
    return _table(("cause", "says", "the desk does"), rows)


def _meanings() -> str:
    """Which codes of a partner mean what, where its own map says nothing else."""
    by_reason: dict[HubReason, dict[str, list[str]]] = {reason: {} for reason in HubReason}
    for name, known in (("CIM", codes.CIM), ("market", codes.MARKET), ("announcement", codes.ANNOUNCED)):
        for code, reason in known.items():
            by_reason[reason].setdefault(name, []).append(code)
    rows = (
        (
            f"`{reason.value}`",
            *(", ".join(found.get(name, ())) or "–" for name in ("CIM", "market", "announcement")),
            "the message is mended, the work stays" if reason.technical else "the work is looked at",
        )
        for reason, found in by_reason.items()
        if found
    )
    return _table(("means", "reply of CIM", "receipt of the market", "answer to an announcement", "then"), rows)


def _csv(name: str, *columns: str) -> str:
    with (DATA / name).open("r", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return _table(columns, ([f"`{row[columns[0]]}`", *(row[column] for column in columns[1:])] for row in rows))


def _report() -> DeviceExchangeCompleted:
    begin = AT.replace(hour=8, minute=40)
    return DeviceExchangeCompleted(
        order_no="A-000001",
        order_version=1,
        metering_point=POINT,
        started_at=begin,
        finished_at=AT,
        installed=(_device("1EMH0012345678", "0"),),
        removed=(_device("1OLD0000009876", "48213.4"),),
    )


def _device(serial: str, value: str) -> ReportedDevice:
    return ReportedDevice(serial=serial, readings=(Reading(obis="1-0:1.8.0", value=Decimal(value), at=AT),))


def _given_up() -> WorkNotCompleted:
    return WorkNotCompleted(
        order_no="A-000001",
        order_version=1,
        metering_point=POINT,
        at=AT,
        outcome="FAILED",
        reason="NOT_AT_HOME",
        sub_reason="customer_not_home",
        attempts=3,
        final=True,
    )


def _announced() -> WorkStatus:
    return WorkStatus(
        order_no="A-000001",
        order_version=1,
        metering_point=POINT,
        plan=AnnouncedPlan.IMS,
        statutory=True,
        planned_on=datetime(2026, 6, 15, tzinfo=UTC).date(),
    )


def _refusal() -> Answer:
    reason = Reason(code="2.12", text="metering_point: not a gsrn")
    return Answer(items=(ItemAnswer(item="A-000001", state=ItemState.REFUSED, reasons=(reason,)),))


def written(dialect: str, document: writing.Outgoing) -> bytes:
    """A message of ours as it leaves; own check included."""
    content = writing.encode(dialect, document, Sending(ID, ID, "ROLLOUT-HUB", AT))
    if faults := writing.own_faults(dialect, content):
        raise ValueError(f"{dialect}: {faults[0]}")
    return content


def _xml(document: writing.Outgoing) -> str:
    root = etree.fromstring(written(CIM, document), etree.XMLParser(remove_blank_text=True))
    return f"```xml\n{etree.tostring(root, pretty_print=True, encoding='unicode').strip()}\n```"


def _json(document: writing.Outgoing) -> str:
    import json

    return f"```json\n{json.dumps(json.loads(written(json_ce.NAME, document)), indent=1, ensure_ascii=False)}\n```"


PARTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "documents": _documents,
        "matrix": _matrix,
        "quarantine": _quarantine,
        "reply-codes": lambda: _explained(refusals.REPLY),
        "csv-codes": lambda: _explained(refusals.CSV),
        "rules": lambda: _explained(refusals.RULES),
        "http": lambda: _explained(refusals.HTTP),
        "meanings": _meanings,
        "erc": lambda: _csv("erc_codes.csv", "code", "meaning", "reason", "next"),
        "syntax": lambda: _csv("syntax_codes.csv", "code", "meaning"),
        "answers": lambda: _csv("answer_reasons.csv", "pid", "code", "reason", "valid_from"),
        "completed.xml": lambda: _xml(_report()),
        "given-up.xml": lambda: _xml(_given_up()),
        "refused.xml": lambda: _xml(_refusal()),
        "completed.json": lambda: _json(_report()),
        "announced.json": lambda: _json(_announced()),
    }
)


def partners_page(page: Path) -> str:
    """docs/partners.md, with what is written there by hand."""
    return filled(page.read_text("utf-8"))
