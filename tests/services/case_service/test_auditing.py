"""What the audit tells of a case: who, when, old and new, why; the gate counts it, people take it along."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kit import tables
from kit.auth import Scope
from kit.proof import prove
from kit.trail import Exported, misfits
from services.case_service.domain.changes import ACTIONS, HIDDEN
from tests.services.case_service.story import LATER, Story, cancelled
from tests.unit.case_service import facts
from tests.unit.case_service.builders import TECHNICIAN, a_report

SECRETS = ("Muster", "Hauptstr", "+49", "erika", "Klingel", "the customer begged")


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def changes(story: Story) -> list[tuple[str, str, dict[str, Any]]]:
    """Rows that tell of a change, in the order of their numbers: action, actor, details."""
    rows = [row for row in await story.stage.rows("audit") if row.action in ACTIONS]
    found = [(row.action, row.actor, json.loads(row.details)) for row in rows]
    return sorted(found, key=lambda each: each[2]["change"])


async def last(story: Story, action: str) -> tuple[str, dict[str, Any]]:
    """Actor and details of the newest row with this action."""
    return next((actor, details) for name, actor, details in reversed(await changes(story)) if name == action)


async def rules(story: Story) -> set[str]:
    return {rule for _, _, details in await changes(story) for rule in details.get("rules", ())}


async def test_S0_28_a_move_says_who_from_where_to_where_and_why(story: Story) -> None:
    await story.moves("anna", "start_planning", responsible=str(TECHNICIAN))
    actor, details = await last(story, "work_order:move")
    assert actor == "person:local:anna"
    assert (details["move"], details["from"], details["to"], details["version"]) == ("T01", "OPEN", "PLANNING", 2)
    assert details["set"] == {"responsible": [None, str(TECHNICIAN)]}
    assert details["cause"].startswith("http:")


async def test_S0_28_a_change_without_a_move_says_old_and_new(story: Story) -> None:
    await story.moves("anna", "assign", responsible=str(TECHNICIAN))
    await story.moves("dora", "assign", responsible=None)
    actor, details = await last(story, "work_order:change")
    assert (actor, details["reason"]) == ("person:local:dora", "assigned")
    assert details["set"] == {"responsible": [str(TECHNICIAN), None]}


async def test_S0_28_an_event_of_another_service_is_the_cause_of_what_it_changed(story: Story) -> None:
    await story.is_booked()
    actor, details = await last(story, "work_order:move")
    heard = {str(row.event_id) for row in await story.stage.rows("inbox")}
    assert (actor, details["to"], details["cause"] in heard) == ("system:case_service", "READY", True)


async def test_S0_28_flags_are_told_and_their_words_are_not(story: Story) -> None:
    await story.moves("anna", "set_flag", flag="IMPORTANT", text="the customer begged")
    _, details = await last(story, "case:change")
    assert details["set"]["flags"] == [[], ["IMPORTANT"]]
    assert details["set"]["flag_text"] == HIDDEN


async def test_S0_28_a_blocker_is_told_by_its_name(story: Story) -> None:
    await story.moves("anna", "set_flag", blocker="PERMIT_OPEN", text="the customer begged")
    _, details = await last(story, "work_order:change")
    assert details["set"] == {"blockers": [[], ["PERMIT_OPEN"]]}


async def test_S0_28_the_words_of_a_person_are_named_by_their_id(story: Story) -> None:
    await story.moves("anna", "start_planning")
    await story.moves("anna", "put_on_hold", return_on="2026-04-01", reason="the customer begged")
    (words,) = await story.stage.rows("reasons")
    _, details = await last(story, "case:words")
    assert (details["words"], details["step"]) == (str(words.words_id), "put_on_hold")


async def test_S0_28_an_exception_is_told_from_its_raising_to_its_end(story: Story) -> None:
    due = (story.stage.clock.now() + timedelta(days=3)).date().isoformat()
    given = {"type": "qa_waiver", "reason": "the customer begged", "owner": "qa", "due_on": due}
    answer = await story.acts("anna", "raise_exception", **given)
    assert answer.status_code == 200, answer.text
    raised = (await story.case()).exceptions[0]
    assert (await story.acts("quirin", "approve_exception", exception_id=str(raised.exception_id))).status_code == 200
    rows = [(actor, details) for name, actor, details in await changes(story) if name == "exception:change"]
    assert [details["exception"] for _, details in rows] == [str(raised.exception_id)] * 2
    assert rows[0][1]["set"]["state"] == [None, "RAISED"]
    assert (rows[1][0], rows[1][1]["set"]["state"]) == ("person:local:quirin", ["RAISED", "APPROVED"])


async def test_S0_28_references_devices_and_handovers_are_told(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    names = {name for name, _, _ in await changes(story)}
    assert names >= {"case:change", "order:change", "device:change", "handover:change", "work_order:move"}


async def test_S0_28_each_version_of_a_work_order_has_one_row_and_every_row_its_number(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    case, found = await story.case(), await changes(story)
    versions = [
        details["version"] for name, _, details in found if name.startswith("work_order:") and "version" in details
    ]
    assert versions == list(range(1, case.by_sequence[0].version + 1))
    assert [details["change"] for _, _, details in found] == list(range(1, case.audited + 1))


async def test_S0_28_nothing_personal_and_no_words_stand_in_the_audit(story: Story) -> None:
    await story.moves("anna", "set_flag", flag="IMPORTANT", text="the customer begged")
    await story.is_booked()
    await story.is_visited()
    case = await story.case()
    assert case.contact is not None
    secrets = [*SECRETS, case.contact.name, case.contact.phone or SECRETS[0], case.address.street]
    said = " ".join(row.details for row in await story.stage.rows("audit"))
    assert [secret for secret in secrets if secret in said] == []


async def test_S0_28_looking_writes_no_change(story: Story) -> None:
    before = await changes(story)
    case = await story.case()
    async with story.person("anna") as anna:
        for path in (
            f"cases/{case.case_id}",
            f"cases/{case.case_id}/gate",
            f"work-orders/{case.work_orders[0].work_order_id}/moves",
        ):
            assert (await anna.get(f"/v1/{path}")).status_code == 200
    assert await changes(story) == before


async def test_S0_28_a_refused_move_stands_with_its_case(story: Story) -> None:
    await story.asks("anna", "reopen")
    case = await story.case()
    (refused,) = [row for row in await story.stage.rows("audit") if row.action == "refused:move:reopen"]
    assert refused.subject == f"work_order/{case.case_id}/1"


@pytest.mark.parametrize(
    ("who", "method", "path", "body"),
    [
        ("anna", "GET", "cases/{}/contact", None),
        ("anna", "GET", "cases/{}/gate", None),
        ("anna", "GET", "cases/{}/audit", None),
        ("anna", "PATCH", "cases/{}", {"expected_version": 1, "flags": ["DIFFICULT"]}),
        ("anna", "PATCH", "cases/{}/contact", {"expected_version": 1, "language": "nl"}),
        ("anna", "POST", "cases/{}/actions", {"action": "check_gate"}),
        ("max", "POST", "erasures", {"case_id": "{}", "reason": "wrote"}),
    ],
    ids=str,
)
async def test_S0_28_the_id_of_a_work_order_names_no_case_so_that_all_stands_in_the_case_s_audit(
    story: Story, who: str, method: str, path: str, body: Any
) -> None:
    case, order = await story.case(), await story.order()
    sent = body and {name: str(order.work_order_id) if value == "{}" else value for name, value in body.items()}
    async with story.stage.http("dispatcher" if who == "anna" else "management", name=who) as client:
        answer = await client.request(method, f"/v1/{path.format(order.work_order_id)}", json=sent)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    rows = [row for row in await story.stage.rows("audit") if row.actor == f"person:local:{who}"]
    assert {row.subject.split("/")[1] for row in rows} <= {str(case.case_id)}


async def take_out(story: Story, number: int) -> None:
    """Remove the audit row of one change, as an owner of the database could."""
    rows = [row for row in await story.stage.rows("audit") if row.action in ACTIONS]
    (gone,) = [row for row in rows if json.loads(row.details)["change"] == number]

    def work(db: sa.Connection) -> None:
        db.execute(sa.text("DROP TRIGGER audit_no_delete"))
        db.execute(sa.delete(tables.audit).where(tables.audit.c.shard == gone.shard, tables.audit.c.seq == gone.seq))

    await story.stage.store.db.transact(work)


async def test_S0_16_a_case_whose_audit_is_whole_completes(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    assert "CaseCompleted" in await story.says(facts.accepted)


@pytest.mark.parametrize("number", [1, 7])
async def test_S0_16_one_audit_row_removed_keeps_the_gate_closed_and_the_gap_is_named(
    story: Story, number: int
) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await take_out(story, number)
    assert "CaseCompleted" not in await story.says(facts.accepted)
    answer = await story.acts("anna", "check_gate")
    assert (answer.status_code, answer.json()["code"]) == (409, "gate-closed")
    assert answer.json()["items"] == [f"DoD5: gap at audit row {number}"]


async def test_S0_16_a_row_too_many_keeps_the_gate_closed(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    case = await story.case()
    await story.stage.run(lambda unit: unit.audit("case:change", f"case/{case.case_id}", change=99))
    assert "CaseCompleted" not in await story.says(facts.accepted)
    assert (await story.case()).lost == (99,)


async def test_S0_16_a_case_from_before_its_rows_were_numbered_completes(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    case = await story.case()

    def work(db: sa.Connection) -> None:
        for trigger in ("audit_no_delete", "audit_no_update"):
            db.execute(sa.text(f"DROP TRIGGER {trigger}"))
        db.execute(sa.delete(tables.audit).where(tables.audit.c.action.in_(ACTIONS)))
        cases = story.stage.service.metadata.tables["cases"]
        db.execute(sa.update(cases).where(cases.c.case_id == case.case_id).values(audited=0))

    await story.stage.store.db.transact(work)
    await story.is_handed_over()
    assert "CaseCompleted" in await story.says(facts.accepted)


async def test_S0_30_A02_and_A03_handing_over_and_completing_name_their_rules(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    _, handed = await last(story, "handover:change")
    await story.says(facts.accepted)
    completed = [d for name, _, d in await changes(story) if name == "case:change" and "gate_evidence" in d["set"]]
    assert "A02" in await rules(story)
    assert [details["rules"] for details in completed] == [["A03"]]
    assert handed["handover"] == "exchange_completed/1"


async def test_S0_30_A04_a_follow_up_names_its_rule(story: Story) -> None:
    await story.is_booked()
    await story.moves("tom", "start")
    await story.reports(a_report(result="DOCS_INCOMPLETE"))
    opened = [
        details for name, _, details in await changes(story) if name == "work_order:change" and details.get("rules")
    ]
    assert [(details["rules"], details["reason"], details["version"]) for details in opened] == [(["A04"], "opened", 1)]


async def test_S0_30_A05_a_refusal_names_its_rule(story: Story) -> None:
    await story.is_booked()
    await story.moves("tom", "start")
    await story.reports(a_report(result="NOT_AT_HOME", sub_reason="customer_refuses"))
    _, details = await last(story, "exception:change")
    assert (details["rules"], details["set"]["type"]) == (["A05"], [None, "refusal"])


async def test_S0_30_A06_a_rejection_names_its_rule(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(facts.rejected)
    _, moved = await last(story, "work_order:move")
    _, raised = await last(story, "exception:change")
    assert (moved["move"], moved["rules"], raised["rules"]) == ("T25", ["A06"], ["A06"])


async def test_S0_30_A07_a_withdrawal_names_its_rule(story: Story) -> None:
    await story.hears(cancelled())
    _, moved = await last(story, "work_order:move")
    _, answered = await last(story, "handover:change")
    assert (moved["move"], moved["rules"], answered["rules"]) == ("T28", ["A07"], ["A07"])


async def test_S0_30_A09_an_announcement_names_its_rule(story: Story) -> None:
    await story.says(lambda case, order: facts.facts(case, order)["BookableFromSet"][1])
    _, announced = await last(story, "handover:change")
    assert (announced["handover"], announced["rules"]) == ("rollout_announced/1", ["A09"])


async def test_S0_30_A10_rework_in_the_field_names_its_rule(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.says(lambda case, order: facts.rework(case, order, "field"))
    _, moved = await last(story, "work_order:move")
    assert (moved["move"], moved["rules"], moved["reason"]) == ("T33", ["A10"], "rework")


async def test_S0_30_a_rule_that_fired_stands_once_however_often_its_event_comes(story: Story) -> None:
    await story.hears(cancelled())
    before = await changes(story)
    await story.stage.passes(LATER)
    await story.hears(cancelled())
    new = (await changes(story))[len(before) :]
    assert [(name, details.get("rules")) for name, _, details in new] == [("case:remark", None)]


async def export(
    story: Story, role: str = "auditor", accept: str = "application/json", scope: Scope | None = None
) -> Any:
    case = await story.case()
    async with story.stage.http(role, name="uta", scope=scope) as uta:
        return await uta.get(f"/v1/cases/{case.case_id}/audit", headers={"Accept": accept})


async def test_S0_28_the_export_of_a_case_is_whole_and_can_be_checked_offline(story: Story) -> None:
    await story.is_booked()
    await story.asks("anna", "reopen")
    exported = Exported.model_validate_json((await export(story)).content)
    actions = [row.action for row in exported.rows]
    assert {"work_order:move", "case:change", "refused:move:reopen", "audit:export"} <= set(actions)
    assert [row for row in exported.rows if row.action in ACTIONS and "change" not in row.details] == []
    assert list(misfits(exported)) == []


async def test_S0_28_an_export_that_was_changed_is_found(story: Story) -> None:
    exported = Exported.model_validate_json((await export(story)).content)
    forged = exported.rows[2].model_copy(update={"actor": "person:local:mallory"})
    changed = exported.model_copy(update={"rows": (*exported.rows[:2], forged, *exported.rows[3:])})
    assert list(misfits(changed)) == [(forged.shard, forged.seq)]


async def test_S0_28_the_export_is_a_page_for_people(story: Story) -> None:
    await story.is_booked()
    answer = await export(story, accept="text/html,application/xhtml+xml;q=0.9")
    assert answer.headers["content-type"].startswith("text/html")
    assert "AWAITING_REPLY → READY" in answer.text
    assert "person:local:anna" in answer.text


async def test_S0_28_taking_the_audit_along_is_itself_audited(story: Story) -> None:
    await export(story)
    rows = [row for row in await story.stage.rows("audit") if row.action == "audit:export"]
    assert [row.actor for row in rows] == ["person:local:uta"]


async def test_S0_28_the_audit_is_read_by_whom_the_matrix_names_and_of_own_cases_only(story: Story) -> None:
    refused = [(await export(story, role)).status_code for role in ("platform", "warehouse", "admin")]
    foreign = await export(story, "company_admin", scope=Scope("company", str(TECHNICIAN)))
    assert (refused, foreign.status_code) == ([403, 403, 403], 404)


async def test_SEC_AUD_03_the_chain_of_a_whole_story_is_proved(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    proof = await prove(story.stage.store.db, "case_service")
    assert (proof.breaks, proof.rows > 30) == ([], True)
