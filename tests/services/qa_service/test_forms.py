"""Forms over HTTP: which one counts, and whether answers satisfy it before a report is sent."""

from typing import Any

import pytest

from contracts.codes import WorkOrderKind
from tests.services.qa_service.story import ANSWERS, KINDS, Gate, reported

VALIDATE = "/v1/forms/meter_exchange/1/validate"


@pytest.mark.parametrize("kind", list(WorkOrderKind))
async def test_every_kind_of_work_order_has_its_form(gate: Gate, kind: WorkOrderKind) -> None:
    (form,) = (await gate.get(f"/v1/forms?work_kind={kind}")).json()["items"]
    assert (form["form_key"], form["form_version"], form["operator"]) == ("meter_exchange", 1, "default")
    assert {each["kind"] for each in form["evidence_plan"]} >= set(KINDS)
    assert form["schema"]["additionalProperties"] is False


async def test_an_unknown_kind_has_no_form_and_an_operator_gets_the_default(gate: Gate) -> None:
    assert (await gate.get("/v1/forms?work_kind=gardening")).json()["items"] == []
    assert len((await gate.get("/v1/forms?operator=stadtwerk")).json()["items"]) == 1


async def test_complete_answers_and_evidence_are_valid(gate: Gate) -> None:
    checked = await _validate(gate, answers=ANSWERS, evidence_kinds=KINDS)
    assert checked == {"valid": True, "missing": [], "problems": [], "warnings": []}


async def test_what_is_missing_and_what_is_wrong_are_told_apart(gate: Gate) -> None:
    answers = {"installation_safe": "yes", "seal_no": "ö"}
    checked = await _validate(gate, answers=answers, evidence_kinds=["photo_new_meter"] * 4)
    assert not checked["valid"]
    assert [(each["pointer"], each["code"]) for each in checked["problems"]] == [
        ("/installation_safe", "type"),
        ("/seal_no", "pattern"),
        ("/evidence_kinds", "evidence_too_many"),
    ]
    assert [each["params"].get("kind", each["pointer"]) for each in checked["missing"]] == [
        "/customer_present",
        "photo_old_meter",
        "photo_old_reading",
        "photo_new_reading",
    ]
    assert "ö" not in str(checked)


async def test_partial_answers_are_not_asked_for_the_rest(gate: Gate) -> None:
    checked = await _validate(gate, answers={"installation_safe": True}, partial=True)
    assert (checked["valid"], checked["missing"]) == (True, [])


async def test_an_unsafe_installation_needs_a_remark(gate: Gate) -> None:
    unsafe = {"installation_safe": False, "customer_present": True}
    checked = await _validate(gate, answers=unsafe, evidence_kinds=KINDS)
    assert [each["pointer"] for each in checked["missing"]] == ["/remark"]


async def test_evidence_is_asked_for_by_what_was_done(gate: Gate) -> None:
    kinds = ["photo_new_meter", "photo_new_reading"]
    assert (await _validate(gate, answers=ANSWERS, evidence_kinds=kinds, removed=0))["valid"]
    assert (await _validate(gate, answers=ANSWERS, installed=0, removed=0))["valid"]
    assert not (await _validate(gate, answers=ANSWERS, evidence_kinds=kinds))["valid"]


async def test_evidence_that_no_plan_knows_is_only_a_warning(gate: Gate) -> None:
    checked = await _validate(gate, answers=ANSWERS, evidence_kinds=[*KINDS, "drawing"])
    assert (checked["valid"], [each["code"] for each in checked["warnings"]]) == (True, ["evidence_unplanned"])


async def test_an_unknown_version_is_not_found_here_and_a_finding_of_a_visit(gate: Gate) -> None:
    assert (await gate.post("/v1/forms/meter_exchange/9/validate", {"answers": {}})).status_code == 404
    await gate.uploads()
    await gate.stage.hears(reported(form_version=9))
    assert ("Q02", "form") in await gate.errors()


async def _validate(gate: Gate, **body: Any) -> dict[str, Any]:
    answer = await gate.post(VALIDATE, body, role="technician")
    assert answer.status_code == 200, answer.text
    checked: dict[str, Any] = answer.json()
    return checked
