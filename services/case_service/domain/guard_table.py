"""The guards as people read them (lifecycle §2.2): when each holds, and the refusals that it answers with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from kit.errors import Forbidden, HubError, NotFound
from services.case_service import errors


class Promise(NamedTuple):
    """One row of the page's table."""

    holds: str
    """When a step may be taken, as far as this guard is asked."""
    refusals: tuple[type[HubError], ...]
    """What it answers else; each has its status and its code."""


def _row(holds: str, *refusals: type[HubError]) -> Promise:
    return Promise(holds, refusals)


# fmt: off
PROMISES: Mapping[str, Promise] = MappingProxyType({
    "G1":  _row("the matrix has a row for state and move", errors.MoveNotAllowed),
    "G2":  _row("the actor has the role", Forbidden),
    "G3":  _row("the order lies in the actor's company and assignment", NotFound),
    "G4":  _row("`expected_version` is the stored version", errors.StaleVersion),
    "G5":  _row("no cancellation waits for a decision", errors.CancellationOpen),
    "G6":  _row("the attempt is not used", errors.AttemptUsed),
    "G7":  _row("responsible, start and estimate are set", errors.NotPlanned),
    "G8":  _row("`bookable_from` is known, and the start is not before it", errors.TooEarly),
    "G9":  _row("lead time of the channel: booking_service decides, its refusal arrives as T05"),
    "G10": _row("there is a mobile number, and texts are allowed", errors.NoMobile, errors.SmsNotAllowed),
    "G11": _row("the postal address is complete", errors.NoAddress),
    "G12": _row("actions on a case but on its exceptions: it was not cancelled or given up", errors.CaseEnded),
    "G13": _row("nothing blocks the order", errors.Blocked),
    "G14": _row("the actor is the responsible technician", errors.NotResponsible),
    "G15": _row("exactly one result with what it needs; a sub-reason where it failed, a text with `other`",
                errors.ResultInvalid),
    "G16": _row("every mandatory field of the form version is filled and valid", errors.FormIncomplete),
    "G17": _row("each planned role has one serial, each serial once, of a planned type",
                errors.SerialTwice, errors.RoleMissingInReport, errors.WrongDeviceType),
    "G18": _row("there is a reason in words", errors.ReasonMissing),
    "G19": _row("there is a return date after today, within 24 months", errors.ReturnDateInvalid),
    "G20": _row("the decision is written down; customer and technician are told where they knew",
                errors.DecisionMissing, errors.CustomerNotInformed, errors.TechnicianNotInformed),
    "G21": _row("nothing that this case installed is on site, or another order carries it", errors.DeviceOnSite),
    "G22": _row("the newest approval names the present evidence, or a waiver is approved", errors.ReviewMissing),
    "G23": _row("a rejection was taken over, a device is on site, or the attempt is used and not withdrawn",
                errors.NothingToCorrect),
    "G24": _row("no rejection is open", errors.RejectionOpen),
    "G25": _row("fewer than three attempts failed, or a second person agreed to another", errors.AttemptsExhausted),
    "G26": _row("no booking request of the order is open", errors.BookingOpen),
    "G27": _row("nobody objects to the announcement", errors.AnnouncementObjected),
    "G28": _row("not_needed: another order of the case did the work", errors.StillNeeded),
})
# fmt: on
