"""What could not be processed, with its age; a person has it tried again, corrects it, or gives it up with a second."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field, JsonValue, model_validator

from kit.problems import refusals
from kit.store import Unit
from services.mdm_adapter import store as rows_of
from services.mdm_adapter import store_beside as queries
from services.mdm_adapter.api.asking import Discarder, Reader, Releaser, StateView, TheStore, View, WithReason
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.causes import cause_of
from services.mdm_adapter.domain.messages import EntryState, QuarantineEntry
from services.mdm_adapter.errors import (
    EditRefused,
    EntryClosed,
    NoSuchPlace,
    NoSuchThing,
    ReasonMissing,
    SamePerson,
)
from services.mdm_adapter.fixing import corrected_copy, fix_entry, needs_fix
from services.mdm_adapter.operating import needs_retry, retry_entry

MOST_EDITS = 50
MOST_LINES = 10_000


class WithFix(WithReason):
    """Why, and either values at places (as `/decoded` names them), or all of the message anew."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reason": "The partner told us the number.", "edits": {"row 2, metering_point_id": "41373559241"}}
            ]
        }
    )

    edits: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=MOST_EDITS, examples=[{"m1.s5.e2.c2": "202603020900?+00"}]
    )
    content: list[str] | None = Field(None, min_length=1, max_length=MOST_LINES)
    """Its lines."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "WithFix":
        if bool(self.edits) == (self.content is not None):
            raise ValueError("edits or content: one of both")
        return self


class FixedView(StateView):
    """The entry is closed; the corrected copy was taken under this receipt."""

    receipt: str


class QuarantineView(View):
    """Something that waits for a person."""

    id: UUID
    message_id: UUID
    cause: str
    means: str
    """What the cause says."""
    remedy: str
    """What helps."""
    detail: str
    partner: str
    case_id: UUID | None
    row: int | None
    first_seen: datetime
    age_seconds: int
    """Since it was first seen, until it was closed."""
    state: str
    reason: str | None
    closed_by: str | None
    closed_at: datetime | None
    discard_asked_by: str | None
    """Who asked to give it up; somebody else confirms."""


def routes(desk: Desk) -> APIRouter:
    """Routes of those who look after what is set aside."""
    router = APIRouter(tags=["quarantine"])
    _looking(router)
    _acting(router, desk)
    return router


def _looking(router: APIRouter) -> None:
    @router.get("/v1/quarantine")
    async def quarantine(
        reader: Reader,
        store: TheStore,
        state: EntryState | None = None,
        cause: str | None = None,
        partner: str | None = None,
        message: UUID | None = None,
    ) -> list[QuarantineView]:
        """What could not be processed, oldest first, each with its age and with what helps."""
        wanted = queries.Aside(state, cause, partner, message)
        rows = await store.read(lambda db: queries.quarantined(db, reader.scope, wanted))
        return [_view(row, store.clock.now()) for row in rows]

    @router.get("/v1/quarantine/{entry_id}")
    async def entry(entry_id: UUID, reader: Reader, store: TheStore) -> QuarantineView:
        """One entry."""
        rows = await store.read(lambda db: queries.quarantined(db, reader.scope, queries.Aside(id=entry_id)))
        found = next((row for row in rows if row.id == entry_id), None)
        if found is None:
            raise NoSuchThing("there is no such entry")
        return _view(found, store.clock.now())


def _view(row: Any, now: datetime) -> QuarantineView:
    cause = cause_of(row.cause)
    age = int(((row.closed_at or now) - row.first_seen).total_seconds())
    return QuarantineView(**row._asdict(), means=cause.means, remedy=cause.remedy, age_seconds=age)


def _acting(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/quarantine/{entry_id}/retry", responses=refusals(EntryClosed, ReasonMissing))
    async def retry(entry_id: UUID, request: WithReason, releaser: Releaser, store: TheStore) -> StateView:
        """Have a message processed again, for instance once its sender has a profile."""
        reason, key = request.said(), str(entry_id)
        desk.partners.look_again()

        def command(unit: Unit) -> StateView:
            return StateView(state=retry_entry(unit, key, reason))

        return await store.run(releaser, command, needs=lambda unit: needs_retry(key, unit))

    @router.post(
        "/v1/quarantine/{entry_id}/fix",
        responses=refusals(EntryClosed, EditRefused, NoSuchPlace, ReasonMissing),
    )
    async def fix(entry_id: UUID, request: WithFix, releaser: Releaser, store: TheStore) -> FixedView:
        """Take a corrected copy in its place; if our own check has anything against it, nothing happens.

        Both versions stay in the archive, with who and why. What is no longer wrong is processed like any message.
        """
        reason, key = request.said(), str(entry_id)
        scope = releaser.scope
        rows = await store.read(lambda db: queries.quarantined(db, scope, queries.Aside(id=entry_id)))
        found = next((row for row in rows if row.id == entry_id), None)
        data = await store.read(lambda db: rows_of.raw(db, scope, found.message_id)) if found else None
        if found is None or data is None:
            raise NoSuchThing("there is no such entry")
        if found.state is not EntryState.OPEN:
            raise EntryClosed(found.state)
        desk.partners.look_again()
        profile = desk.partners.find(found.partner)
        content = "\n".join(request.content) if request.content is not None else None
        made = corrected_copy(data, profile, found.row, request.edits, content, store.clock.now())

        def command(unit: Unit) -> FixedView:
            return FixedView(receipt=fix_entry(unit, key, made, reason), state=EntryState.FIXED.value)

        return await store.run(releaser, command, needs=lambda unit: needs_fix(key, made, unit))

    @router.post("/v1/quarantine/{entry_id}/discard", responses=refusals(EntryClosed, SamePerson, ReasonMissing))
    async def discard(entry_id: UUID, request: WithReason, discarder: Discarder, store: TheStore) -> StateView:
        """Give a message up: one person asks, a second one confirms. The archive keeps it all the same."""
        reason, key = request.said(), str(entry_id)

        def command(unit: Unit) -> StateView:
            entry = unit.get(QuarantineEntry, key)
            done = entry.discard(unit.principal.id, reason, unit.now)
            unit.audit("message:discard", f"quarantine/{key}", confirmed=done, why=reason)
            return StateView(state=entry.state.value)

        return await store.run(discarder, command, needs=[(QuarantineEntry, key)])
