"""A phone line: what we may do with one number, known by its keyed hash alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.codes import OptOutSource
from kit.store import Aggregate

BUDGETS = ((3, timedelta(hours=24)), (20, timedelta(days=30)))
"""Texts to one number (SEC-LIM-09)."""

LONGEST = max(period for _, period in BUDGETS)


class OptOut(BaseModel):
    """Since when a number gets no texts of an operator. Only staff with a reason lift it."""

    model_config = ConfigDict(frozen=True)

    operator: str
    since: datetime
    source: OptOutSource


@dataclass(kw_only=True, eq=False)
class Line(Aggregate):
    """One number: whose cases it belongs to, which operators may not text it, how often it was texted lately."""

    number_hash: str
    cases: tuple[UUID, ...] = ()
    """Newest last."""
    opt_outs: tuple[OptOut, ...] = ()
    taken: tuple[datetime, ...] = ()
    """When texts to customers were handed over, in the last 30 days."""

    def key(self) -> str:
        return self.number_hash

    def connect(self, case_id: UUID) -> None:
        """The number belongs to this case as well."""
        if case_id not in self.cases:
            self.cases = (*self.cases, case_id)

    def disconnect(self, case_id: UUID) -> None:
        self.cases = tuple(each for each in self.cases if each != case_id)

    def opted_out(self, operator: str) -> bool:
        return any(each.operator == operator for each in self.opt_outs)

    def opt_out(self, operator: str, since: datetime, source: OptOutSource) -> None:
        """No more texts of this operator to this number."""
        if not self.opted_out(operator):
            self.opt_outs = (*self.opt_outs, OptOut(operator=operator, since=since, source=source))

    def take(self, now: datetime) -> None:
        """One text more."""
        self.taken = (*(each for each in self.taken if each > now - LONGEST), now)

    def free_at(self, now: datetime) -> datetime | None:
        """When the next text fits the budgets; None if it does now."""
        blocked = [
            recent[-most] + period
            for most, period in BUDGETS
            if len(recent := [each for each in self.taken if each > now - period]) >= most
        ]
        return max(blocked, default=None)
