"""The journeys that the first orders of a rollout play, one each (journeys page)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from simulators import facts
from simulators.story import NOBODY, Story, Turn, cancelled_at, drawn

OK, LIKELY = ((3.0, "OK {code}"),), ((3.0, "Ok!! {code}"),)
UNCLEAR = ((3.0, "passt, aber erst ab 10 {code}"),)
NOT_HOME, REFUSED = "NOT_AT_HOME/customer_not_home", "NOT_AT_HOME/customer_refuses"
GIVE_UP = {"move": "close_case", "resolution": "no_more_attempts", "reason": "the customer does not want it"}
NOT_NEEDED = {"move": "close_case", "resolution": "not_needed", "reason": "it is there already"}
CANCEL = {"move": "close_case", "resolution": "cancelled", "reason": "the partner withdrew", "customer_informed": True}
REVERSE = {"move": "order_field_visit", "decision": "reverse", "reason": "the partner does not want it"}
BY_PHONE = {"move": "follow_up_manually", "channel": "phone", "reason": "no text reaches the customer"}
GATEWAY = {"plan": "IMSYS", "extra": {"legal_basis": "customer_request"}, "visits": ("COMMS_PENDING",)}


def _move(who: str, state: str, move: str | Mapping[str, Any], **more: Any) -> Turn:
    given = {"move": move} if isinstance(move, str) else move
    return Turn(who, state, "move", MappingProxyType(dict(given)), **more)


def _act(who: str, state: str, act: str, *, given: Mapping[str, Any] = MappingProxyType({}), **more: Any) -> Turn:
    return Turn(who, state, act, given, **more)


def _raised(who: str, state: str, type_: str, **more: Any) -> Turn:
    return Turn(who, state, "raise", {"type": type_}, **more)


def _approved(who: str, state: str, type_: str, **more: Any) -> Turn:
    return Turn(who, state, "approve", {"type": type_}, **more)


def _race(state: str, who: str, against: str, **given: Any) -> Turn:
    return Turn("erp", state, "race", {"who": who, "against": against, **given}, once="appointment_id")


def _wait(state: str, **more: Any) -> Turn:
    return Turn(NOBODY, state, **more)


MF = "MANUAL_FOLLOW_UP"
ANNOUNCED = {"plan": "IMSYS", "parties": ("nb", "lf", "wmsb")}
OBJECTED = {**ANNOUNCED, "market": (("wmsb", "reject:A01:E_0233"),)}
BOTH = {"parties": ("nb", "lf")}
ORDERED, TOO = {"ordered_by": "nb-nord"}, {"also_ordered_by": "lf-nord"}
ANSWERED = _act("mia", "OPEN", "answer", given={"answer": "accepted", "code": "A02"})
SENT_AGAIN = _act("mia", "CLOSED", "resend")
COPIES = 20
SPOILT = ("truncated", "wrong_count", "wrong_total", "wrong_number", "charset", "version", "test", "utf16", "random")
BY_LETTER = (
    _act("anna", "PLANNING", "assign", given={"channel": "letter"}),
    _move("anna", "PLANNING", "prepare_letter", once="appointment_id"),
)
# fmt: off
JOURNEYS: tuple[Mapping[str, Any], ...] = (
    {"journey": "J01"},
    {"journey": "J09", "replies": UNCLEAR},
    {"journey": "J11", "replies": ((120.0, "OK {code}"),), "patient": True, "slot_after_days": 14},
    {"journey": "J19", "visits": (NOT_HOME,)},
    {"journey": "J24", "wrong_serial": True},
    {"journey": "J26", "rework": "desk"},
    {"journey": "J28", "reject": ("2.4",), "fix": "data"},
    {"journey": "J29", "reject": ("2.13",), "fix": "field"},
    {"journey": "J36", "turns": (cancelled_at("OPEN"),)},
    {"journey": "J37", "turns": (cancelled_at("PLANNING"),)},
    {"journey": "J39", "turns": (cancelled_at("AWAITING_REPLY"),)},
    {"journey": "J41", "turns": (cancelled_at("READY"),)},
    {"journey": "J42a", "turns": (cancelled_at("IN_PROGRESS"),)},
    {"journey": "J47", "turns": (cancelled_at("CLOSED"),)},
    {"journey": "J51", "cancelled_before": True},
    {"journey": "J53", "copies": 20},
    {"journey": "J60", "unknown_partner": True, "by_file": True},
    # from here on in the order of the page
    {"journey": "J27", "rework": "field"},
    {"journey": "J33", "second_thoughts": ((48.0, "2.4"),)},
    {"journey": "J44", "visits": (NOT_HOME,), "turns": (cancelled_at("RESOLVED"),)},
    {"journey": "J06a", "texts": ("broken", "broken", "accept")},
    {"journey": "J06b", "texts": ("broken",)},
    {"journey": "J07a", "texts": ("refuse",), "turns": (
        _move("anna", MF, "plan_again"),
        _move("anna", "PLANNING", BY_PHONE, once="appointment_id"),
    )},
    {"journey": "J07b", "receipt": "NOTDELIVERED", "replies": ()},
    {"journey": "J08", "turns": (_act("anna", "PLANNING", "assign", given={"channel": "phone"}),)},
    {"journey": "J10a", "replies": LIKELY, "turns": (
        _move("anna", MF, {"move": "send_to_execution", "reason": "the customer wrote Ok!!", "code": "ok_variant"}),
    )},
    {"journey": "J10b", "replies": LIKELY, "unknown_partner": True, "by_file": True},
    {"journey": "J12", "texts": ("mumble",), "replies": ((0.0, "OK {code}"),)},
    {"journey": "J13a", "replies": ((3.0, "STOP {code}"),), "turns": (
        _move("anna", MF, "plan_again"),
        _move("anna", "PLANNING", "send_booking", once="appointment_id", refused="sms-not-allowed"),
        _move("anna", "PLANNING", BY_PHONE, once="appointment_id"),
    )},
    {"journey": "J13b", "replies": (*OK, (12.0, "STOP {code}"))},
    {"journey": "J16a", "turns": (
        _act("anna", "READY", "absence", days_before=1.0),
        _act("anna", "READY", "colleague"),
    )},
    {"journey": "J16b", "turns": (
        _act("anna", "READY", "absence", days_before=1.0),
        _act("anna", "READY", "another_time"),
    )},
    {"journey": "J18a", "hold_days": 6},
    {"journey": "J18b", "hold_days": 9, "turns": (_move("anna", "ON_HOLD", "contact_made", hours=48.0),)},
    {"journey": "J20a", "visits": (NOT_HOME,) * 3, "turns": (
        _move("anna", "RESOLVED", {"move": "reopen", "reason": "one more try"}, sequence=3),
        _move("anna", "REOPENED", "plan_again", sequence=3, refused="attempts-exhausted"),
        _approved("max", "REOPENED", "three_failed_attempts", sequence=3),
    )},
    {"journey": "J20b", "visits": (NOT_HOME,) * 3},
    {"journey": "J21a", "visits": (REFUSED,), "turns": (_move("anna", "RESOLVED", GIVE_UP),)},
    {"journey": "J21b", "visits": (REFUSED,), "turns": (_approved("max", "RESOLVED", "refusal"),)},
    {"journey": "J22a", **GATEWAY, "turns": (_act("mia", "OPEN", "commission", sequence=2),)},
    {"journey": "J22b", **GATEWAY, "turns": (_act("mia", "OPEN", "commission", sequence=2, hours=96.0),)},
    {"journey": "J22c", **GATEWAY, "turns": (_act("mia", "RESOLVED", "commission", sequence=2),)},
    {"journey": "J22d", **GATEWAY, "turns": (
        _act("mia", "READY", "commission", sequence=2),
        _move("anna", MF, NOT_NEEDED, sequence=2),
    )},
    {"journey": "J23a", "visits": ("DOCS_INCOMPLETE",), "turns": (
        _act("technician", "RESOLVED", "add_evidence", given={"kind": "photo_new_reading"}),
    )},
    {"journey": "J23b", "visits": ("DOCS_INCOMPLETE",), "turns": (
        _move("anna", "OPEN", "start_planning", sequence=2),
        _move("anna", MF, NOT_NEEDED, sequence=2),
    )},
    {"journey": "J25a", "offline": True, "turns": (
        _act("anna", "READY", "another_time", days_before=0.05),
        _wait(MF),
    )},
    {"journey": "J25b", "offline": True, "turns": (
        _act("anna", "READY", "another_time", days_before=0.05),
        _move("anna", MF, "plan_again"),
        _wait("PLANNING"),
    )},
    {"journey": "J30", "reject": ("5.3",), "turns": (
        _raised("mia", MF, "foreign_meter"),
        _approved("max", MF, "foreign_meter"),
    )},
    {"journey": "J32a", "reject": ("2.4",), "second_thoughts": ((24.0, "0.0"),), "turns": (
        _move("mia", MF, {"move": "data_corrected", "reason": "the partner has it"}, hours=48.0),
    )},
    {"journey": "J32b", "reject": ("2.13",), "fix": "field", "second_thoughts": ((24.0, "0.0"),), "turns": (
        _move("anna", "REOPENED", "plan_again", hours=48.0),
    )},
    {"journey": "J40", "replies": UNCLEAR, "turns": (cancelled_at(MF),)},
    {"journey": "J42b", "finishes": True, "turns": (
        cancelled_at("IN_PROGRESS"),
        _wait(MF),
        _move("anna", MF, {**CANCEL, "technician_informed": True}, once="resolved_at", refused="device-on-site"),
    )},
    {"journey": "J43", "turns": (cancelled_at("RESOLVED"),)},
    {"journey": "J45a", "visits": (NOT_HOME,), "turns": (cancelled_at("REOPENED"),)},
    {"journey": "J45b", "hold_days": 12, "turns": (cancelled_at("ON_HOLD"),)},
    {"journey": "J46a", "reject": ("2.4",), "turns": (cancelled_at("REJECTED_BY_MDM"),)},
    {"journey": "J46b", "reject": ("2.4",), "turns": (
        cancelled_at("REJECTED_BY_MDM"),
        _move("anna", MF, REVERSE),
    )},
    {"journey": "J48", "turns": (cancelled_at("RESOLVED"), _move("anna", MF, REVERSE))},
    {"journey": "J49a", "turns": (_race("PLANNING", "anna", "move", move="send_booking"),)},
    {"journey": "J49b", "turns": (_race("AWAITING_REPLY", "anna", "confirm"),)},
    {"journey": "J49c", "turns": (_race("IN_PROGRESS", "technician", "report"),)},
    {"journey": "J49d", "turns": (_race("RESOLVED", "quirin", "review"),)},
    {"journey": "J50", "offline": True, "cases": 2, "turns": (
        cancelled_at("READY", days_before=0.05),
        _approved("max", "CLOSED", "handover_failed", once="handover"),
    )},
    {"journey": "J52", "turns": (
        _act("erp", "READY", "amend", days_before=1.0),
        _move("anna", "READY", "acknowledge_change", once="blockers"),
    )},
    {"journey": "J03b", **OBJECTED, "turns": (
        _act("anna", "OPEN", "resolve", given={"type": "announcement_objected", "decision": "abandon"}, hours=24.0),
    )},
    {"journey": "J04a", "ordered_by": "nb-nord"},
    {"journey": "J04b", "ordered_by": "lf-nord", "turns": (
        _act("mia", "OPEN", "answer", given={"answer": "accepted", "code": "A02"}, hours=2.0),
    )},
    {"journey": "J04c", "ordered_by": "lf-nord", "turns": (
        _act("mia", "OPEN", "answer", given={"answer": "refused", "code": "A01"}, hours=2.0),
    )},
    {"journey": "J05", "mobile": False, "turns": (*BY_LETTER, _act("anna", "AWAITING_REPLY", "confirm", hours=72.0))},
    {"journey": "J07c", "texts": ("refuse",), "turns": (
        _move("anna", MF, "plan_again"),
        _act("anna", "PLANNING", "another_time", given={"channel": "letter"}),
        BY_LETTER[1],
        _act("anna", "AWAITING_REPLY", "confirm", hours=72.0),
    )},
    {"journey": "J15a", "replies": (*OK, (30.0, "Nein {code}")), "turns": (
        _act("anna", MF, "another_time", given={"agreed": True}),
    )},
    {"journey": "J15b", "replies": ((3.0, "Nein {code}"),), "turns": (
        _act("anna", MF, "another_time", given={"agreed": True}),
    )},
    {"journey": "J38", "mobile": False, "turns": (*BY_LETTER, cancelled_at("READY_TO_PRINT"))},
    {"journey": "J63", "parties": ("nb",), "market": (("nb", "correct:priority=70"),)},
    {"journey": "J65a", "slot_after_days": 40},
    {"journey": "J65b", "slot_after_days": 14, "hold_days": 20},
    {"journey": "J54a", "ordered_by": "mdm-b", "ordered_twice": True},
    {"journey": "J54b", "ordered_by": "mdm-b", "ordered_twice": True, "turns": (
        _act("mdm-b", "AWAITING_REPLY", "cancel_second"),
        cancelled_at("READY"),
    )},
    {"journey": "J66", "turns": (
        _raised("quirin", "RESOLVED", "qa_waiver"),
        _approved("quirin", "RESOLVED", "qa_waiver", refused="four-eyes"),
        _approved("max", "RESOLVED", "qa_waiver"),
    )},
    {"journey": "J37b", "turns": (cancelled_at("PLANNING"), _act("erp", MF, "amend"))},
    {"journey": "J28b", "reject": ("2.4",), "turns": (
        _act("mia", MF, "correct", refused="review-missing"),
        _move("mia", MF, {"move": "data_corrected", "reason": "the review is there"}, hours=24.0),
    )},
)
LONG_JOURNEYS: tuple[Mapping[str, Any], ...] = (
    {"journey": "J02", **ANNOUNCED},
    {"journey": "J03a", **OBJECTED, "turns": (
        _move("anna", "OPEN", "start_planning", hours=24.0, refused="announcement-objected"),
        _act("anna", "OPEN", "resolve", given={"type": "announcement_objected", "decision": "wait"}),
        _act("anna", "OPEN", "resolve", given={"type": "announcement_objected", "decision": "carry_on"}, hours=48.0),
    )},
)
"""Those that take months: the customer must have known for so long."""
IN_EDIFACT: tuple[Mapping[str, Any], ...] = (
    {"journey": "J01", "parties": ("nb", "lf", "wmsb")},
    {"journey": "J28", **BOTH, "market": (("nb", "reject:Z88"),)},
    {"journey": "J29", **BOTH, "market": (("nb", "reject:Z88"),), "fix": "field"},
    {"journey": "J32", **BOTH, "market": (("lf", "answer_twice"),)},
    {"journey": "J33", **BOTH, "market": (("nb", "accept_then_reject:Z88"),)},
    {"journey": "J63", **BOTH, "market": (("lf", 'correct:voltage="E05"'),)},
    {"journey": "J30", **BOTH, "market": (("nb", "reject:Z88"),), "turns": (
        _raised("mia", MF, "foreign_meter"),
        _approved("max", MF, "foreign_meter"),
    )},
    {"journey": "J34a", **BOTH, "market": (("nb", "refuse_receipt:Z35"),), "turns": (SENT_AGAIN,)},
    {"journey": "J34b", **BOTH, "market": (("nb", "refuse_syntax:29"),), "turns": (SENT_AGAIN,)},
    {"journey": "J34c", **BOTH, "market": (("nb", "silent"),), "turns": (
        _approved("max", "CLOSED", "handover_silent", hours=480.0),
    )},
    {"journey": "J35", **BOTH, "market": (("lf", "refuse_receipt:Z35"),), "turns": (SENT_AGAIN,)},
    {"journey": "J36", **ORDERED, "turns": (cancelled_at("OPEN"), _wait("OPEN"))},
    {"journey": "J47", **ORDERED, "turns": (cancelled_at("CLOSED"),)},
    {"journey": "J48a", **ORDERED, "turns": (
        cancelled_at("RESOLVED"),
        _wait("RESOLVED"),
        _move("anna", MF, REVERSE),
    )},
    {"journey": "J48b", **BOTH, "market": (("nb", "reject:Z88"),), "turns": (
        cancelled_at("REJECTED_BY_MDM"),
        _move("anna", MF, REVERSE),
    )},
    {"journey": "J48c", **ORDERED, "market": (("nb", "reject:Z88"),), "turns": (
        cancelled_at("REJECTED_BY_MDM"),
        _move("anna", MF, REVERSE),
    )},
    {"journey": "J51a", **BOTH, "cancelled_before": True},
    {"journey": "J51b", **ORDERED, "cancelled_before": True},
    {"journey": "J52", **BOTH, "turns": (
        _act("erp", "READY", "amend", days_before=1.0),
        _move("anna", "READY", "acknowledge_change", once="blockers"),
    )},
    {"journey": "J53a", **ORDERED, "copies": COPIES},
    {"journey": "J53b", **ORDERED, "turns": (_act("nb-nord", "READY", "amend", days_before=1.0),)},
    {"journey": "J54a", **ORDERED, **TOO, "turns": (ANSWERED,)},
    {"journey": "J54b", **ORDERED, **TOO, "turns": (
        ANSWERED,
        _act("lf-nord", "READY", "cancel_second"),
        cancelled_at("READY", hours=24.0),
    )},
    {"journey": "J55a", **BOTH, "market": (("erp", "reject_then_accept:6.4"),)},
    {"journey": "J55b", "ordered_by": "mdm-b", "turns": (_act("mdm-b", "READY", "propose"),)},
    {"journey": "J60a", **ORDERED, "spoilt": SPOILT},
    {"journey": "J60b", "ordered_by": facts.NEWCOMER},
)
"""Those of the market, for partners that speak EDIFACT; beside them what only other dialects have words for."""
VARIANTS = frozenset(
    (
        *("J06a", "J06b", "J07a", "J07b", "J08", "J10b", "J12", "J13a", "J13b", "J16a", "J16b", "J18b", "J20b", "J21b"),
        *("J22b", "J22d", "J23b", "J25b", "J32a", "J32b", "J42b", "J46b", "J49a", "J49b", "J49c", "J49d", "J52"),
        *("J03b", "J04a", "J04c", "J07c", "J15a", "J15b", "J65a", "J65b", "J54b", "J37b", "J28b"),
    )
)
"""Turns of events that tests play and a demonstration can do without: another one shows the same."""
# fmt: on
SHOWN = tuple(journey for journey in JOURNEYS if journey["journey"] not in VARIANTS)
"""What a rollout begins with: withdrawals in every state, holds, exceptions, follow-ups, rejections."""


def stories(cases: int, seed: int) -> Sequence[Story]:
    """The fates of orders 1 to `cases`: by number, never by arrival."""
    return [*played(SHOWN[:cases]), *(drawn(number, seed) for number in range(len(SHOWN) + 1, cases + 1))]


def played(journeys: Sequence[Mapping[str, Any]]) -> list[Story]:
    """One order for each of these journeys."""
    return [replace(Story(number), **journey) for number, journey in enumerate(journeys, 1)]
