"""The two matrices of the lifecycle (§2.3 state × move, §2.4 state × incoming event): what is legal, and what happens.

A cell lists its choices, parted by `/`; `·` is none. `T04+T07` is two steps in one.
"""

# ruff: noqa: E501 - the tables are as wide as the page's

from collections.abc import Mapping
from types import MappingProxyType

from services.case_service.domain.states import Column

Cells = Mapping[str, Mapping[Column, tuple[str, ...]]]

MOVES_TABLE = """
start_planning      | T01  | ·    | ·    | ·    | ·       | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·
prepare_letter      | ·    | T02  | ·    | ·    | ·       | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·
send_booking        | ·    | T04  | ·    | ·    | ·       | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·
follow_up_manually  | ·    | T32  | T32  | T10  | ·       | T32  | ·    | ·    | ·    | T32  | ·    | ·    | ·    | ·
send_to_execution   | ·    | ·    | ·    | ·    | T12     | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·
put_on_hold         | ·    | T15  | T15  | T15  | T15     | T15  | ·    | ·    | ·    | T15  | ·    | ·    | ·    | ·
contact_made        | ·    | ·    | ·    | ·    | ·       | ·    | ·    | ·    | ·    | ·    | T16  | ·    | ·    | ·
plan_again          | ·    | ·    | ·    | ·    | T17     | ·    | ·    | ·    | ·    | T23  | T17  | ·    | ·    | ·
start               | ·    | ·    | ·    | ·    | ·       | T18  | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·
resolve             | conf | conf | conf | conf | T19/rec | T19  | T20  | conf | conf | conf | conf | conf | conf | conf
reopen              | ·    | ·    | ·    | ·    | ·       | ·    | ·    | ·    | T22  | ·    | ·    | ·    | ·    | ·
close_case          | ·    | ·    | ·    | ·    | T31     | ·    | ·    | ·    | T24  | ·    | ·    | ·    | ·    | ·
take_over           | ·    | ·    | ·    | ·    | ·       | ·    | ·    | ·    | ·    | ·    | ·    | T26  | ·    | ·
data_corrected      | ·    | ·    | ·    | ·    | T27     | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·
order_field_visit   | ·    | ·    | ·    | ·    | T33     | ·    | ·    | T33  | ·    | ·    | ·    | ·    | ·    | ·
correct_report      | ·    | ·    | ·    | ·    | ok      | ·    | ·    | ok   | ok   | ·    | ·    | ·    | ·    | ·
add_evidence        | ·    | ·    | ·    | ·    | ok      | ·    | ·    | ok   | ok   | ·    | ·    | ·    | ·    | ·
accept_report       | ·    | ·    | ·    | ·    | T19/rec | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·    | ·
assign              | ok   | ok   | ok   | ok   | ok      | ok   | ·    | ·    | ok   | ok   | ok   | ok   | ·    | ·
set_flag            | ok   | ok   | ok   | ok   | ok      | ok   | ok   | ok   | ok   | ok   | ok   | ok   | ·    | ·
acknowledge_change  | ok   | ok   | ok   | ok   | ok      | ok   | ok   | ok   | ok   | ok   | ok   | ok   | ·    | ·
"""

