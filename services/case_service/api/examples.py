"""One example of every move and of every action: what the OpenAPI document shows, and what tests of rights ask for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastapi.openapi.models import Example

from services.case_service.domain.requests import CaseAction

ID = "0197f000-0000-7000-8000-000000000001"
WHY = "The customer called."
READING = {"obis": "1-0:1.8.0", "reading": "0", "unit": "kWh", "at": "2026-03-09T08:30:00Z", "source": "typed"}
REPORT: Mapping[str, Any] = {
    "result": "OK",
    "arrived_at": "2026-03-09T08:00:00Z",
    "finished_at": "2026-03-09T08:40:00Z",
    "installed": [
        {
            "role": "meter",
            "serial": "NEW1",
            "device_type": "mme-3",
            "at": "2026-03-09T08:30:00Z",
            "comms": "none",
            "registers": [READING],
        }
    ],
    "removed": [
        {
            "role": "meter",
            "serial": "OLD1",
            "at": "2026-03-09T08:20:00Z",
            "destination": "van",
            "registers": [READING | {"reading": "23456"}],
        }
    ],
    "form_key": "meter_exchange",
    "form_version": 1,
    "answers": {"comms_ok": True},
}
EVIDENCE = [{"evidence_id": ID, "kind": "protocol", "sha256": "ab12"}]

# fmt: off
MOVES: Mapping[str, dict[str, Any]] = MappingProxyType({
    "start_planning":     {},
    "prepare_letter":     {},
    "send_booking":       {},
    "follow_up_manually": {"reason": WHY},
    "send_to_execution":  {"reason": WHY, "code": "phone_call"},
    "put_on_hold":        {"return_on": "2026-06-01", "code": "customer_away"},
    "contact_made":       {},
    "plan_again":         {},
    "start":              {},
    "resolve":            {"report": REPORT},
    "reopen":             {"reason": WHY},
    "close_case":         {"resolution": "no_more_attempts", "reason": WHY, "customer_informed": True,
                           "technician_informed": True},
    "take_over":          {},
    "data_corrected":     {"reason": WHY},
    "order_field_visit":  {"reason": WHY, "decision": "reverse"},
    "correct_report":     {"report": REPORT, "reason": WHY},
    "add_evidence":       {"evidence": EVIDENCE},
    "accept_report":      {"conflict_id": ID, "reason": WHY},
    "assign":             {"responsible": ID},
    "set_flag":           {"flag": "IMPORTANT", "expected_edition": 1, "text": "Dog in the yard, ring twice."},
    "acknowledge_change": {},
})
"""What each move needs beside its name and the version."""

ACTIONS: Mapping[CaseAction, dict[str, Any]] = MappingProxyType({
    CaseAction.RAISE_EXCEPTION:   {"type": "qa_waiver", "owner": "person:local:anna", "due_on": "2026-03-20",
                                   "reason": WHY},
    CaseAction.APPROVE_EXCEPTION: {"exception_id": ID, "reason": WHY},
    CaseAction.RESOLVE_EXCEPTION: {"exception_id": ID, "result": "withdrawn"},
    CaseAction.CHECK_GATE:        {},
    CaseAction.ANNOUNCE:          {},
    CaseAction.ANSWER_ORDER:      {"order_key": "erp-a:4711", "answer": "accepted", "code": "Z01"},
    CaseAction.ADD_WORK_ORDER:    {"kind": "repair", "device_plan": {"plan": "MME", "install": [], "remove": []}},
    CaseAction.LINK:              {"linked_case_id": ID, "kind": "same_house"},
})
"""What each action needs beside its name."""
# fmt: on

OFFLINE = frozenset({"start", "resolve"})


def move_body(move: str, version: int = 1) -> dict[str, Any]:
    """The body of a move; clients that may have been offline name no version."""
    return {"move": move, **({} if move in OFFLINE else {"expected_version": version}), **MOVES[move]}


def action_body(action: CaseAction) -> dict[str, Any]:
    """The body of an action."""
    return {"action": str(action), **ACTIONS[action]}


OF_MOVES: dict[str, Example] = {move: Example(value=move_body(move)) for move in MOVES}
OF_ACTIONS: dict[str, Example] = {str(action): Example(value=action_body(action)) for action in ACTIONS}
