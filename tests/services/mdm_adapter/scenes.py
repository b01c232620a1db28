"""What happens at the adapter's doors, in the words of its stories."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.cases import CaseOpened, HandoverRequested
from contracts.codes import (
    CaseType,
    Comms,
    Destination,
    DeviceRole,
    Fact,
    LegalBasis,
    Origin,
    Outcome,
    ReadingSource,
    Result,
    Scheme,
)
from contracts.parts import (
    Area,
    DevicePlan,
    FieldClient,
    InstalledDevice,
    PlanItem,
    PlannedRemoval,
    RegisterReading,
    RemovedDevice,
    RemovedRegisterReading,
    VisitedSite,
)
from contracts.visits import VisitReported
from kit.auth import Scope
from kit.testing import Stage
from services.mdm_adapter.app import take_in
from services.mdm_adapter.receiving import Arriving
from tests.services.mdm_adapter.erp import Erp

CASE, WORK_ORDER, VISIT = (UUID(f"0197f000-0000-7000-8000-00000000000{number}") for number in (1, 2, 3))
POINT = "DE000123001010000000000000001234A"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLAN = DevicePlan(
    plan="MME",
    install=(PlanItem(role=DeviceRole.METER, device_type="mme_3ph", quantity=1, alternatives=()),),
    remove=(PlannedRemoval(role=DeviceRole.METER, serial="1OLD0000009876"),),
)


def order(
    number: str = "WO-1",
    *,
    version: str | None = "1",
    verb: str = "create",
    message_id: str = "M-1",
    city: str = "Nordstadt",
    ack: bool = False,
    source: str = "ERP-A",
    point: str = POINT,
    body: str | None = None,
) -> bytes:
    """A RequestMessage of ERP A about one order."""
    revision = f"<s:revisionNumber>{version}</s:revisionNumber>" if version else ""
    work = f"""<s:Work>
      <s:Customers><s:name>Ada Probe</s:name><s:phone><s:ituPhone>+4915112345678</s:ituPhone></s:phone></s:Customers>
      <s:WorkLocation><s:mainAddress>
        <s:streetDetail><s:number>7</s:number><s:name>Am Hang</s:name></s:streetDetail>
        <s:townDetail><s:code>01001001</s:code><s:name>{city}</s:name></s:townDetail>
        <s:postalCode>00101</s:postalCode>
      </s:mainAddress></s:WorkLocation>
      <s:WorkTask><s:taskKind>exchange</s:taskKind>
        <s:OldAsset><s:serialNumber>1OLD0000009876</s:serialNumber></s:OldAsset>
        <s:UsagePoint><s:mRID>{point}</s:mRID></s:UsagePoint></s:WorkTask>
    </s:Work>"""
    work = "" if verb == "cancel" else work if body is None else body
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<m:RequestMessage xmlns:m="http://iec.ch/TC57/2011/schema/message" xmlns:s="http://iec.ch/TC57/2011/ServiceOrders#">
  <m:Header><m:Verb>{verb}</m:Verb><m:Noun>ServiceOrders</m:Noun><m:Revision>1.0</m:Revision>
    <m:Timestamp>2026-03-02T08:00:00Z</m:Timestamp><m:Source>{source}</m:Source>
    {"<m:AckRequired>true</m:AckRequired>" if ack else ""}
    <m:MessageID>{message_id}</m:MessageID><m:CorrelationID>{message_id}</m:CorrelationID></m:Header>
  <m:Payload><s:ServiceOrders><s:ServiceOrder><s:mRID>{number}</s:mRID>{revision}{work}</s:ServiceOrder>
  </s:ServiceOrders></m:Payload>
</m:RequestMessage>""".encode()


