"""How a fact meets a work order: the cell of the table says what may follow, the effect says which of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from contracts.codes import State
from contracts.event import Event
from contracts.ids import Code
from services.case_service.domain import guards
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.guards import Ask
from services.case_service.domain.requests import MoveRequest
from services.case_service.domain.work_order import WorkOrder

E = TypeVar("E", bound=Event)

UPD, LATE, ANOM = "upd", "late", "anom"


@dataclass(frozen=True)
class Scene(Generic[E]):
    """One fact, one work order that it concerns, and the choices of their cell."""

    case: Case
    order: WorkOrder
    act: Act
    event: E
    choices: tuple[str, ...]
    own: bool = True
    """The fact names this order; false for a follow-up that waits for it."""

    def step(self, move: Code, to: State, reason: Code | None = None, **said: Any) -> Code:
        """Take a step of the table because of the fact."""
        self.case.step(self.act, self.order, move, to, reason=reason, **said)
        return move

    def stay(self, move: Code, reason: Code | None = None) -> Code:
        """A step that leaves the state as it is."""
        return self.step(move, self.order.state, reason)

    def follow_up(self, move: Code, reason: Code, **said: Any) -> Code:
        """To MANUAL_FOLLOW_UP: a person must act. An open offer is void, a reply needs no decision any more."""
        self.order.pending = self.order.replied_at = None
        taken = self.step(move, State.MANUAL_FOLLOW_UP, reason)
        self.case.remark(self.act, self.order, reason, **said)
        return taken

    def note(self, code: Code, **said: Any) -> str:
        """Only a line in the history."""
        self.case.remark(self.act, self.order, code, **said)
        return UPD

    def hint(self, code: Code, **said: Any) -> str:
        """A line, and an entry for a hotlist."""
        self.case.hotlist(self.act, self.order, code, **said)
        return UPD

    def hindered(self, *names: str) -> bool:
        """Whether a guard fails; it is named on the hotlist, and the fact is late (lifecycle §2.2)."""
        ask = Ask(self.case, self.order, self.act, MoveRequest(move=""))
        failed = [name for name in names if guards.GUARDS[name](ask)]
        if failed:
            self.case.hotlist(self.act, self.order, "guard_failed", guards=failed, event=type(self.event).__name__)
        return bool(failed)


Effect = Callable[[Scene[Any]], str]
Effects = Mapping[type[Event], Effect]
