"""When receipts and documents of the German market are due: every clock by its rule id (edifact page, 4 and 8)."""

from datetime import date, datetime, timedelta

from kit.workdays import months_later, working_days_after
from services.mdm_adapter.domain.calendar import at_noon, end_of_day, end_of_wait, local_day

QUICK = frozenset({"UTILMD", "ORDERS"})
"""Messages whose receipts are due within minutes."""
SATURDAY = 5
ANNOUNCED_AHEAD, FARTHEST_AHEAD = 3, 15
"""Months before the planned day (or before the first day of a window) in which it is announced."""
RESTART = timedelta(days=56)
"""A rollout that begins again within 8 weeks of its planned day needs no new announcement."""
READING_WINDOW = timedelta(days=28)


def contrl_due(message: str, received_at: datetime) -> datetime:
    """M-CLK-3: when the sender has to know of a fault of syntax."""
    quick = message in QUICK and local_day(received_at).weekday() != SATURDAY
    return received_at + (timedelta(minutes=15) if quick else timedelta(hours=6))


def aperak_due(message: str, received_at: datetime) -> datetime:
    """M-CLK-1 for UTILMD and ORDERS, M-CLK-2 for all others (D-DL-3)."""
    day = local_day(received_at)
    if message not in QUICK:
        return at_noon(working_days_after(day, 1))
    if day.weekday() == SATURDAY:
        return at_noon(day + timedelta(days=1))
    return received_at + timedelta(minutes=45)


def earliest_ordered_day(received_at: datetime, ahead: int) -> date:
    """M-CLK-5: the first day that an order may ask for if so many Werktage have to lie before it (M-DL-09)."""
    day = working_days_after(local_day(received_at), ahead - 1)
    while working_days_after(day, -ahead) < local_day(received_at):
        day += timedelta(days=1)
    return day


def announced_until(planned_on: date, *, competing: bool = False) -> date:
    """M-CLK-6, M-DL-01: the last day on which a gateway's rollout is told; the wMSB answers within 3 Werktage more."""
    day = months_later(planned_on, -ANNOUNCED_AHEAD)
    return working_days_after(day, -3) if competing else day


def earliest_announced(told_on: date, *, competing: bool = False) -> date:
    """M-CLK-6 read the other way: the first day that may be announced on a day."""
    day = months_later(told_on, ANNOUNCED_AHEAD)
    while announced_until(day, competing=competing) < told_on:
        day += timedelta(days=1)
    return day


def may_be_announced(first_day: date, told_on: date) -> bool:
    """M-DL-02: a plain modern meter is announced 3 to 15 months ahead."""
    return months_later(first_day, -FARTHEST_AHEAD) <= told_on <= months_later(first_day, -ANNOUNCED_AHEAD)


def needs_announcing_again(planned_on: date, restarted_on: date) -> bool:
    """M-DL-01: only a rollout that rested for more than 8 weeks."""
    return restarted_on > planned_on + RESTART


def change_of_operator_ordered_until(assignment_ends: date) -> date:
    """M-DL-03: 17009 is sent at least 4 Werktage before the old assignment ends."""
    return working_days_after(assignment_ends, -4)


def change_of_operator_answered_until(appointment: date) -> date:
    """M-DL-03: the answer to 17009 comes 2 Werktage before the appointment; silence means: go on alone."""
    return working_days_after(appointment, -2)


def master_data_due(changed_at: datetime) -> datetime:
    """M-DL-05, D-DL-1: new master data reach the market within 3 Werktage."""
    return end_of_wait(changed_at, 3)


def removal_reading_due(removed_on: date) -> datetime:
    """M-CLK-7, M-DL-06: the 3rd Werktag before the end of day 28 after the removal."""
    return end_of_day(working_days_after(removed_on + READING_WINDOW, -3))


def failure_due(planned_on: date, *, ordered: bool) -> datetime:
    """M-DL-08: an ordered change within 3 Werktage after its confirmed day; M-DL-07: an own rollout within 8 weeks."""
    return end_of_day(working_days_after(planned_on, 3) if ordered else planned_on + RESTART)
