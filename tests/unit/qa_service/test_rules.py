"""Every rule with a hit, a near miss and, where there is one, a missing input."""

from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from contracts.codes import Comms, DeviceRole, ReworkReason, Severity
from contracts.parts import DevicePlan, PlanItem, PlannedRemoval
from services.qa_service import rules
from services.qa_service.domain.facts import Hit, Item, VisitFacts
from services.qa_service.domain.records import DeviceFact, FactKind
from services.qa_service.rules import (
    capture_time,
    comms,
    device_mismatch,
    form_valid,
    mandatory_evidence,
    plan_complete,
    reading_anomaly,
    removed_kept,
    times_plausible,
)
from tests.unit.qa_service.builders import (
    ARRIVED,
    FINISHED,
    KINDS,
    NOW,
    an_item,
    facts,
    installed,
    removed,
)

NOTHING = DevicePlan(plan="MME", install=(), remove=())
FULL = tuple(an_item(at, kind) for at, kind in enumerate(KINDS))


def asked(rule: ModuleType, about: VisitFacts) -> list[Hit]:
    found: list[Hit] = rule.check(about, rule.RULE.params)
    return found


def texts(rule: ModuleType, **changes: Any) -> list[tuple[str, str]]:
    return [(str(hit.target), hit.text_key) for hit in asked(rule, facts(**changes))]


def told(kind: FactKind, **more: Any) -> DeviceFact:
    return DeviceFact(kind=kind, device_id=UUID(int=0xDE), **more)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.RULE.id)
def test_a_good_visit_gives_no_finding(rule: ModuleType) -> None:
    assert asked(rule, facts()) == []


