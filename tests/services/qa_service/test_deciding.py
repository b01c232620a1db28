"""Decisions over HTTP: who may, when, against which findings; and that a repeated request does nothing twice."""

import pytest

from contracts.assets import CommissioningPending, DeviceCommissioned
from contracts.codes import Comms
from contracts.event import Event
from contracts.quality import ReviewApproved, ReworkRequested
from kit.auth import Scope
from tests.services.qa_service.story import (
    ARRIVED,
    CASE,
    COMPANY,
    DEVICE,
    INSTALLED,
    ORDER,
    OTHER_COMPANY,
    PHOTOS,
    RESOLVED,
    SECOND,
    TILO,
    Gate,
    added,
    anomaly,
    mismatch,
    moved,
    names,
    reported,
    work_order,
)

OLD, OLD_READING, NEW, NEW_READING = PHOTOS


@pytest.fixture
async def ready(gate: Gate) -> Gate:
    """A complete visit waits for its review."""
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    await gate.stage.told_since()
    return gate


@pytest.mark.parametrize("name", ["tilo", "rosa", "carla", "dora"])
async def test_own_work_is_refused_audited_and_left_out_of_the_queue(gate: Gate, name: str) -> None:
    """Who did it, who reported it, who added papers, who uploaded on behalf."""
    photo = gate.stage.http("dispatcher", name="dora")
    await gate.put(OLD, PHOTOS[OLD][1], "photo_old_meter", client=photo)
    await gate.stage.hears(RESOLVED, reported(reported_by="person:local:rosa"), added(2, [OLD]))
    (review,) = await gate.stage.rows("reviews")
    assert (await gate.post("/v1/reviews/next", name=name)).status_code == 204
    refused = await gate.post(f"/v1/reviews/{review.review_id}/take", name=name)
    assert (refused.status_code, refused.json()["code"]) == (403, "own-work")
    audits = [(row.action, row.actor) for row in await gate.stage.rows("audit")]
    assert ("review:own_work_refused", f"person:local:{name}") in audits
    assert (await gate.post("/v1/reviews/next", name="rita")).status_code == 200


async def test_a_refusal_is_no_answer_that_is_repeated_under_its_key(ready: Gate) -> None:
    (review,) = await ready.stage.rows("reviews")
    path = f"/v1/reviews/{review.review_id}/take"
    for _ in range(2):
        answer = await ready.post(path, name="tilo", idempotency_key="k1")
        assert answer.status_code == 403


@pytest.mark.parametrize("role", ["dispatcher", "technician", "company_admin", "mdm", "management", "auditor"])
@pytest.mark.parametrize("what", ["next", "take", "give-back", "approve", "rework"])
async def test_only_qa_decides(ready: Gate, role: str, what: str) -> None:
    (review,) = await ready.stage.rows("reviews")
    path = "/v1/reviews/next" if what == "next" else f"/v1/reviews/{review.review_id}/{what}"
    body = {"kind": "desk", "reasons": ["photos"]} if what == "rework" else {}
    assert (await ready.post(path, body, role=role)).status_code == 403
    assert await ready.states() == [(1, 1, "PENDING")]


async def test_a_decision_needs_the_review_to_be_taken(ready: Gate) -> None:
    (review,) = await ready.stage.rows("reviews")
    answer = await ready.post(f"/v1/reviews/{review.review_id}/approve", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "lease-lost")


async def test_two_reviewers_one_decides_and_the_other_learns_it(ready: Gate) -> None:
    taken = await ready.take("rita")
    path = f"/v1/reviews/{taken['review_id']}"
    other = await ready.post(f"{path}/take", name="rolf")
    assert (other.status_code, other.json()["code"]) == (409, "lease-lost")
    assert (await ready.post(f"{path}/approve", {}, name="rita")).status_code == 200
    second = await ready.post(f"{path}/rework", {"kind": "field", "reasons": ["photos"]}, name="rolf")
    assert (second.status_code, second.json()["code"], second.json()["decision"]) == (
        409,
        "decided-meanwhile",
        "APPROVED",
    )
    assert names(await ready.stage.told_since()) == ["ReviewApproved"]


async def test_a_repeated_approval_answers_as_the_first_did(ready: Gate) -> None:
    taken = await ready.take()
    path = f"/v1/reviews/{taken['review_id']}/approve"
    first = await ready.post(path, {}, idempotency_key="once")
    again = await ready.post(path, {}, idempotency_key="once")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert names(await ready.stage.told_since()) == ["ReviewApproved"]


