"""Answers in the forms of a work order, edited field by field by clients that may have been offline (B5, §14)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from pydantic import JsonValue

from contracts.event import Part
from contracts.ids import CaseId, Code, Principal, WorkOrderId
from kit.store import Aggregate
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.work_order import WorkOrder
from services.case_service.errors import MoveNotAllowed, StaleVersion


class FieldEdit(Part):
    """One field that somebody filled in, and what stood there when they began."""

    form_key: Code
    field: Code
    based_on: JsonValue = None
    """The value that the client had loaded; absent: the field was empty."""
    value: JsonValue = None


class EditState(StrEnum):
    """What became of an edit that met another value."""

    OPEN = "open"
    DECIDED = "decided"


class Side(StrEnum):
    """Which of the two values holds."""

    PRESENT = "present"
    EDITED = "edited"


@dataclass(kw_only=True, eq=False)
class FieldAnswers(Aggregate):
    """What was saved in the forms of a work order so far."""

    work_order_id: WorkOrderId
    case_id: CaseId
    given: dict[Code, dict[Code, JsonValue]] = field(default_factory=dict)
    """By form and field."""

    def key(self) -> str:
        return str(self.work_order_id)

    def value(self, edit: FieldEdit) -> JsonValue:
        """What stands in the field now; None: nothing."""
        return self.given.get(edit.form_key, {}).get(edit.field)

    def write(self, form_key: Code, name: Code, value: JsonValue) -> None:
        self.given = self.given | {form_key: self.given.get(form_key, {}) | {name: value}}


@dataclass(kw_only=True, eq=False)
class FieldConflict(Aggregate):
    """Two people filled in one field: both values wait for a dispatcher, the present one stays until then."""

    conflict_id: UUID
    case_id: CaseId
    work_order_id: WorkOrderId
    form_key: Code
    field: Code
    present: dict[str, Any]
    """{"value": …}, as it stood when the edit came."""
    edited: dict[str, Any]
    edited_by: Principal
    edited_at: datetime
    state: EditState = EditState.OPEN
    chosen: Side | None = None
    decided_by: Principal | None = None

    def key(self) -> str:
        return str(self.conflict_id)


def conflict_id(work_order_id: WorkOrderId, edit: FieldEdit) -> UUID:
    """The same edit of the same order is one conflict, however often it is sent."""
    said = [edit.form_key, edit.field, edit.based_on, edit.value]
    return uuid5(work_order_id, json.dumps(said, sort_keys=True))


def merge(
    case: Case, act: Act, order: WorkOrder, answers: FieldAnswers, edits: Iterable[FieldEdit], known: Iterable[UUID]
) -> list[FieldConflict]:
    """Apply each edit whose field is as it was; of the others a conflict is kept. Nothing is overwritten silently.

    An order that is closed takes no value any more: there every edit that says something new is a conflict.
    """
    kept, seen = [], set(known)
    for edit in edits:
        present = answers.value(edit)
        if edit.value == present:
            continue
        if edit.based_on == present and not order.closed:
            answers.write(edit.form_key, edit.field, edit.value)
            continue
        if (name := conflict_id(order.work_order_id, edit)) in seen:
            continue
        seen.add(name)
        kept.append(
            FieldConflict(
                conflict_id=name,
                case_id=case.case_id,
                work_order_id=order.work_order_id,
                form_key=edit.form_key,
                field=edit.field,
                present={"value": present},
                edited={"value": edit.value},
                edited_by=act.actor,
                edited_at=act.at,
            )
        )
        case.hotlist(act, order, "field_conflict", conflict_id=str(name), form_key=edit.form_key, field=edit.field)
    return kept


def decide(act: Act, conflict: FieldConflict, answers: FieldAnswers, side: Side) -> None:
    """A dispatcher says which value holds. Raises StaleVersion where the field changed again since."""
    if conflict.state is not EditState.OPEN:
        raise MoveNotAllowed(f"The conflict is {conflict.state} already.")
    present = answers.given.get(conflict.form_key, {}).get(conflict.field)
    if side is Side.EDITED:
        if present != conflict.present.get("value"):
            raise StaleVersion("The field changed again since.", field=conflict.field)
        answers.write(conflict.form_key, conflict.field, conflict.edited.get("value"))
    conflict.state, conflict.chosen, conflict.decided_by = EditState.DECIDED, side, act.actor
