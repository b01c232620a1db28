"""How long before an appointment the customer must know: rules as data, each with the law or habit it stands for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from contracts.codes import DeviceRole, LegalBasis
from contracts.parts import DevicePlan
from services.booking_service.domain.calendars import DAY, WorkingDays, add_months


class Period(StrEnum):
    """What a rule's count counts."""

    MONTHS = "months"
    """Calendar months, clipped to the month's end, and the day after."""
    DAYS = "days"
    """Calendar days, and the day after."""
    WORKING_DAYS = "working_days"
    """The last of them is possible."""


_FIRST_DAY: Mapping[Period, Callable[[WorkingDays, date, int], date]] = MappingProxyType(
    {
        Period.MONTHS: lambda _, day, count: add_months(day, count) + DAY,
        Period.DAYS: lambda _, day, count: day + timedelta(days=count + 1),
        Period.WORKING_DAYS: lambda days, day, count: days.after(day, count),
    }
)


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """One rule. A rule is ended by `valid_to` and followed by another, never changed."""

    id: str
    country: str | None
    """None: everywhere."""
    count: int
    period: Period
    counted_from: str
    valid_from: date
    valid_to: date | None = None

    def first_day(self, counted_from: date, days: WorkingDays) -> date:
        """The first day on which an appointment may lie."""
        return _FIRST_DAY[self.period](days, counted_from, self.count)


N37, N38, LEAD_SMS = "N37", "N38", "LEAD-SMS"

RULES = (
    # D-NOT-1, § 37(2) MsbG: three months' information before the first intelligent metering system
    NoticeRule(N37, "DE", 3, Period.MONTHS, "receipt of the last statutory notice", date(2016, 9, 2)),
    # D-NOT-2, § 38 MsbG: a letter that shall give a right of entry, two weeks ahead, with another date to choose
    NoticeRule(N38, "DE", 14, Period.DAYS, "receipt of the letter", date(2016, 9, 2)),
    NoticeRule(LEAD_SMS, None, 3, Period.WORKING_DAYS, "sending of the text", date(2016, 9, 2)),
)


def rule(rule_id: str, country: str, on: date) -> NoticeRule | None:
    """The rule of this name that holds in a country on a day."""
    found = (
        each
        for each in RULES
        if each.id == rule_id
        and each.country in (None, country)
        and each.valid_from <= on
        and (each.valid_to is None or on <= each.valid_to)
    )
    return next(found, None)


def notice_required(country: str, legal_basis: LegalBasis, plan: DevicePlan, on: date) -> bool:
    """N37 applies: a gateway or a control device comes by obligation, not because the customer asked for it."""
    by_law = legal_basis is LegalBasis.MANDATORY
    intelligent = any(item.role in {DeviceRole.SMGW, DeviceRole.CONTROL_BOX} for item in plan.install)
    return by_law and intelligent and rule(N37, country, on) is not None