async def test_a_decision_on_an_older_version_is_refused(ready: Gate) -> None:
    taken = await ready.take()
    path = f"/v1/reviews/{taken['review_id']}/approve"
    stale = await ready.post(path, {}, if_match='"1"')
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (409, "stale-version", 2)
    assert (await ready.post(path, {}, if_match='"2"')).status_code == 200


async def test_given_back_somebody_else_takes_it(ready: Gate) -> None:
    taken = await ready.take("rita")
    assert (await ready.post(f"/v1/reviews/{taken['review_id']}/give-back", name="rita")).json()["state"] == "PENDING"
    assert (await ready.take("rolf"))["reviewer"] == "person:local:rolf"


async def test_an_open_error_hinders_and_is_accepted_with_a_reason(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, mismatch(), reported())  # asset_service may be faster than the report
    taken = await gate.take()
    path = f"/v1/reviews/{taken['review_id']}/approve"
    refused = await gate.post(path, {})
    assert (refused.status_code, refused.json()["code"]) == (409, "open-findings")
    (finding,) = refused.json()["findings"]
    assert (finding["rule"], finding["target"], finding["text_key"]) == ("Q07", "meter", "mismatch_M4")
    assert (await gate.post(path, {"accepted": [{"finding": 99, "reason": "because"}]})).status_code == 422
    accepted = [{"finding": finding["finding"], "reason": "agreed with the planner"}]
    assert (await gate.post(path, {"accepted": accepted})).status_code == 200
    told = (await gate.stage.told())[-1]
    assert isinstance(told, ReviewApproved)
    assert told.accepted == 1


async def test_missing_papers_that_were_announced_cannot_be_accepted(gate: Gate) -> None:
    await gate.uploads([OLD, NEW, NEW_READING])
    refs = tuple(ref for ref in reported().evidence if ref.evidence_id != OLD_READING)
    incomplete = reported(outcome="PARTIAL", result="DOCS_INCOMPLETE", missing=("photo_old_reading",), evidence=refs)
    await gate.stage.hears(RESOLVED, incomplete)
    taken = await gate.take()
    accepted = [{"finding": each["finding"], "reason": "never mind"} for each in taken["findings"]]
    path = f"/v1/reviews/{taken['review_id']}/approve"
    assert (await gate.post(path, {"accepted": accepted})).json()["code"] == "open-findings"
    await gate.uploads([OLD_READING])
    await gate.stage.hears(added(2, [OLD_READING]))
    assert (await gate.approve()).status_code == 200


async def test_J22_silence_is_an_error_until_a_follow_up_is_open(gate: Gate) -> None:
    silent = INSTALLED.model_copy(update={"comms": Comms.PENDING})
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported(outcome="PARTIAL", result="COMMS_PENDING", installed=(silent,)))
    assert await gate.errors() == [("Q08", "meter")]
    await gate.stage.hears(work_order(SECOND, 2, predecessor=ORDER, kind="comms_repair"))
    assert await gate.errors() == []
    closed = moved("T28", 2, "CLOSED", "OPEN", work_order_id=SECOND, sequence=2, close_reason="NOT_NEEDED")
    await gate.stage.hears(closed)
    assert await gate.errors() == [("Q08", "meter")]
    await gate.stage.hears(_device(DeviceCommissioned, at=ARRIVED, by="head_end"))
    assert await gate.errors() == []
    await gate.stage.hears(_device(CommissioningPending, cause="no_coverage"))
    assert await gate.errors() == [("Q08", "meter")]


async def test_J64_a_corrected_reading_closes_the_finding(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported(), anomaly())
    assert await gate.errors() == [("Q09", "1-0:1.8.0")]
    await gate.stage.hears(reported(2))
    assert await gate.errors() == []
    assert [row.state.value for row in await gate.stage.rows("findings")] == ["FIXED"]


async def test_a_finding_after_the_approval_is_late_and_reopens_nothing(ready: Gate) -> None:
    await ready.approve()
    await ready.stage.hears(mismatch())
    assert (await ready.states(), await ready.stage.anomalies()) == ([(1, 1, "APPROVED")], ["late"])


