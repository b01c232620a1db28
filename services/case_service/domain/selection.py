"""What lists of cases and work orders can be narrowed and sorted by; unknown names are refused, not passed over."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from contracts.codes import Blocker, CaseType, ExceptionType, Flag, LegalBasis, Origin, Phase, State
from contracts.ids import Code, OrderKey, Ref
from services.case_service.domain.entries import SlaState

CASE_KEYS = ("priority", "due", "opened", "postcode")
ORDER_KEYS = (*CASE_KEYS, "start")
BACKLOG = "-priority,due"
"""Most urgent first: priority, then the day by which it should be done (S0-02); the id decides between equals."""
Priority = Annotated[int | None, Field(ge=0, le=100)]


def _sort(keys: tuple[str, ...]) -> StringConstraints:
    """A list of keys, each once descending with `-`."""
    key = f"-?({'|'.join(keys)})"
    return StringConstraints(pattern=rf"^{key}(,{key})*$", max_length=80)


class Selection(BaseModel):
    """What a case has to be like. A filter with several values wants one of them; all filters have to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    phase: tuple[Phase, ...] = ()
    origin: tuple[Origin, ...] = ()
    """Statutory duty or a customer's request (S0-03)."""
    legal_basis: tuple[LegalBasis, ...] = ()
    operator: tuple[Code, ...] = ()
    case_type: tuple[CaseType, ...] = ()
    stage: tuple[Code, ...] = ()
    municipality: tuple[Code, ...] = ()
    postcode: tuple[Code, ...] = ()
    flag: tuple[Flag, ...] = ()
    sla_state: tuple[SlaState, ...] = ()
    exception_type: tuple[ExceptionType, ...] = ()
    """Has an open exception of this type."""
    priority_from: Priority = None
    priority_to: Priority = None
    on_hold: bool | None = None
    defect: bool | None = None
    """Needed a second work order."""
    due_before: date | None = None
    due_after: date | None = None
    opened_before: AwareDatetime | None = None
    opened_after: AwareDatetime | None = None
    order_key: OrderKey | None = None
    metering_point_id: tuple[Ref, ...] = ()
    state: tuple[State, ...] = ()
    """State of a work order; with other filters of work orders the same one has to fit them all."""
    kind: tuple[Code, ...] = ()
    responsible: tuple[UUID, ...] = ()
    company: tuple[UUID, ...] = ()
    blocker: tuple[Blocker, ...] = ()
    unplanned: bool | None = None
    """Lacks technician or start (S3-27)."""
    dispatched: bool | None = None
    """In the mobile list of its technician."""


class Paged(Selection):
    """A selection as a list asks for it: how sorted, from where, how many."""

    after: Annotated[str | None, Field(max_length=400)] = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class CaseQuery(Paged):
    """`GET /v1/cases`."""

    sort: Annotated[str, _sort(CASE_KEYS)] = BACKLOG
    """Keys in the order in which they count, `-` for descending: priority, due, opened, postcode."""


class OrderQuery(Paged):
    """`GET /v1/work-orders`."""

    sort: Annotated[str, _sort(ORDER_KEYS)] = BACKLOG
    """Keys in the order in which they count, `-` for descending: priority, due, opened, postcode, start."""


def keys_of(sort: str) -> list[tuple[str, bool]]:
    """The keys of a sort, each with whether it falls; a key that was named before decides nothing more."""
    named = [(key.removeprefix("-"), key.startswith("-")) for key in sort.split(",")]
    first = dict(reversed(named))
    return [(key, first[key]) for key in dict.fromkeys(key for key, _ in named)]
