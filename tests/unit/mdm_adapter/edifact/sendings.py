"""What the market documents of tests are written from: the case of the samples."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from contracts.codes import AnnouncedPlan, DeviceRole, Scheme
from services.mdm_adapter.dialects.edifact_fv.market_sending import (
    Asked,
    DeviceFact,
    Facts,
    MarketSending,
    Numbers,
)
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import Customer, Location, MeteringPoint, Reading, ReportedDevice
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus
from tests.unit.mdm_adapter.edifact.letters import MELO, MSB, NB

OWN = Path(__file__).resolve().parents[4].parent / "shared" / "samples" / "edifact" / "own"
POINT = MeteringPoint(id=MELO, scheme=Scheme.MELO)
CHANGED_AT = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
METER, GATEWAY, ANTENNA, OLD = "1HUB0000002002", "EHUB0000001001", "1COM0000003003", "1OLD0000009876"
OBIS = "1-0:1.8.0"
# fmt: off
FACTS = Facts(
    voltage="E06",
    customer_class="person",
    customer=Customer(name="Anna Beispiel"),
    location=Location(street="Probeweg", number="7", postcode="10115", city="Musterstadt", country="DE"),
    devices={
        METER:   DeviceFact(device_type="mme_1ph"),
        GATEWAY: DeviceFact(device_type="smgw_lte"),
        ANTENNA: DeviceFact(device_type="antenna_lte"),
    },
    malo="41373559241",
    price_key="PRICE-1",
)
# fmt: on


def reading(value: str, obis: str = OBIS) -> Reading:
    return Reading(obis=obis, value=Decimal(value), at=CHANGED_AT)


EXCHANGE = DeviceExchangeCompleted(
    order_no="O-1",
    order_version=1,
    metering_point=POINT,
    started_at=CHANGED_AT,
    finished_at=CHANGED_AT,
    removed=(ReportedDevice(serial=OLD, readings=(reading("48213.4"),)),),
    installed=(
        ReportedDevice(serial=METER, readings=(reading("0"),)),
        ReportedDevice(role=DeviceRole.SMGW, serial=GATEWAY),
        ReportedDevice(role=DeviceRole.ANTENNA, serial=ANTENNA),
    ),
)


def failed(sub_reason: str | None = "no_access", reason: str = "NOT_AT_HOME", **more: Any) -> WorkNotCompleted:
    said: dict[str, Any] = {"outcome": "FAILED", "attempts": 2, "final": True, "at": CHANGED_AT}
    said |= {"order_no": "O-1", "order_version": 1, "metering_point": POINT}
    return WorkNotCompleted(reason=reason, sub_reason=sub_reason, **said | more)


ANNOUNCED_IMS = WorkStatus(
    order_no="O-1",
    order_version=1,
    metering_point=POINT,
    plan=AnnouncedPlan.IMS,
    planned_on=date(2027, 3, 1),
)
ANNOUNCED_MME = WorkStatus(
    order_no="O-1",
    order_version=1,
    metering_point=POINT,
    plan=AnnouncedPlan.MME,
    window_from=date(2027, 3, 1),
    window_to=date(2027, 9, 30),
)


def sending(minutes: str = "0700", number: int = 101, role: Role = Role.NB, **more: Any) -> MarketSending:
    """One of ours on 2026-11-23, in UTC; `facts` replaces single facts of the samples' case."""
    at = more.pop("at", datetime(2026, 11, 23, int(minutes[:2]), int(minutes[2:]), tzinfo=UTC))
    facts = replace(FACTS, **more.pop("facts", {}))
    numbers = Numbers(
        f"HUB{number:011d}",
        tuple(f"M{index:04d}" for index in range(1, 6)),
        tuple(f"HUB-D-{index:06d}" for index in range(number, number + 5)),
        f"HUB-V-{number:06d}",
        {(GATEWAY, OBIS): f"HUB-K-{number:06d}"},
    )
    return replace(MarketSending(MSB, NB, at, numbers, role, facts=facts), **more)


def asked(pid: str = "17011", purpose: str = "Z12", role: str = "nb") -> Asked:
    return Asked(pid, "D1", purpose, role, "F-1", POINT, date(2027, 1, 15))