async def test_a_device_finding_before_the_work_order_waits(gate: Gate) -> None:
    early = mismatch(work_order_id=SECOND, sequence=2)
    await gate.stage.hears(early)
    assert len(await gate.stage.parked()) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "desk", "reasons": []}, 422, "reason-missing"),
        ({"kind": "desk", "reasons": ["other"], "comment": "too short"}, 422, "reason-missing"),
        ({"kind": "desk", "reasons": ["weather"]}, 422, "invalid-body"),
        ({"kind": "desk", "reasons": ["photos"], "findings": [7]}, 422, "invalid-body"),
        ({"kind": "desk", "reasons": ["photos"], "due_at": "2020-01-01T00:00:00Z"}, 422, "invalid-body"),
        ({"kind": "desk", "reasons": ["other"], "comment": "the seal is not visible"}, 200, None),
    ],
)
async def test_rework_names_its_reason(ready: Gate, body: dict[str, object], status: int, code: str | None) -> None:
    taken = await ready.take()
    answer = await ready.post(f"/v1/reviews/{taken['review_id']}/rework", body)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_after_three_rounds_only_the_field_can_help(ready: Gate) -> None:
    for version in (2, 3):
        assert (await ready.rework("desk", "photos")).status_code == 200
        await ready.stage.hears(added(version, [OLD]))
    refused = await ready.rework("desk", "photos")
    assert (refused.status_code, refused.json()["code"], refused.json()["rounds"]) == (409, "too-many-rounds", 3)
    review = (await ready.get("/v1/reviews?state=IN_REVIEW")).json()["items"][0]
    field = await ready.post(f"/v1/reviews/{review['review_id']}/rework", {"kind": "field", "reasons": ["photos"]})
    assert field.status_code == 200
    asked = [fact.round for fact in await ready.stage.told() if isinstance(fact, ReworkRequested)]
    assert asked == [1, 2, 3]


async def test_what_is_told_holds_no_text_no_serial_and_no_answer(ready: Gate) -> None:
    await ready.stage.hears(mismatch())
    taken = await ready.take()
    body = {"kind": "desk", "reasons": ["serial"], "comment": "canary-text"}
    await ready.post(f"/v1/reviews/{taken['review_id']}/rework", body)
    told = b"".join(fact.to_json() for fact in await ready.stage.told())
    assert not [word for word in (b"canary", b"1XYA", b"1ABC", b"A-17") if word in told]


async def test_the_queue_is_paged_by_due_time_and_ends_at_the_scope(ready: Gate) -> None:
    await ready.stage.hears(work_order(SECOND, 2, predecessor=ORDER))
    await ready.stage.hears(reported(work_order_id=SECOND, sequence=2, company_id=OTHER_COMPANY))
    first = (await ready.get("/v1/reviews?limit=1")).json()
    second = (await ready.get(f"/v1/reviews?limit=1&after={first['next']}")).json()
    found = [page["items"][0]["work_order_id"] for page in (first, second)]
    assert (sorted(found), second["next"]) == (sorted([str(ORDER), str(SECOND)]), None)
    assert (await ready.get("/v1/reviews?after=x")).status_code == 400
    for scope, count in ((Scope("company", str(COMPANY)), 1), (Scope("technician", str(TILO)), 2)):
        role = "company_admin" if scope.kind == "company" else "technician"
        assert len((await ready.get("/v1/reviews", role, scope=scope)).json()["items"]) == count


async def test_a_foreign_review_does_not_exist(ready: Gate) -> None:
    (review,) = await ready.stage.rows("reviews")
    path = f"/v1/reviews/{review.review_id}"
    for scope, status in ((Scope("company", str(COMPANY)), 200), (Scope("company", str(OTHER_COMPANY)), 404)):
        assert (await ready.get(path, "company_admin", scope=scope)).status_code == status
    assert (await ready.get(f"/v1/reviews/{ORDER}")).status_code == 404
    assert (await ready.get(f"{path}/verify")).status_code == 404  # nothing was approved yet


async def test_one_screen_shows_report_evidence_findings_and_history(ready: Gate) -> None:
    (row,) = await ready.stage.rows("reviews")
    answer = await ready.get(f"/v1/reviews/{row.review_id}")
    shown = answer.json()
    assert (answer.headers["etag"], shown["visit"]["answers"]["seal_no"]) == ('"1"', "A-17")
    assert [each["fits"] for each in shown["evidence"]] == [True] * 4
    assert {each["rule_id"]: each["findings"] for each in shown["asked"]} == dict.fromkeys(
        ("Q01", "Q02", "Q04", "Q07", "Q08", "Q09", "Q11", "Q12", "Q13"), 0
    )
    assert (shown["findings"], shown["history"], shown["reworks"]) == ([], [], [])


def _device(kind: type[Event], **more: object) -> Event:
    usual = {
        "case_id": CASE,
        "work_order_id": ORDER,
        "sequence": 1,
        "device_id": DEVICE,
        "serial": "1XYA0000000017",
        "manufacturer": "XYA",
        "device_type": "mme_3ph",
        "role": "meter",
    }
    return kind(**usual, **more)
