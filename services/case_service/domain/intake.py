"""Work that installers and customers bring: their notices, and quotes that are signed (S2-07, S2-08, S2-19)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from contracts.codes import Scheme
from contracts.ids import CaseId, Code, Principal, Ref
from contracts.parts import Address, Area, Contact, DevicePlan
from kit.store import Aggregate
from services.case_service.domain.case import Case
from services.case_service.domain.orders import tell_amended
from services.case_service.errors import MoveNotAllowed, QuoteExpired


@dataclass(kw_only=True, eq=False)
class Installer(Aggregate):
    """An electrician's firm that may announce work here."""

    principal: Principal
    name: str
    email: str | None = None
    active: bool = True

    def key(self) -> str:
        return self.principal


@dataclass(kw_only=True, eq=False)
class InstallerNotice(Aggregate):
    """A notice of an installer that was taken; the same one again names the same case."""

    notice_key: str
    """`<kind>/<installer>/<notice id>`."""
    case_id: CaseId
    at: datetime

    def key(self) -> str:
        return self.notice_key


def notice_key(kind: Code, installer: Principal, notice_id: Ref) -> str:
    """Ids of notices are the installer's own."""
    return f"{kind}/{installer}/{notice_id}"


class QuoteState(StrEnum):
    """Where a quote stands."""

    DRAFT = "DRAFT"
    SENT = "SENT"
    SIGNED = "SIGNED"
    EXPIRED = "EXPIRED"


def state_on(state: QuoteState, valid_to: date, day: date) -> QuoteState:
    """A quote that nobody signed in time expires by itself."""
    unsigned = state in {QuoteState.DRAFT, QuoteState.SENT}
    return QuoteState.EXPIRED if unsigned and day > valid_to else state


@dataclass(kw_only=True, eq=False)
class Quote(Aggregate):
    """An offer to connect a metering point; signed, it becomes a case, which from then on holds the customer's data."""

    quote_id: UUID
    operator: Code
    metering_point_id: Ref
    metering_point_scheme: Scheme
    area: Area
    device_plan: DevicePlan
    contact: Contact | None
    address: Address | None
    state: QuoteState
    valid_to: date
    installer: Principal | None = None
    case_id: CaseId | None = None
    made_by: Principal
    made_at: datetime

    def key(self) -> str:
        return str(self.quote_id)

    def send(self, day: date) -> None:
        """The customer has it. Raises MoveNotAllowed, QuoteExpired."""
        self._refuse_expired(day)
        if self.state is not QuoteState.DRAFT:
            raise MoveNotAllowed(f"The quote is {self.state} already.")
        self.state = QuoteState.SENT

    def may_be_signed(self, day: date) -> None:
        """Raises QuoteExpired, or MoveNotAllowed where the customer never got it."""
        self._refuse_expired(day)
        if self.state is not QuoteState.SENT:
            raise MoveNotAllowed(f"The quote is {self.state}.")

    def signed(self, case: Case) -> None:
        """The case holds the customer's data now; the quote forgets them, so that they are purged in one place."""
        self.state, self.case_id = QuoteState.SIGNED, case.case_id
        self.contact = self.address = None

    def _refuse_expired(self, day: date) -> None:
        if state_on(self.state, self.valid_to, day) is QuoteState.EXPIRED:
            raise QuoteExpired(f"The quote was valid until {self.valid_to}.", valid_to=self.valid_to)


def link_installer(case: Case, installer: Principal) -> None:
    """An installer follows a case that was there already."""
    if case.installer is None:
        case.installer = installer
        tell_amended(case, ("installer_linked",))
