"""What people do to messages: send a document anew, send the same bytes again, have a message processed again."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from kit.store import Ref, Unit
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.documents.places import flat
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Row, RowState, Signal
from services.mdm_adapter.domain.messages import (
    Change,
    Edit,
    InboundMessage,
    InState,
    OutboundMessage,
    OutState,
    QuarantineEntry,
)
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.domain.policy import RESEND_BLOCKED
from services.mdm_adapter.domain.reports import Missing, report
from services.mdm_adapter.errors import AlreadyResent, EditRefused, NoSuchThing, NotRepeatable, NotResendable
from services.mdm_adapter.handing_over import RESEND, dispatch, needs_rows
from services.mdm_adapter.metrics import RESENDS
from services.mdm_adapter.receiving import PROCESS


def resend_row(unit: Unit, desk: Desk, row_id: str, reason: str, edit: Mapping[str, Any] | None = None) -> str:
    """Send a document anew that is broken, or of which nobody knows whether it arrived; returns the row's state.

    With an edit (place in the document -> value) it is sent as corrected, from now on, or not at all: EditRefused.
    """
    dossier = unit.get(Dossier, row_id)
    row = dossier.row(row_id)
    if row is None:  # the case's own id names no document
        raise NoSuchThing("there is no such document")
    _not_just_now(unit, row)
    lost = row.state is RowState.SENT and row.delivery == "unknown"
    waits_for_a_fact = row.state is RowState.QUEUED and row.held is not None and bool(edit)
    if not (row.state is RowState.ERROR_TECH or lost or waits_for_a_fact):
        raise NotResendable(row.state)
    before, original = _places(unit, dossier, row), row.message_id
    row.edits = {**row.edits, **(edit or {})}
    row.meets(Signal.RESENT)
    unit.never(RESEND, str(row.row_id))
    row.resent_at, row.delivery = unit.now, None
    unit.audit("handover:resend", f"case/{dossier.case_id}", row=row_id, why=reason, edited=len(edit or {}))
    RESENDS.labels("person").inc()
    dispatch(unit, desk, dossier, row)
    if edit:
        _must_have_left(unit, row)
        after = _places(unit, dossier, row)
        changes = {
            place: Change(before=before.get(place), after=after.get(place, _said(edit[place]))) for place in edit
        }
        _keep_edit(unit, row, original, changes, reason)
    return row.state.value


def _said(value: Any) -> str:
    return str(value)[:1_000]


def _not_just_now(unit: Unit, row: Row) -> None:
    if row.resent_at is not None and unit.now - row.resent_at < RESEND_BLOCKED:
        raise AlreadyResent(int((unit.now - row.resent_at).total_seconds()))


def _places(unit: Unit, dossier: Dossier, row: Row) -> dict[str, str]:
    """What the document of a row says now; nothing as long as a fact is missing."""
    order = unit.find(Order, row.order_key)
    document = report(dossier, dossier.handover(row.fact, row.attempt), row, order) if order else None
    return {} if document is None or isinstance(document, Missing) else flat(document)


def _must_have_left(unit: Unit, row: Row) -> None:
    """An edit is a promise that it is right now: if our own check has something against it, nothing of it stays."""
    if row.held is not None:
        raise EditRefused([{"position": "document", "detail": row.held}])
    if row.state is RowState.ERROR_TECH:
        found = [each for each in unit.anomalies if each.code in {"own_output_invalid", "code_refused"}]
        places = [str(each.details.get("place") or each.details.get("refused")) for each in found]
        raise EditRefused(
            [{"position": place, "detail": "our own check"} for place in places]
            or [{"position": "document", "detail": "it cannot be sent: nobody to send it to, or no dialect for it"}]
        )


def _keep_edit(unit: Unit, row: Row, original: UUID | None, changed: dict[str, Change], reason: str) -> None:
    assert row.message_id is not None  # noqa: S101 -- it has just been built
    edit = Edit(
        id=unit.new_id(),
        original_id=original,
        edited_id=row.message_id,
        row_id=row.row_id,
        changed=changed,
        by=unit.principal.id,
        reason=reason,
        at=unit.now,
    )
    unit.add(edit)


def needs_repetition(message_id: str, unit: Unit) -> Iterator[Ref]:
    """The message, and all that its document may be built from anew."""
    yield OutboundMessage, message_id
    message = unit.find(OutboundMessage, message_id)
    if message and message.row_id:
        yield Dossier, str(message.row_id)
        if dossier := unit.find(Dossier, str(message.row_id)):
            yield from needs_rows(str(dossier.case_id), [], unit)


def repeat_message(unit: Unit, desk: Desk, message_id: str, reason: str) -> str:
    """Send the same words once more, where they did not arrive, or may not have: under the same id, the same bytes.

    A partner that takes each id once (retry profile new_id) gets them under a new one.
    """
    message = unit.get(OutboundMessage, message_id)
    profile = desk.partners.find(message.partner)
    kind = desk.way_out(profile) if profile else None
    if profile is None or kind is None:
        raise NotRepeatable("nobody knows where to send it: the partner has no profile, or no way out")
    if message.state not in {OutState.FAILED, OutState.UNKNOWN}:
        raise NotRepeatable(f"a message that is {message.state} is not sent again; FAILED and UNKNOWN ones are")
    dossier = unit.find(Dossier, str(message.row_id)) if message.row_id else None
    row = dossier.row(message.row_id) if dossier and message.row_id else None
    lane = str(message.answers_to)
    if dossier is not None and row is not None:
        if row.message_id != message.id or row.state is RowState.SUPERSEDED:
            raise NotRepeatable("a newer message has taken its place")
        if profile.retry.profile == "new_id" and message.dialect != edifact.NAME:
            return resend_row(unit, desk, str(row.row_id), reason)
        lane = dossier.metering_point_id or row.order_key
        _not_just_now(unit, row)
        row.meets(Signal.RESENT)
        unit.never(RESEND, str(row.row_id))
        row.resent_at, row.delivery = unit.now, None
    message.state, message.finished_at, message.cause = OutState.READY, None, None
    payload = {"message_id": message_id, "partner": message.partner, "case_id": str(message.case_id or "")}
    unit.effect(kind, f"{message_id}:{message.version}", payload, lane=f"{message.partner}/{lane}")
    unit.audit("handover:resend", f"message/{message_id}", why=reason)
    RESENDS.labels("same_bytes").inc()
    return message.state.value


def needs_retry(entry_id: str, unit: Unit) -> Iterator[Ref]:
    """The entry and its message."""
    yield QuarantineEntry, entry_id
    if entry := unit.find(QuarantineEntry, entry_id):
        yield InboundMessage, str(entry.message_id)


def retry_entry(unit: Unit, entry_id: str, reason: str) -> str:
    """Work on the message once more, from its stored bytes.

    Of an interchange only what was put aside is judged again: every Vorgang has an answer of its own, and keeps it.
    """
    entry = unit.get(QuarantineEntry, entry_id)
    message = unit.get(InboundMessage, str(entry.message_id))
    entry.retry(unit.principal.id, reason, unit.now)
    message.state, message.findings = InState.STORED, ()
    if message.dialect != edifact.NAME:
        message.results = ()
    unit.later(PROCESS, message.key(), unit.now)
    unit.audit("message:release", f"quarantine/{entry_id}", why=reason)
    return entry.state.value
