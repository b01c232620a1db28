"""Reviews over HTTP: the queue, one screen per review, and the decision; one command each."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from contracts.ids import ReviewId
from kit.auth import Principal, needs
from kit.http import cursor, etag, expected_version, read_cursor
from kit.store import Store
from services.qa_service import reviewing
from services.qa_service import store as queries
from services.qa_service.api.views import (
    ApproveQuestion,
    ReviewLine,
    ReviewPage,
    ReviewView,
    ReworkQuestion,
    TheStore,
    VerifiedView,
    review_view,
)
from services.qa_service.domain.deciding import ReworkWish
from services.qa_service.domain.states import ReviewState
from services.qa_service.reviewing import Command, shown
from services.qa_service.uploading import Uploads

Reader = Annotated[Principal, Depends(needs("review:read"))]
Reviewer = Annotated[Principal, Depends(needs("review:decide"))]


def routes(uploads: Uploads) -> APIRouter:
    """The routes, with the waiting times of the installation."""
    router = APIRouter()
    router.include_router(_reading(uploads))
    router.include_router(_deciding(uploads))
    return router


def _reading(uploads: Uploads) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/reviews")
    async def list_reviews(
        reader: Reader,
        store: TheStore,
        state: Annotated[ReviewState, Query()] = ReviewState.PENDING,
        after: Annotated[str | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ReviewPage:
        """Rounds in a state, the first due first."""
        start = read_cursor(after, datetime, UUID) if after else None
        found = await store.read(lambda db: queries.queue(db, reader.scope, [state], start, limit + 1))
        items = tuple(ReviewLine.model_validate(dict(row)) for row in found[:limit])
        more = cursor(items[-1].due_at, items[-1].review_id) if len(found) > limit else None
        return ReviewPage(items=items, next=more)

    @router.get("/v1/reviews/{review_id}")
    async def show(review_id: UUID, reader: Reader, store: TheStore, response: Response) -> ReviewView:
        """Everything on one screen."""
        return _tagged(review_view(*await reviewing.look(store, reader, ReviewId(review_id))), response)

    @router.get("/v1/reviews/{review_id}/verify")
    async def verify(review_id: UUID, reader: Reader, store: TheStore) -> VerifiedView:
        """Make the digest of an approval anew from what is stored."""
        found = await reviewing.verify(store, uploads.blobs, reader, ReviewId(review_id))
        return VerifiedView(
            review_id=ReviewId(review_id), ok=not found.differences, digest=found.digest, differences=found.differences
        )

    return router


def _deciding(uploads: Uploads) -> APIRouter:
    router, policy = APIRouter(), uploads.policy

    @router.post("/v1/reviews/next", response_model=ReviewView)
    async def take_next(reviewer: Reviewer, store: TheStore, response: Response) -> ReviewView | Response:
        """Take the first review of the queue that is not own work; 204 when there is none."""
        found = await reviewing.take_next(store, reviewer, policy, review_view)
        return Response(status_code=204) if found is None else _tagged(found, response)

    @router.post("/v1/reviews/{review_id}/take")
    async def take(review_id: UUID, reviewer: Reviewer, store: TheStore, response: Response) -> ReviewView:
        """Keep a review for oneself, for a while; taking it again prolongs."""
        command = reviewing.take(ReviewId(review_id), policy)
        return _tagged(await _decided(store, reviewer, review_id, command), response)

    @router.post("/v1/reviews/{review_id}/give-back")
    async def give_back(review_id: UUID, reviewer: Reviewer, store: TheStore, response: Response) -> ReviewView:
        """Let somebody else decide."""
        command = reviewing.give_back(ReviewId(review_id), policy)
        return _tagged(await _decided(store, reviewer, review_id, command), response)

    @router.post("/v1/reviews/{review_id}/approve")
    async def approve(
        review_id: UUID,
        body: ApproveQuestion,
        reviewer: Reviewer,
        store: TheStore,
        request: Request,
        response: Response,
    ) -> ReviewView:
        """Approve what was taken; every error is fixed, or accepted with a reason. Nobody approves own work."""
        accepted = {each.finding: each.reason for each in body.accepted}
        expected = expected_version(request, body.expected_version)
        command = reviewing.approve(ReviewId(review_id), policy, accepted, body.comment, expected)
        return _tagged(await _decided(store, reviewer, review_id, command), response)

    @router.post("/v1/reviews/{review_id}/rework")
    async def ask_rework(
        review_id: UUID, body: ReworkQuestion, reviewer: Reviewer, store: TheStore, request: Request, response: Response
    ) -> ReviewView:
        """Ask for papers (desk) or for another visit (field)."""
        expected = expected_version(request, body.expected_version)
        wish = ReworkWish(body.kind, body.reasons, body.findings, body.comment, body.due_at)
        command = reviewing.ask_rework(ReviewId(review_id), policy, wish, expected)
        return _tagged(await _decided(store, reviewer, review_id, command), response)

    return router


async def _decided(store: Store, reviewer: Principal, review_id: UUID, command: Command) -> ReviewView:
    return await reviewing.decide(store, reviewer, ReviewId(review_id), shown(command, review_view))


def _tagged(view: ReviewView, response: Response) -> ReviewView:
    response.headers["ETag"] = etag(view.version)
    return view
