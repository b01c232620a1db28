"""Evidence over HTTP: one item per request, in any order, as often as the line breaks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import AwareDatetime, StringConstraints

from contracts.ids import EvidenceId, WorkOrderId
from kit.auth import Principal, needs
from kit.errors import NotFound
from kit.jsons import Oversize
from services.qa_service import metrics
from services.qa_service import store as queries
from services.qa_service.api.views import ItemView, Kind, TheStore
from services.qa_service.images import too_large
from services.qa_service.uploading import Upload, Uploads, blob_key

Sender = Annotated[Principal, Depends(needs("evidence:upload"))]
Reader = Annotated[Principal, Depends(needs("evidence:read"))]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]


def routes(uploads: Uploads) -> APIRouter:
    """The routes, with the place where bytes lie and what a photo may hold."""
    router = APIRouter()

    @router.put("/v1/evidence/{evidence_id}", max_body_size=uploads.limits.size)
    async def upload(
        evidence_id: UUID,
        request: Request,
        response: Response,
        sender: Sender,
        store: TheStore,
        x_content_sha256: Annotated[Hash, Header()],
        x_kind: Annotated[Kind, Header()],
        x_work_order: Annotated[UUID, Header()],
        x_captured_at: Annotated[AwareDatetime | None, Header()] = None,
    ) -> ItemView:
        """Store a photo: 201, or 200 if the very same was stored before. The answer leaves after it is durable."""
        try:
            content = await request.body()
        except Oversize:
            metrics.REFUSED.labels("image/limit").inc()
            raise too_large(uploads.limits) from None
        item, new = await uploads.take(
            store,
            sender,
            Upload(
                evidence_id=EvidenceId(evidence_id),
                work_order_id=WorkOrderId(x_work_order),
                kind=x_kind,
                media_type=request.headers.get("content-type", "").partition(";")[0].strip().lower(),
                sha256=x_content_sha256,
                captured_at=x_captured_at,
                content=content,
            ),
        )
        response.status_code = 201 if new else 200
        return ItemView.model_validate(item)

    @router.get("/v1/evidence/{evidence_id}")
    async def download(evidence_id: UUID, reader: Reader, store: TheStore) -> Response:
        """The stored copy, to be kept and not shown: a browser downloads it."""
        row = await store.read(lambda db: queries.stored_item(db, reader.scope, EvidenceId(evidence_id)))
        if row is None:
            raise NotFound("there is no such item")
        content = await uploads.blobs.get(blob_key(row["case_id"], row["sha256"]))
        suffix = row["media_type"].removeprefix("image/").replace("jpeg", "jpg")
        headers = {"Content-Disposition": f'attachment; filename="{evidence_id}.{suffix}"'}
        return Response(content, media_type=row["media_type"], headers=headers)

    return router