EVENTS_TABLE = """
OrderReceived (known order)          | T34      | T34          | T34          | T34      | T34              | T34      | T34       | T34      | T34       | T34       | T34       | T34  | new  | new
OrderAmended                         | T34      | T34          | T34          | T34      | T34              | T34      | T34       | T34      | T34       | T34       | T34       | T34  | late | late
MasterDataReceived                   | T34      | T34          | T34          | T34      | T34              | T34      | T34       | T34      | T34       | T34       | T34       | T34  | upd  | late
OrderCancelled                       | T28      | T29          | T29          | T29      | T29              | T29      | T29       | T30      | T30       | T29       | T29       | T29  | upd  | upd
BookableFromSet                      | upd      | upd          | upd          | upd      | upd              | upd      | upd       | late     | late      | upd       | upd       | late | late | late
AppointmentProposed                  | anom     | upd          | upd          | anom     | T14              | anom     | anom      | late     | late      | anom      | late      | anom | late | late
AppointmentMoved                     | anom     | upd          | T32          | upd/T32  | T14              | upd/T32  | late      | late     | late      | anom      | late      | anom | late | late
AppointmentOffered                   | anom     | upd          | upd          | late     | upd              | late     | late      | late     | late      | anom      | late      | anom | late | late
AppointmentConfirmed                 | anom     | T04+T07      | T03+T07      | T07      | T13/T12/T11/late | upd      | late      | late     | late      | late      | late      | late | late | late
AppointmentQuestioned                | anom     | T05/late     | T05/late     | T08      | upd              | T32/upd  | late      | late     | late      | late      | upd       | late | late | late
WorkOrderAwarded, AwardAnswered      | upd      | upd          | upd          | upd      | upd              | upd      | late      | late     | late      | upd       | upd       | late | late | late
AnswerOverdue                        | anom     | late         | late         | T09      | late             | late     | late      | late     | late      | late      | late      | late | late | late
AppointmentReleased                  | late     | upd          | T32/upd      | T32/upd  | upd              | T32/upd  | anom      | late     | late      | late      | upd       | late | late | late
AppointmentKept, AppointmentMissed   | anom     | late         | late         | late     | late             | late     | late      | upd      | upd       | upd       | late      | upd  | upd  | upd
NoticeSent                           | upd      | T04/upd/late | T03/upd/late | upd      | T11/upd          | upd      | upd/late  | upd/late | upd/late  | upd/late  | upd/late  | upd/late | late | late
NoticeFailed permanent               | upd      | T05          | T05          | T05      | upd              | upd      | late      | late     | late      | late      | late      | late | late | late
NoticeFailed transient               | upd      | T06          | T06          | upd      | upd              | upd      | late      | late     | late      | late      | late      | late | late | late
NoticeDelivered                      | upd      | upd          | upd          | upd      | upd              | upd      | late      | late     | late      | late      | late      | late | late | late
LetterPrepared                       | upd      | late         | upd          | late     | upd              | late     | late      | late     | late      | late      | late      | late | late | late
LetterPrinted                        | upd      | late         | T03          | upd      | upd              | late     | late      | late     | late      | late      | late      | late | late | late
CustomerOptedOut                     | upd      | upd/T05      | upd          | T08      | upd              | upd      | upd       | upd      | upd       | upd       | upd       | upd  | late | late
ReplyReceived (any reading)          | anom     | upd          | upd          | upd      | upd              | upd      | late      | late     | late      | late      | upd       | late | late | late
MaterialReserved                     | upd      | upd          | upd          | upd      | upd              | upd      | late      | late     | late      | late      | late      | late | late | late
MaterialMissing                      | upd      | upd          | upd          | upd      | upd              | upd      | late      | late     | late      | late      | late      | late | late | late
DeviceInstalled, DeviceRemoved       | anom     | anom         | anom         | anom     | upd              | anom     | anom      | upd      | anom      | upd       | anom      | upd  | upd  | upd/anom
DeviceCommissioned                   | T28/anom | T32/anom     | T32/anom     | T32/anom | upd              | T32/anom | late/anom | upd      | anom      | upd       | upd/anom  | upd  | upd  | upd
CommissioningPending                 | anom     | anom         | anom         | anom     | upd              | anom     | anom      | upd      | anom      | upd       | anom      | upd  | upd  | upd/anom
DeviceMismatch, ReadingAnomalyFound  | anom     | anom         | anom         | anom     | upd              | anom     | anom      | upd      | upd       | upd       | anom      | upd  | late | late
CalibrationFellDue                   | upd      | upd          | upd          | upd      | upd              | upd      | upd       | upd      | upd       | upd       | upd       | upd  | new  | new
ReviewOpened                         | anom     | anom         | anom         | anom     | upd              | anom     | anom      | upd      | anom      | late      | anom      | late | late | late
ReviewApproved                       | T28/anom | T32/anom     | T32/anom     | T32/anom | upd              | T32/anom | upd/anom  | T21      | upd/anom  | upd/anom  | upd/anom  | late | late | late
ReworkRequested desk                 | anom     | anom         | anom         | anom     | upd              | anom     | anom      | upd      | anom      | late      | anom      | late | anom | late
ReworkRequested field                | anom     | anom         | anom         | anom     | upd              | anom     | anom      | T33      | anom      | late      | anom      | late | anom | late
HandoverSent, HandoverAcknowledged (exchange) | anom | anom    | anom         | anom     | late             | anom     | anom      | anom     | anom      | late      | anom      | late | upd  | late
HandoverAccepted (exchange)          | anom     | anom         | anom         | anom     | late             | anom     | anom      | anom     | anom      | late      | anom      | late | upd  | late
HandoverRejected (exchange)          | anom     | anom         | anom         | anom     | late             | anom     | anom      | anom     | anom      | late      | anom      | late | T25  | late
HandoverFailed (exchange)            | anom     | anom         | anom         | anom     | late             | anom     | anom      | anom     | anom      | late      | anom      | late | upd  | late
Handover… (announced)                | upd      | upd          | upd          | upd      | upd              | upd      | late      | late     | late      | upd       | upd       | late | late | late
Handover… (not completed, cancelled) | late     | upd          | late         | late     | upd              | late     | late      | late     | upd       | upd       | upd       | late | upd  | upd
"""


def _cells(table: str) -> Cells:
    rows = {}
    for line in table.strip().splitlines():
        names, *cells = (cell.strip() for cell in line.split("|"))
        choices = [() if cell == "·" else tuple(cell.split("/")) for cell in cells]
        rows[names] = MappingProxyType(dict(zip(Column, choices, strict=True)))
    return MappingProxyType(rows)


MOVES = _cells(MOVES_TABLE)
"""What a person may ask for, by the name of the move."""

EVENTS = _cells(EVENTS_TABLE)
"""What a fact does that we hear, by the row's name on the page."""


def steps(choice: str) -> tuple[str, ...]:
    """The transitions of a choice; none for `upd`, `late` and the like."""
    return tuple(part for part in choice.split("+") if part.startswith("T"))


def possible_moves(column: Column) -> tuple[str, ...]:
    """What a person may ask for here, before guards."""
    return tuple(move for move, cells in MOVES.items() if cells[column] and cells[column] != ("conf",))