def test_every_rule_is_listed_once_and_has_its_test_here() -> None:
    folder = Path(rules.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert {module.__name__.rpartition(".")[2] for module in rules.RULES} == files
    ids = [module.RULE.id for module in rules.RULES]
    assert ids == sorted(set(ids))
    here = Path(__file__).read_text(encoding="utf-8")
    assert [rule for rule in ids if f"def test_{rule}_" not in here] == []


def test_Q01_an_item_of_the_plan_is_missing() -> None:
    assert texts(mandatory_evidence, items=FULL[1:]) == [("photo_old_meter", "evidence_missing")]


def test_Q01_an_item_that_is_named_and_not_stored_is_awaited() -> None:
    awaited = an_item(0, KINDS[0], stored=False)
    assert texts(mandatory_evidence, items=(awaited, *FULL[1:])) == [(str(awaited.ref.evidence_id), "evidence_awaited")]


@pytest.mark.parametrize("change", [{"sha256_received": "0" * 64}, {"kind": "other"}])
def test_Q01_what_is_stored_is_not_what_was_named(change: dict[str, str]) -> None:
    item = an_item(0, KINDS[0])
    assert item.stored is not None
    for name, value in change.items():
        setattr(item.stored, name, value)
    assert texts(mandatory_evidence, items=(item, *FULL[1:])) == [(str(item.ref.evidence_id), "evidence_differs")]


def test_Q01_what_was_not_done_needs_no_photo() -> None:
    new_only = tuple(each for each in FULL if "new" in each.ref.kind)
    assert texts(mandatory_evidence, items=new_only, removed=()) == []
    assert texts(mandatory_evidence, items=(), removed=(), installed=()) == []


def test_Q01_what_the_technician_says_is_missing_is_asked_for() -> None:
    assert texts(mandatory_evidence, missing=("protocol",)) == [("protocol", "evidence_missing")]
    (hit,) = asked(mandatory_evidence, facts(missing=("protocol",)))
    assert hit.reason is ReworkReason.PROTOCOL
    here = (*FULL, an_item(9, "protocol"))
    assert texts(mandatory_evidence, missing=("protocol",), items=here) == []


def test_Q01_without_a_known_form_only_what_was_named_is_asked() -> None:
    assert texts(mandatory_evidence, form=None, items=()) == []


def test_Q02_a_wrong_answer_is_named_by_its_field() -> None:
    answers = {"installation_safe": True, "customer_present": True, "seal_no": "A-18!"}
    assert texts(form_valid, answers=answers) == [("seal_no", "answer_pattern")]


def test_Q02_an_answer_that_just_fits_is_none() -> None:
    answers = {"installation_safe": True, "customer_present": True, "seal_no": "A" * 20}
    assert texts(form_valid, answers=answers) == []


def test_Q02_a_missing_answer_and_one_that_nobody_asked_for() -> None:
    answers = {"installation_safe": True, "müller": "canary"}
    assert texts(form_valid, answers=answers) == [
        ("answers", "answer_condition"),
        ("customer_present", "answer_required"),
    ]


def test_Q02_a_version_that_nobody_knows_is_one_finding() -> None:
    assert texts(form_valid, form=None) == [("form", "form_unknown")]


@pytest.mark.parametrize(
    ("captured_at", "offset", "outside"),
    [
        (datetime.fromisoformat("2026-12-14T07:50:00Z"), 0, False),
        (datetime.fromisoformat("2026-12-14T07:49:00Z"), 0, True),
        (datetime.fromisoformat("2026-12-14T08:55:00Z"), 0, False),
        (datetime.fromisoformat("2026-12-14T08:56:00Z"), 0, True),
        (datetime.fromisoformat("2026-12-14T07:49:00Z"), -60, False),  # the device's clock is a minute slow
        (datetime.fromisoformat("2026-12-14T07:50:00Z"), 60, True),
    ],
)
def test_Q04_a_photo_outside_the_visit(captured_at: datetime, offset: int, outside: bool) -> None:
    item = an_item(0, KINDS[0], captured_at=captured_at)
    expected = [(str(item.ref.evidence_id), "captured_outside_visit")] if outside else []
    assert texts(capture_time, items=(item,), clock_offset_s=offset) == expected


def test_Q04_a_photo_without_a_time_is_a_finding_and_another_document_is_not() -> None:
    photo, paper = an_item(0, KINDS[0], captured_at=None), an_item(1, "protocol", captured_at=None)
    assert texts(capture_time, items=(photo, paper)) == [(str(photo.ref.evidence_id), "capture_time_missing")]


def test_Q04_the_report_may_tell_the_time_and_awaited_photos_are_not_asked() -> None:
    photo = an_item(0, KINDS[0], captured_at=None)
    timed = Item(photo.ref.model_copy(update={"captured_at": FINISHED}), photo.stored)
    assert texts(capture_time, items=(timed, an_item(1, KINDS[1], stored=False))) == []


def test_Q07_a_mismatch_is_as_bad_as_it_was_told() -> None:
    fact = told(FactKind.MISMATCH, rule="M4", severity=Severity.WARNING, target="meter", visit_version=1)
    (hit,) = asked(device_mismatch, facts(heard=(fact,)))
    assert (hit.target, hit.text_key, hit.severity) == ("meter", "mismatch_M4", Severity.WARNING)


def test_Q07_a_mismatch_of_an_older_report_was_corrected() -> None:
    fact = told(FactKind.MISMATCH, rule="M4", severity=Severity.ERROR, target="meter", visit_version=1)
    assert texts(device_mismatch, heard=(fact,), visit_version=2) == []


def test_Q08_a_silent_device_is_an_error() -> None:
    assert texts(comms, installed=(installed(comms=Comms.PENDING),)) == [("meter", "not_commissioned")]
    assert texts(comms, installed=(installed("smgw", Comms.NONE),)) == [("smgw", "not_commissioned")]


def test_Q08_a_device_that_talks_or_never_does_is_none() -> None:
    assert texts(comms, installed=(installed("smgw", Comms.OK), installed("meter", Comms.NONE))) == []


def test_Q08_an_open_follow_up_covers_it() -> None:
    assert texts(comms, installed=(installed(comms=Comms.FAILED),), follow_up=True) == []


def test_Q08_the_newest_word_of_the_head_end_counts() -> None:
    silent, talking = installed("smgw", Comms.PENDING), installed("smgw", Comms.OK)
    commissioned = told(FactKind.COMMISSIONED, role=DeviceRole.SMGW)
    pending = told(FactKind.PENDING, role=DeviceRole.SMGW)
    assert texts(comms, installed=(silent,), heard=(pending, commissioned)) == []
    assert texts(comms, installed=(talking,), heard=(pending,)) == [("smgw", "not_commissioned")]
    other_role = told(FactKind.COMMISSIONED, role=DeviceRole.METER)
    assert texts(comms, installed=(silent,), heard=(other_role,)) == [("smgw", "not_commissioned")]


def test_Q09_an_anomaly_names_the_register_and_an_older_one_is_none() -> None:
    fact = told(FactKind.ANOMALY, rule="R2", severity=Severity.ERROR, target="1-0:1.8.0", visit_version=1)
    assert texts(reading_anomaly, heard=(fact,)) == [("1-0:1.8.0", "anomaly_R2")]
    assert texts(reading_anomaly, heard=(fact,), visit_version=2) == []


def test_Q11_a_role_is_missing_another_was_not_planned() -> None:
    assert texts(plan_complete, installed=(installed("antenna"),)) == [
        ("meter", "device_missing"),
        ("antenna", "device_unplanned"),
    ]


def test_Q11_quantities_are_counted() -> None:
    two = DevicePlan(plan="IMSYS_MULTI", install=(PlanItem(role="meter", quantity=2, alternatives=()),), remove=())
    assert texts(plan_complete, device_plan=two) == [("meter", "device_missing")]
    assert texts(plan_complete, device_plan=two, installed=(installed(), installed())) == []
    assert texts(plan_complete, device_plan=NOTHING, installed=()) == []


@pytest.mark.parametrize(
    ("minutes", "found"), [(4, ["duration"]), (5, []), (240, []), (241, ["duration"]), (0, ["finished_before_arrival"])]
)
def test_Q12_a_visit_lasts_from_five_minutes_to_four_hours(minutes: int, found: list[str]) -> None:
    begun = NOW - timedelta(minutes=minutes)
    assert [text for _, text in texts(times_plausible, arrived_at=begun, finished_at=NOW)] == found


def test_Q12_nobody_is_done_in_the_future() -> None:
    late = NOW + timedelta(seconds=1)
    assert texts(times_plausible, arrived_at=ARRIVED, finished_at=late) == [("finished_at", "in_the_future")]


def test_Q13_an_old_device_is_not_reported_removed() -> None:
    assert texts(removed_kept, removed=()) == [("meter", "device_not_removed")]
    assert texts(removed_kept, removed=(removed("smgw"),)) == [("meter", "device_not_removed")]


def test_Q13_more_than_planned_is_none_and_each_one_is_counted() -> None:
    assert texts(removed_kept, removed=(removed(), removed())) == []
    meters = (PlannedRemoval(role="meter"), PlannedRemoval(role="meter"))
    assert texts(removed_kept, device_plan=DevicePlan(plan="MME", install=(), remove=meters)) == [
        ("meter", "device_not_removed")
    ]


def test_a_broken_rule_is_a_finding_of_its_own_and_hides_no_other() -> None:
    def breaks(about: VisitFacts, params: Any) -> list[Hit]:
        raise KeyError("canary")

    broken = SimpleNamespace(RULE=form_valid.RULE, check=breaks)
    verdicts = rules.ask(facts(removed=()), [broken, removed_kept])  # type: ignore[list-item]
    assert [(each.rule.id, each.broken, [hit.text_key for hit in each.hits]) for each in verdicts] == [
        ("Q02", True, ["rule-broken"]),
        ("Q13", False, ["device_not_removed"]),
    ]
    assert verdicts[0].hits[0].severity is Severity.ERROR
    assert "canary" not in str(verdicts[0].hits[0].params)
