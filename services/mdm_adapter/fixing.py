"""A person corrects what lies in quarantine; the corrected copy is judged like any message and taken in its place."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from kit.store import Ref, Unit
from services.mdm_adapter.checking import check
from services.mdm_adapter.dialects.correcting import Corrected, corrected, only_row, replaced
from services.mdm_adapter.domain.messages import FIX, Edit, InboundMessage, QuarantineEntry
from services.mdm_adapter.errors import EditRefused
from services.mdm_adapter.partners.profile import CsvForm, Profile
from services.mdm_adapter.receiving import Arriving, message_of, needs_receiving, receive
from services.mdm_adapter.showing import as_members


def corrected_copy(
    data: bytes, profile: Profile | None, row: int | None, edits: Mapping[str, Any], content: str | None, at: datetime
) -> Corrected:
    """What is taken instead, once our own check has nothing against it. Raises NoSuchPlace or EditRefused.

    Of a file of which one row lies in quarantine the copy holds that row alone: the others were taken before.
    """
    form = profile.csv if profile else CsvForm()
    if content is not None:
        made = replaced(data, content.encode())
    else:
        made = corrected(data, check(data, profile, None, at).dialect, edits, form)
        if row is not None:
            made = made._replace(content=only_row(made.content, row, form))
    verdict = check(made.content, profile, None, at)
    if verdict.exit_code:
        core = [verdict.core_finding] if verdict.core_finding else []
        raise EditRefused([as_members(found) for found in (*core, *verdict.findings)])
    return made


def needs_fix(entry_id: str, made: Corrected, unit: Unit) -> Iterator[Ref]:
    """The entry, its message, and what receiving the copy touches."""
    yield QuarantineEntry, entry_id
    if entry := unit.find(QuarantineEntry, entry_id):
        yield InboundMessage, str(entry.message_id)
        if message := unit.find(InboundMessage, str(entry.message_id)):
            yield from needs_receiving(_arriving(message, made))


def _arriving(message: InboundMessage, made: Corrected) -> Arriving:
    return Arriving(message.partner, made.content, FIX, None, message.in_reply_to)


def fix_entry(unit: Unit, entry_id: str, made: Corrected, reason: str) -> str:
    """Take the corrected copy in place of what was quarantined; returns its receipt."""
    entry = unit.get(QuarantineEntry, entry_id)
    message = unit.get(InboundMessage, str(entry.message_id))
    entry.fix(unit.principal.id, reason, unit.now)
    receipt = receive(unit, _arriving(message, made)).receipt
    edited = message_of(receipt)
    assert edited is not None  # noqa: S101 -- it is the receipt of a message of ours
    unit.add(
        Edit(
            id=unit.new_id(),
            original_id=message.copy_of or message.id,
            edited_id=edited,
            changed=made.changes,
            by=unit.principal.id,
            reason=reason,
            at=unit.now,
        )
    )
    unit.audit("message:release", f"quarantine/{entry_id}", fixed=receipt, places=len(made.changes), why=reason)
    return receipt
