"""How evidence comes in: checked, cleaned and durable before its row says so; a crash leaves at most a loose file."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from contracts.ids import CaseId, Code, EvidenceId, WorkOrderId
from kit.auth import Principal
from kit.blobs import Blobs
from kit.errors import HubError
from kit.store import Ref, Store, Unit
from services.qa_service import metrics
from services.qa_service import store as queries
from services.qa_service.acts import act_of, needs_of_case, recheck, settle
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.policy import Policy
from services.qa_service.domain.records import Evidence, EvidenceState
from services.qa_service.errors import Empty, HashMismatch, InvalidImage, Locked, OtherContent, UnknownWorkOrder
from services.qa_service.images import Limits, Photo, clean


@dataclass(frozen=True, slots=True)
class Upload:
    """One item as a phone or a desk sends it."""

    evidence_id: EvidenceId
    work_order_id: WorkOrderId
    kind: Code
    media_type: str
    sha256: str
    """Of the bytes, as the sender announced it."""
    captured_at: datetime | None
    content: bytes


def blob_key(case_id: CaseId, stored_sha256: str) -> str:
    """Where the bytes lie: equal ones once per case."""
    return f"{case_id}/{stored_sha256}"


class Uploads:
    """Takes evidence."""

    def __init__(self, blobs: Blobs, limits: Limits, policy: Policy) -> None:
        self.blobs, self.limits, self.policy = blobs, limits, policy
        self._decoding = asyncio.Lock()
        """One image at a time: it bounds memory, and the library's warnings belong to one image."""

    async def take(self, store: Store, sender: Principal, upload: Upload) -> tuple[Evidence, bool]:
        """Store an item; False beside it: the very same was here before. It is durable when this returns."""
        begun = time.perf_counter()
        try:
            item, new = await self._take(store, sender, upload)
        except HubError as refused:
            metrics.REFUSED.labels(refused.why if isinstance(refused, InvalidImage) else refused.code).inc()
            raise
        metrics.UPLOAD_SECONDS.observe(time.perf_counter() - begun)
        return item, new

    async def _take(self, store: Store, sender: Principal, upload: Upload) -> tuple[Evidence, bool]:
        if not upload.content:
            raise Empty
        if sha256(upload.content).hexdigest() != upload.sha256:
            raise HashMismatch
        case_id = await store.read(lambda db: queries.case_of_order(db, sender.scope, upload.work_order_id))
        if case_id is None:
            raise UnknownWorkOrder
        known = await store.run(sender, lambda unit: _known(unit, upload), needs=_needs(upload))
        if known is not None:
            return known, False
        async with self._decoding:
            photo = await asyncio.to_thread(clean, upload.content, upload.media_type, self.limits)
        stored_sha256 = sha256(photo.content).hexdigest()
        await self.blobs.put(blob_key(case_id, stored_sha256), photo.content)

        def keep(unit: Unit) -> tuple[Evidence, bool]:
            if (known := _known(unit, upload)) is not None:
                return known, False  # the same sender was faster on another line
            return self._keep(unit, upload, photo, stored_sha256), True

        return await store.run(sender, keep, needs=_needs(upload))

    def _keep(self, unit: Unit, upload: Upload, photo: Photo, stored_sha256: str) -> Evidence:
        case = unit.get(ReviewedCase, str(upload.work_order_id))
        captured_at = upload.captured_at or photo.captured_at
        item = Evidence(
            evidence_id=upload.evidence_id,
            work_order_id=upload.work_order_id,
            kind=upload.kind,
            media_type=photo.media_type,
            size=len(photo.content),
            sha256_received=upload.sha256,
            sha256=stored_sha256,
            state=EvidenceState.STORED,
            captured_at=captured_at.astimezone(UTC) if captured_at else None,
            uploaded_at=unit.now,
            uploaded_by=unit.principal.id,
        )
        case.store(item, act_of(unit, self.policy))
        unit.audit("evidence:upload", f"evidence/{item.evidence_id}", kind=item.kind, sha256=item.sha256)
        if item.state is EvidenceState.BOUND:
            recheck(unit, case, case.order(item.work_order_id))
            settle(unit, case)
        return item


def _needs(upload: Upload) -> Callable[[Unit], Iterator[Ref]]:
    def refs(unit: Unit) -> Iterator[Ref]:
        yield ReviewedCase, str(upload.evidence_id)
        yield from needs_of_case(str(upload.work_order_id), unit)

    return refs


def _known(unit: Unit, upload: Upload) -> Evidence | None:
    """The same item, if it came before; raises OtherContent or Locked for another one under its id."""
    case = unit.find(ReviewedCase, str(upload.evidence_id))
    item = case.item(upload.evidence_id) if case else None
    if item is None:
        return None
    same = (item.sha256_received, item.kind, item.work_order_id)
    if same == (upload.sha256, upload.kind, upload.work_order_id):
        return item
    raise Locked if item.locked_at else OtherContent
