"""How values look on the wire, and what a reader must bear."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.assets import ReadingAnomalyFound
from contracts.cases import ExceptionRaised, WorkOrderMoved, WorkOrderOpened
from contracts.catalogue import EVENTS, Event
from contracts.event import Part
from contracts.handovers import MessageQuarantined
from contracts.notices import ReplyReceived
from contracts.parts import Days, Dec, Time
from contracts.samples import example
from contracts.visits import VisitReported


class Value(Part):
    """Something to write down."""

    number: Dec
    at: Time


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_decimals_are_text_without_exponent() -> None:
    assert json.loads(Value(number=Decimal("1E+3"), at=NOON).model_dump_json())["number"] == "1000"


def test_times_are_told_in_utc_wherever_they_were_taken() -> None:
    taken = NOON.astimezone(timezone(timedelta(hours=2)))
    assert json.loads(Value(number=Decimal(1), at=taken).model_dump_json())["at"] == "2026-03-02T12:00:00Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Value(number=Decimal(1), at=datetime(2026, 3, 2, 12))  # noqa: DTZ001


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="finite"):
        Value(number=Decimal("NaN"), at=NOON)


def test_days_carry_the_names_of_the_page() -> None:
    days = Days(from_=date(2026, 3, 2), to=date(2026, 3, 3))
    assert json.loads(days.model_dump_json(by_alias=True)) == {"from": "2026-03-02", "to": "2026-03-03"}


def test_what_python_keeps_for_itself_has_its_own_name_on_the_wire() -> None:
    assert json.loads(example(ExceptionRaised).to_json())["owner"] == "queue:mdm"
    assert json.loads(example(ReadingAnomalyFound).to_json())["register"] == "1-0:1.8.0"
    assert ExceptionRaised.owner == "case"


def test_what_is_absent_is_not_on_the_wire() -> None:
    assert "due_on" not in json.loads(example(WorkOrderOpened, due_on=None).to_json())


def test_answers_keep_their_nulls() -> None:
    answers = {"remark": None, "rows": [{"seal": None}]}
    assert VisitReported.from_json(example(VisitReported, answers=answers).to_json()).answers == answers


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS.keys())
def test_a_reader_bears_members_that_are_new_to_it(kind: type[Event]) -> None:
    event = example(kind)
    newer = with_new_members(json.loads(event.to_json()))
    assert kind.from_json(json.dumps(newer)) == event


def with_new_members(value: dict[str, object]) -> dict[str, object]:
    """The same object as a newer owner might tell it; maps that belong to others are left alone."""
    free = {"answers", "changed", "schema"}
    newer: dict[str, object] = {"told_since_v1_7": {"deep": [1]}}
    for name, member in value.items():
        if isinstance(member, dict) and name not in free:
            newer[name] = with_new_members(member)
        elif isinstance(member, list):
            newer[name] = [with_new_members(item) if isinstance(item, dict) else item for item in member]
        else:
            newer[name] = member
    return newer


def test_a_reader_bears_codes_of_open_lists_that_are_new_to_it() -> None:
    moved = json.loads(example(WorkOrderMoved).to_json()) | {
        "move": "T99",
        "reason": "brand_new",
        "sub_reason": "flood",
    }
    read = WorkOrderMoved.from_json(json.dumps(moved))
    assert (read.move, read.reason, read.sub_reason) == ("T99", "brand_new", "flood")


def test_a_reader_bears_a_kind_of_work_that_is_new_to_it() -> None:
    opened = json.loads(example(WorkOrderOpened).to_json()) | {"kind": "heat_meter"}
    assert WorkOrderOpened.from_json(json.dumps(opened)).kind == "heat_meter"


def test_an_owner_cannot_tell_a_misspelt_field() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        example(ReplyReceived, confidense="1")


def test_a_text_is_no_code() -> None:
    with pytest.raises(ValidationError, match="pattern"):
        example(WorkOrderMoved, reason="The customer said no")


def test_a_message_without_a_case_has_the_quarantine_as_key() -> None:
    entry = example(MessageQuarantined)
    assert entry.key() == str(entry.case_id)
    assert example(MessageQuarantined, case_id=None).key() == str(entry.quarantine_id)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS.keys())
def test_every_event_has_a_key_that_is_an_own_field(kind: type[Event]) -> None:
    assert kind.key_field in kind.model_fields
    assert example(kind).key()