def opened(*orders: str, version: int = 1, case_id: UUID = CASE) -> CaseOpened:
    """The case that these orders opened."""
    return CaseOpened(
        case_id=case_id,
        version=version,
        operator="nord",
        case_type=CaseType.EXCHANGE,
        flow_version=1,
        origin=Origin.STATUTORY,
        legal_basis=LegalBasis.MANDATORY,
        metering_point_id=POINT,
        metering_point_scheme=Scheme.MELO,
        orders=orders or ("erp-a:WO-1",),
        area=Area(postcode="00101", municipality="01001001"),
        priority=50,
        device_plan=PLAN,
        other_party_attends=False,
        installer_linked=False,
        links=(),
    )


def visited(
    *, version: int = 1, result: Result = Result.OK, new: str = "1EMH0012345678", value: str = "48213.4", **more: Any
) -> VisitReported:
    """The report of the technician; a failed visit has no devices."""
    done = result.outcome is not Outcome.FAILED
    reading = {"obis": "1-0:1.8.0", "unit": "kWh", "at": AT, "source": ReadingSource.TYPED}
    installed = InstalledDevice(
        role=DeviceRole.METER,
        serial=new,
        manufacturer="EMH",
        at=AT,
        comms=Comms.NONE,
        registers=(RegisterReading(reading=Decimal(0), **reading),),
    )
    removed = RemovedDevice(
        role=DeviceRole.METER,
        serial="1OLD0000009876",
        at=AT,
        destination=Destination.VAN,
        registers=(RemovedRegisterReading(reading=Decimal(value), **reading),),
    )
    values: dict[str, Any] = {
        "case_id": CASE,
        "work_order_id": WORK_ORDER,
        "sequence": 1,
        "visit_id": VISIT,
        "visit_version": version,
        "evidence_version": version,
        "outcome": result.outcome,
        "result": result,
        "sub_reason": None if done else "customer_not_home",
        "performed_by": ("person:local:tina",),
        "reported_by": "person:local:tina",
        "on_behalf": False,
        "technician_id": UUID(int=7),
        "company_id": UUID(int=8),
        "arrived_at": AT - timedelta(minutes=20),
        "finished_at": AT,
        "device_plan": PLAN,
        "installed": (installed,) if done else (),
        "removed": (removed,) if done else (),
        "site": VisitedSite(generation=False, postcode="00101"),
        "missing": (),
        "form_key": "meter_exchange",
        "form_version": 1,
        "answers": {},
        "evidence": (),
        "client": FieldClient(downloaded_version=1, clock_offset_s=0),
    }
    return VisitReported(**values | more)


def requested(fact: Fact = Fact.EXCHANGE_COMPLETED, attempt: int = 1, **more: Any) -> HandoverRequested:
    """What the case wants told."""
    values: dict[str, Any] = {
        "case_id": CASE,
        "work_order_id": WORK_ORDER,
        "fact": fact,
        "attempt": attempt,
        "supplement": False,
        "final": True,
        "statutory": False,
    }
    if fact is Fact.EXCHANGE_COMPLETED:
        values |= {"visit_id": VISIT, "visit_version": 1}
    return HandoverRequested(**values | more)


class Scene(Stage):
    """The stage with the adapter's own doors."""

    erp: Erp

    async def comes(self, content: bytes, partner: str = "erp-a") -> str:
        """A message arrives and is worked on; returns its receipt. Answers leave at once."""
        receipt = await take_in(self.store, Arriving(partner, content, "rest"))
        await self.works()
        return receipt.receipt

    async def works(self) -> None:
        """Timers and effects that are due now, until nothing is."""
        for _ in range(4):
            await self.passes(timedelta())
            await self.delivers()

    def partner(self, partner: str = "erp-a") -> Any:
        """A client with the key of this partner."""
        return self.http("system", name=partner, scope=Scope("partner", partner))

    async def names(self) -> list[str]:
        """Class names of what was told since last asked."""
        return [type(fact).__name__ for fact in await self.told_since()]

    async def given_a_case(self, *facts: Any) -> None:
        """An order of erp-a that opened a case; then these facts."""
        await self.comes(order())
        await self.hears(opened())
        await self.told_since()
        self.erp.got.clear()
        self.erp.keys.clear()
        if facts:
            await self.hears(*facts)
            await self.works()
