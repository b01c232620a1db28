"""What the neighbours tell qa_service in its stories, what a technician uploads, and who reviews it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
from PIL import Image

from contracts.assets import DeviceMismatch, ReadingAnomalyFound
from contracts.cases import ExceptionApproved, WorkOrderMoved, WorkOrderOpened
from contracts.event import Event
from contracts.parts import (
    DevicePlan,
    EvidenceRef,
    FieldClient,
    InstalledDevice,
    PlanItem,
    PlannedRemoval,
    RemovedDevice,
    VisitedSite,
)
from contracts.visits import EvidenceAdded, VisitReported
from kit.auth import Scope
from kit.testing import MONDAY_MORNING, Stage

CASE, ORDER, SECOND = UUID(int=0xC1), UUID(int=0xA1), UUID(int=0xA2)
VISIT, OTHER_VISIT = UUID(int=0xB1), UUID(int=0xB2)
TILO, COMPANY, OTHER_COMPANY = UUID(int=0x71), UUID(int=0x81), UUID(int=0x82)
DEVICE = UUID(int=0xDE)
TECHNICIAN = "person:local:tilo"
ARRIVED, FINISHED = MONDAY_MORNING - timedelta(hours=2), MONDAY_MORNING - timedelta(hours=1)
MME = DevicePlan(
    plan="MME",
    install=(PlanItem(role="meter", quantity=1, alternatives=()),),
    remove=(PlannedRemoval(role="meter", serial="1ABC0000000003"),),
)
INSTALLED = InstalledDevice(role="meter", serial="1XYA0000000017", at=FINISHED, comms="none", registers=())
REMOVED = RemovedDevice(role="meter", serial="1ABC0000000003", at=FINISHED, destination="van", registers=())
ANSWERS = {"installation_safe": True, "customer_present": True, "seal_no": "A-17"}
KINDS = ("photo_old_meter", "photo_old_reading", "photo_new_meter", "photo_new_reading")


def picture(number: int, kind: str = "JPEG", **options: Any) -> bytes:
    """A small photo that differs from all others."""
    made = BytesIO()
    Image.new("RGB", (32, 24), (number % 256, number // 256 % 256, 90)).save(made, kind, **options)
    return made.getvalue()


PHOTOS = {UUID(int=0xE000 + number): (kind, picture(number)) for number, kind in enumerate(KINDS)}


def named(photos: Iterable[UUID] = tuple(PHOTOS)) -> tuple[EvidenceRef, ...]:
    """The photos as a report names them."""
    return tuple(
        EvidenceRef(evidence_id=each, kind=PHOTOS[each][0], sha256=sha256(PHOTOS[each][1]).hexdigest())
        for each in photos
    )


def work_order(work_order_id: UUID = ORDER, sequence: int = 1, **changes: Any) -> WorkOrderOpened:
    usual = {
        "case_id": CASE,
        "work_order_id": work_order_id,
        "sequence": sequence,
        "state": "PLANNING",
        "kind": "meter_exchange",
        "device_plan": MME,
        "skills": (),
        "duration_min": 45,
    }
    return WorkOrderOpened(**{**usual, **changes})


def moved(move: str, version: int, to: str, came_from: str = "IN_PROGRESS", **changes: Any) -> WorkOrderMoved:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "sequence": 1,
        "version": version,
        "move": move,
        "from_state": came_from,
        "to_state": to,
        "cancellation": "none",
        "attempt": 1,
        "actor": "system:case_service",
    }
    return WorkOrderMoved(**{**usual, **changes})


SENT = moved("T07", 3, "READY", "AWAITING_REPLY", responsible=TILO)
RESOLVED = moved("T20", 5, "RESOLVED", outcome="OK", result="OK")


def reported(visit_version: int = 1, evidence_version: int | None = None, **changes: Any) -> VisitReported:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "sequence": 1,
        "visit_id": VISIT,
        "visit_version": visit_version,
        "evidence_version": evidence_version or visit_version,
        "outcome": "OK",
        "result": "OK",
        "performed_by": (TECHNICIAN,),
        "reported_by": TECHNICIAN,
        "on_behalf": False,
        "technician_id": TILO,
        "company_id": COMPANY,
        "arrived_at": ARRIVED,
        "finished_at": FINISHED,
        "device_plan": MME,
        "installed": (INSTALLED,),
        "removed": (REMOVED,),
        "site": VisitedSite(generation=False, postcode="44137"),
        "missing": (),
        "form_key": "meter_exchange",
        "form_version": 1,
        "answers": ANSWERS,
        "evidence": named(),
        "client": FieldClient(downloaded_version=4, clock_offset_s=0),
    }
    return VisitReported(**{**usual, **changes})


def added(evidence_version: int, photos: Iterable[UUID], **changes: Any) -> EvidenceAdded:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "sequence": 1,
        "visit_id": VISIT,
        "evidence_version": evidence_version,
        "evidence": named(photos),
        "added_by": "person:local:carla",
        "company_id": COMPANY,
    }
    return EvidenceAdded(**{**usual, **changes})


def mismatch(**changes: Any) -> DeviceMismatch:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "sequence": 1,
        "device_id": DEVICE,
        "serial": "1XYA0000000017",
        "manufacturer": "XYA",
        "device_type": "mme_3ph",
        "finding_id": UUID(int=0xF1),
        "rule": "M4",
        "severity": "error",
        "role": "meter",
        "expected_type": "mme_1ph",
        "found_type": "mme_3ph",
        "visit_version": 1,
    }
    return DeviceMismatch(**{**usual, **changes})


def anomaly(**changes: Any) -> ReadingAnomalyFound:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "sequence": 1,
        "device_id": DEVICE,
        "serial": "1ABC0000000003",
        "manufacturer": "XYA",
        "device_type": "ferraris",
        "finding_id": UUID(int=0xF2),
        "rule": "R2",
        "severity": "error",
        "register_": "1-0:1.8.0",
        "visit_version": 1,
    }
    return ReadingAnomalyFound(**{**usual, **changes})


def waiver(**changes: Any) -> ExceptionApproved:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "exception_id": UUID(int=0xEC),
        "type": "qa_waiver",
        "approver": "person:local:max",
    }
    return ExceptionApproved(**{**usual, **changes})


def names(facts: Iterable[Event]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


class Gate:
    """The service with its surroundings: a phone that uploads, and reviewers."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def opens(self) -> None:
        """A work order is known and Tilo is sent; nothing is told yet."""
        await self.stage.hears(work_order(), SENT)
        await self.stage.told_since()

    async def put(
        self,
        evidence_id: UUID,
        content: bytes,
        kind: str = "photo_new_meter",
        *,
        client: httpx.AsyncClient | None = None,
        **headers: str,
    ) -> httpx.Response:
        """One upload, by the technician unless somebody else is named; a header is changed by its name."""
        usual = {
            "content_type": "image/jpeg",
            "x_content_sha256": sha256(content).hexdigest(),
            "x_kind": kind,
            "x_work_order": str(ORDER),
            "x_captured_at": (ARRIVED + timedelta(minutes=20)).isoformat(),
        }
        made = {name.replace("_", "-"): value for name, value in {**usual, **headers}.items() if value}
        async with client or self.phone() as sender:
            return await sender.put(f"/v1/evidence/{evidence_id}", content=content, headers=made)

    def phone(self) -> httpx.AsyncClient:
        return self.stage.http("technician", name="tilo", scope=Scope("technician", str(TILO)))

    async def uploads(self, photos: Iterable[UUID] = tuple(PHOTOS)) -> None:
        for each in photos:
            kind, content = PHOTOS[each]
            answer = await self.put(each, content, kind)
            assert answer.status_code == 201, answer.text

    async def get(self, path: str, role: str = "qa", name: str = "rita", scope: Scope | None = None) -> httpx.Response:
        async with self.stage.http(role, name=name, scope=scope) as client:
            return await client.get(path)

    async def post(
        self, path: str, body: Any = None, *, role: str = "qa", name: str = "rita", **headers: str
    ) -> httpx.Response:
        async with self.stage.http(role, name=name) as client:
            made = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.post(path, json=body, headers=made)

    async def take(self, name: str = "rita") -> dict[str, Any]:
        """The first review of the queue, as this reviewer gets it."""
        answer = await self.post("/v1/reviews/next", name=name)
        assert answer.status_code == 200, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    async def approve(self, name: str = "rita", **body: Any) -> httpx.Response:
        """Take the first review and approve it."""
        taken = await self.take(name)
        return await self.post(f"/v1/reviews/{taken['review_id']}/approve", body, name=name)

    async def rework(self, kind: str, *reasons: str, **body: Any) -> httpx.Response:
        """Take the first review and ask for rework."""
        taken = await self.take()
        return await self.post(f"/v1/reviews/{taken['review_id']}/rework", {"kind": kind, "reasons": reasons, **body})

    async def states(self) -> list[tuple[int, int, str]]:
        """Sequence, round and state of every review."""
        rows = await self.stage.rows("reviews")
        return sorted((row.sequence, row.round, row.state.value) for row in rows)

    async def errors(self) -> list[tuple[str, str]]:
        """Rule and target of every open error."""
        rows = await self.stage.rows("findings")
        return sorted((row.rule_id, row.target) for row in rows if row.severity == "error" and row.state == "OPEN")


def in_days(days: int, at: datetime = MONDAY_MORNING) -> datetime:
    return at + timedelta(days=days)
