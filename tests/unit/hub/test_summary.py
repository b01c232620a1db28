"""What a rollout came to, counted from what case_service told."""

from hub.summary import cancellations, work_done


def test_what_followed_is_counted_by_its_kind() -> None:
    opened = {"skills": [], "kind": "meter_exchange"}
    said = [
        opened,
        opened | {"predecessor": "a"},
        opened | {"predecessor": "a", "kind": "comms_repair"},
        opened | {"predecessor": "a", "kind": "rework"},
        {"move": "T15"},
        {"move": "T20", "outcome": "FAILED"},
        {"move": "T20", "outcome": "OK"},
    ]
    assert work_done(said) == {"failed_visits": 1, "again": 1, "comms": 1, "rework": 1, "reversals": 0, "holds": 1}


def test_withdrawals_are_counted_by_the_state_that_they_met() -> None:
    said = [
        {"move": "T28", "reason": "cancelled_by_partner", "from_state": "OPEN"},
        {"move": "T28", "reason": "order_refused", "from_state": "OPEN"},
        {"move": "T29", "reason": "cancelled_by_partner", "from_state": "READY"},
        {"move": "T30", "reason": "cancelled_by_partner", "from_state": "RESOLVED"},
        {"type": "cancelled_after_done", "raised_by": "system:case_service"},
        {"type": "cancelled_after_done", "raised_by": "system:case_service", "work_order_id": "w"},
        {"type": "cancelled_after_done", "approver": "person:local:max"},
    ]
    found = {state: count for state, count in cancellations(said).items() if count}
    assert found == {"OPEN": 1, "READY": 1, "RESOLVED": 1, "CLOSED": 1}
    assert len(cancellations(said)) == 12
