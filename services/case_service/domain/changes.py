"""What the audit tells of a case: old and new of everything that changed, and why (security §13, S0-28).

Values are compared when a step ends, so that no handler can forget one. What is not listed as shown may be personal or
somebody's words: of that the audit only tells that it changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from contracts.event import Part
from kit.audit import Change
from services.case_service.domain.entries import CaseException, DeviceFact, Handover, OrderReference, Pause
from services.case_service.domain.work_order import WorkOrder

if TYPE_CHECKING:
    from services.case_service.domain.case import Case

HIDDEN = "•"
"""Stands for a value that is not told."""

Values = tuple[Any, ...]
Place = tuple[str, str]
"""A part of a case: the name of its kind and its own id; of the case itself an empty one."""


class Kind:
    """A kind of part: which of its fields are compared, and which are shown."""

    def __init__(self, name: str, names: Iterable[str], shown: Iterable[str], left_out: Iterable[str] = ()) -> None:
        self.name, self.shown = name, frozenset(shown)
        self.fields = tuple(each for each in names if each not in frozenset(left_out))
        self.read = attrgetter(*self.fields)

    def between(self, was: Values | None, now: Values | None) -> dict[str, Any]:
        """Old and new of what differs; of a part that is new or gone, what it has or had."""
        found = {}
        empty = (None,) * len(self.fields)
        for name, old, new in zip(self.fields, was or empty, now or empty, strict=True):
            if old != new and (old or new or (was and now)):
                found[name] = [_told(old), _told(new)] if name in self.shown else HIDDEN
        return found


def _told(value: Any) -> Any:
    """As JSON; of words under a name only the name."""
    return sorted(map(str, value)) if isinstance(value, Mapping) else to_jsonable_python(value, exclude_none=True)


def _of(kind: type[Any]) -> list[str]:
    return list(kind.model_fields) if issubclass(kind, Part) else [each.name for each in fields(kind)]


WORK_ORDER = Kind(
    "work_order",
    _of(WorkOrder),
    shown=(
        *("work_order_id", "kind", "state", "predecessor", "device_plan", "skills", "duration_min", "due_on"),
        *("company_id", "responsible", "dispatched_to", "downloaded_version", "start", "estimate", "window"),
        *("appointment_id", "revision"),
        *("offer", "pending", "customer_knows", "replied_at", "material_requested", "blockers", "came_from"),
        *("hold_until", "cancellation", "withdrawn_at", "decision", "next_plan", "rejection", "resolved_at"),
        *("outcome", "result", "sub_reason", "visit_id", "visit_version", "evidence_version", "performed_by"),
        *("installed", "removed", "lacking", "review_round", "approval", "handover", "closed_at", "close_reason"),
    ),
    left_out=("sequence", "version", "opened_at"),  # they stand in every row
)
EXCEPTION = Kind(
    "exception",
    _of(CaseException),
    shown=(
        *("type", "state", "owner", "due_on", "raised_by", "work_order_id", "fact", "attempt", "approver"),
        *("approved_at", "ended_at", "codes"),
    ),
    left_out=("exception_id", "raised_at"),
)
ORDER = Kind("order", _of(OrderReference), shown=_of(OrderReference), left_out=("order_key",))
HANDOVER = Kind("handover", _of(Handover), shown=_of(Handover), left_out=("fact", "attempt", "requested_at"))
DEVICE = Kind("device", _of(DeviceFact), shown=_of(DeviceFact), left_out=("device_id",))
PAUSE = Kind("pause", _of(Pause), shown=_of(Pause), left_out=("number",))
CASE_SHOWN = (
    *("phase", "on_hold", "operator", "case_type", "origin", "legal_basis", "metering_point_id", "area", "priority"),
    *("window", "fixed_on", "planned_on", "due_on", "device_plan", "permits", "other_party_attends", "flags", "links"),
    *("bookable", "announced", "completion", "gate_evidence", "ending", "ended_at", "edition", "contact_version"),
    *("sla_target", "sla_state", "sla_due_at", "opted_out", "open_permits", "steps_done", "installer", "purged"),
)
CASE_LEFT_OUT = (
    *("version", "told", "loaded", "key_text", "case_id", "open_point", "opened_at", "waits", "audited", "lost"),
    *("trail", "devices", "handovers", "work_orders", "references", "exceptions", "history", "beside", "anomalies"),
    *("pauses", "fired", "due_by", "building", "kept_flow"),
)
"""What the kit keeps, what follows from the rest, and what is compared as a part of its own."""

KINDS: dict[str, Kind] = {kind.name: kind for kind in (WORK_ORDER, EXCEPTION, ORDER, HANDOVER, DEVICE, PAUSE)}
"""By name; the case itself joins them in its own module."""

ACTIONS = (
    *("case:change", "case:remark", "case:words", "work_order:move", "work_order:change"),
    *("exception:change", "order:change", "handover:change", "device:change", "pause:change"),
)
"""All actions of rows that tell of a change; the gate counts them (DoD5)."""


@dataclass
class Trail:
    """What of one case the audit knows already, and what of this step it does not."""

    seen: dict[Place, Values] = field(default_factory=dict)
    waiting: list[Change] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    """Rule ids of the automations of this step (lifecycle §13)."""

    def begin(self, case: "Case") -> None:
        """The case as it was loaded: from here on it changes."""
        self.seen = {place: kind.read(part) for place, kind, part in parts(case)}

    def say(self, case: "Case", action: str, **details: Any) -> None:
        """Something that changes no value: a remark, words that are kept beside."""
        self.waiting.append(Change(action, f"case/{case.case_id}", _given(details)))

    def note(self, case: "Case", order: WorkOrder, action: str, *, rule: str | None = None, **why: Any) -> None:
        """One version of a work order: what changed since the version before, and why."""
        place = (WORK_ORDER.name, str(order.sequence))
        now = WORK_ORDER.read(order)
        changed = WORK_ORDER.between(self.seen.get(place), now)
        if "to" in why:
            changed.pop("state", None)
        self.seen[place] = now
        rules = [rule] if rule else None
        details = _given({**why, "rules": rules, "version": order.version, "set": changed or None})
        self.waiting.append(Change(action, f"work_order/{case.case_id}/{order.sequence}", details))

    def settle(self, case: "Case") -> Iterator[Change]:
        """The step ends: what was noted, and whatever else is different now; nothing is said twice."""
        found, self.waiting = self.waiting, []
        now = {place: (kind, kind.read(part)) for place, kind, part in parts(case)}
        for place, (kind, values) in now.items():
            if self.seen.get(place) != values:
                found.append(self._change(case, place, kind, values))
        for place in self.seen.keys() - now.keys():
            found.append(self._change(case, place, KINDS[place[0]], None))
        fired = {"rules": sorted(set(self.fired))} if self.fired else {}
        self.seen, self.fired = {place: values for place, (_, values) in now.items()}, []
        for change in found:
            case.audited += 1
            yield change._replace(details={**fired, **change.details, "change": case.audited})

    def _change(self, case: "Case", place: Place, kind: Kind, values: Values | None) -> Change:
        changed = kind.between(self.seen.get(place), values)
        if kind is WORK_ORDER:
            subject, own = f"work_order/{case.case_id}/{place[1]}", {}
        else:
            subject, own = f"case/{case.case_id}", {kind.name: place[1] or None}
        details = _given({**own, "set": changed})
        return Change(f"{kind.name}:change", subject, details)


def parts(case: "Case") -> Iterator[tuple[Place, Kind, Any]]:
    """The case and everything inside it that changes by itself."""
    yield ("case", ""), KINDS["case"], case
    for order in case.work_orders:
        yield ("work_order", str(order.sequence)), WORK_ORDER, order
    for exception in case.exceptions:
        yield ("exception", str(exception.exception_id)), EXCEPTION, exception
    for reference in case.references:
        yield ("order", reference.order_key), ORDER, reference
    for handover in case.handovers:
        yield ("handover", f"{handover.fact}/{handover.attempt}"), HANDOVER, handover
    for device in case.devices:
        yield ("device", str(device.device_id)), DEVICE, device
    for pause in case.pauses:
        yield ("pause", str(pause.number)), PAUSE, pause


def subjects(case: "Case", orders: Iterable[WorkOrder] | None = None) -> list[str]:
    """Under which subjects the audit tells of a case and of its work orders, or of these."""
    chosen = case.work_orders if orders is None else orders
    return [f"case/{case.case_id}", *(f"work_order/{case.case_id}/{order.sequence}" for order in chosen)]


def _given(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_jsonable_python(value) for name, value in details.items() if value is not None}
