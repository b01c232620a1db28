"""What reviewers ask for, as commands over a unit; refusals of own work are audited and counted."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from contracts.ids import ReviewId
from kit.auth import Principal
from kit.blobs import BlobMissing, Blobs
from kit.errors import NotFound
from kit.http import current_request
from kit.store import Store, Unit
from services.qa_service import acts, metrics
from services.qa_service import store as queries
from services.qa_service.domain import deciding
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.deciding import ReworkWish
from services.qa_service.domain.digest import Seal, SealedItem, answers_hash
from services.qa_service.domain.policy import Policy
from services.qa_service.domain.records import Review
from services.qa_service.errors import DecidedMeanwhile, LeaseLost, OwnWork, Stale
from services.qa_service.scopes import identity
from services.qa_service.uploading import blob_key

T = TypeVar("T")
Found = tuple[ReviewedCase, Review]
Command = Callable[[Unit], Found]
MOST_CANDIDATES = 50
"""Reviews looked at for one that is not own work."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether what was approved still lies here as it was approved."""

    digest: str
    differences: tuple[str, ...]
    """`form`, `answers`, `digest`, or ids of evidence."""


def find(unit: Unit, review_id: ReviewId) -> Found:
    """A review in the caller's sight; raises NotFound."""
    case = unit.find(ReviewedCase, str(review_id))
    review = case.review(review_id) if case else None
    if case is None or review is None or not _sees(unit.principal, review):
        raise NotFound("there is no such review")
    return case, review


def take(review_id: ReviewId, policy: Policy) -> Command:
    """V2."""

    def command(unit: Unit) -> Found:
        case, review = find(unit, review_id)
        deciding.take(case, review, unit.principal.id, acts.act_of(unit, policy))
        unit.audit("review:take", f"review/{review_id}")
        acts.settle(unit, case)
        return case, review

    return command


def give_back(review_id: ReviewId, policy: Policy) -> Command:
    """V3."""

    def command(unit: Unit) -> Found:
        case, review = find(unit, review_id)
        deciding.give_back(case, review, unit.principal.id, acts.act_of(unit, policy))
        acts.settle(unit, case)
        return case, review

    return command


def approve(
    review_id: ReviewId,
    policy: Policy,
    accepted: Mapping[int, str],
    comment: str | None,
    expected_version: int | None,
) -> Command:
    """V4."""

    def command(unit: Unit) -> Found:
        case, review = find(unit, review_id)
        act, reviewer = acts.act_of(unit, policy), unit.principal.id
        deciding.may_decide(case, review, reviewer, act)
        _expect(review, expected_version)
        deciding.approve(case, review, reviewer, act, accepted=accepted, comment=comment)
        return _decided(unit, case, review)

    return command


def ask_rework(review_id: ReviewId, policy: Policy, wish: ReworkWish, expected_version: int | None) -> Command:
    """V6."""

    def command(unit: Unit) -> Found:
        case, review = find(unit, review_id)
        act, reviewer = acts.act_of(unit, policy), unit.principal.id
        deciding.may_decide(case, review, reviewer, act)
        _expect(review, expected_version)
        deciding.ask_rework(case, review, reviewer, act, wish)
        return _decided(unit, case, review)

    return command


async def take_next(
    store: Store, reviewer: Principal, policy: Policy, show: Callable[[ReviewedCase, Review], T]
) -> T | None:
    """V2 for the first review in the queue that is not own work; None: there is nothing to do."""
    waiting = await store.read(lambda db: queries.candidates(db, reviewer.scope, MOST_CANDIDATES))
    for review_id in waiting:
        with suppress(OwnWork, DecidedMeanwhile, LeaseLost):  # own work, or somebody was faster: the next one
            command = shown(take(review_id, policy), show)
            return await store.run(reviewer, command, needs=[(ReviewedCase, str(review_id))])
    return None


def shown(command: Command, show: Callable[[ReviewedCase, Review], T]) -> Callable[[Unit], T]:
    """A command that answers what its caller sees: that is also what a repeated request gets."""
    return lambda unit: show(*command(unit))


async def decide(store: Store, reviewer: Principal, review_id: ReviewId, command: Callable[[Unit], T]) -> T:
    """Run a reviewer's command; that somebody tried to decide on own work is kept."""
    try:
        return await store.run(reviewer, command, needs=[(ReviewedCase, str(review_id))])
    except OwnWork:
        metrics.OWN_WORK.inc()
        # not the answer to the request: that is not to be found under its Idempotency-Key
        token = current_request.set(None)
        try:
            await store.run(reviewer, lambda unit: unit.audit("review:own_work_refused", f"review/{review_id}"))
        finally:
            current_request.reset(token)
        raise


async def look(store: Store, reader: Principal, review_id: ReviewId) -> Found:
    """A review and its case, unchanged; raises NotFound."""
    needs = [(ReviewedCase, str(review_id))]
    return await store.run(reader, lambda unit: find(unit, review_id), needs=needs)


async def verify(store: Store, blobs: Blobs, reader: Principal, review_id: ReviewId) -> Verified:
    """Make the digest of an approval anew from the stored bytes and answers; raises NotFound without an approval."""
    case, review = await look(store, reader, review_id)
    if review.seal is None or review.digest is None:
        raise NotFound("this review was not approved")
    visit, seal = case.visit_of(review), review.seal
    differing = [str(item.evidence_id) async for item in _differing(case, seal, blobs)]
    if f"{visit.form_key}@{visit.form_version}" != seal.form:
        differing.append("form")
    if answers_hash(visit.answers) != seal.answers_sha256:
        differing.append("answers")
    if seal.digest != review.digest:
        differing.append("digest")
    metrics.DIFFERENCES.inc(len(differing))
    return Verified(review.digest, tuple(differing))


async def _differing(case: ReviewedCase, seal: Seal, blobs: Blobs) -> AsyncIterator[SealedItem]:
    for sealed in seal.items:
        row = case.item(sealed.evidence_id)
        if row is None or (row.kind, row.sha256) != (sealed.kind, sealed.sha256):
            yield sealed
            continue
        try:
            content = await blobs.get(blob_key(case.case_id, sealed.sha256))
        except BlobMissing:
            content = b""
        if sha256(content).hexdigest() != sealed.sha256:
            yield sealed


def _expect(review: Review, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != review.version:
        raise Stale(review.version)


def _decided(unit: Unit, case: ReviewedCase, review: Review) -> Found:
    acts.settle(unit, case)
    acts.count_decision(case, review)
    return case, review


def _sees(reader: Principal, review: Review) -> bool:
    own = {"company": review.company_id, "technician": review.technician_id}
    scope = reader.scope
    return scope.kind == "all" or (scope.kind in own and identity(scope) == own[scope.kind])
