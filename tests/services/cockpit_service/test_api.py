"""Lists and figures: what they filter by, and that nobody sees a case outside of their scope."""

from uuid import UUID

import pytest

from contracts.assets import DeviceMismatch, MaterialMissing
from contracts.bookings import AppointmentProposed, AppointmentQuestioned
from contracts.cases import CaseCompleted, CaseOpened, ExceptionRaised
from contracts.contacts import ContactRecorded
from contracts.event import Event
from contracts.handovers import HandoverRejected, MessageQuarantined
from contracts.visits import VisitReported
from kit.auth import Scope
from kit.testing import Stage
from tests.services.cockpit_service.story import CASE, ORDER, moved, of, phase, story

OTHER, OTHER_ORDER = UUID(int=0xC2), UUID(int=0xA2)
COMPANY, TECHNICIAN = UUID(int=0xF1), UUID(int=0xB1)


def other_case() -> list[Event]:
    """A second case, planned for a company's technician, ordered by another partner."""
    about = {"case_id": OTHER, "work_order_id": OTHER_ORDER}
    opened = of(
        CaseOpened,
        case_id=OTHER,
        orders=("north:77",),
        metering_point_id="NO707057500000000001",
        area={"postcode": "0150", "municipality": "0301"},
    )
    proposed = of(AppointmentProposed, **about, company_id=COMPANY, technicians=(TECHNICIAN,))
    planning = [phase("PLANNING").model_copy(update={"case_id": OTHER}), moved("T01", "PLANNING", 1, **about)]
    return [opened, *planning, proposed]


@pytest.fixture
async def two_cases(stage: Stage) -> Stage:
    await stage.hears(*story(), *other_case())
    return stage


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [OTHER, CASE]),
        ("?phase=PLANNING", [OTHER]),
        ("?phase=COMPLETED", [CASE]),
        ("?phase=NO_SUCH", []),
        ("?state=CLOSED", [CASE]),
        ("?q=4500012345", [CASE]),
        ("?q=north:77", [OTHER]),
        ("?q=450001234", []),
        ("?q=NO707057500000000001", [OTHER]),
        ("?q=0150", [OTHER]),
        (f"?q={ORDER}", [CASE]),
        (f"?q={OTHER}", [OTHER]),
        ("?q=%25", []),
        ("?q=' OR 1=1 --", []),
    ],
)
async def test_cases_are_found_by_phase_state_and_search(two_cases: Stage, query: str, found: list[UUID]) -> None:
    answer = (await two_cases.http("dispatcher").get(f"/v1/cases{query}")).json()
    assert [item["case_id"] for item in answer["items"]] == [str(each) for each in found]


async def test_a_list_is_read_page_by_page(two_cases: Stage) -> None:
    client = two_cases.http("dispatcher")
    first = (await client.get("/v1/cases?limit=1")).json()
    second = (await client.get("/v1/cases", params={"limit": 1, "cursor": first["next"]})).json()
    assert [first["items"][0]["case_id"], second["items"][0]["case_id"]] == [str(OTHER), str(CASE)]
    assert (await client.get("/v1/cases?cursor=nonsense")).status_code == 400


async def test_a_case_shows_its_work_orders_and_handovers(two_cases: Stage) -> None:
    answer = (await two_cases.http("qa").get(f"/v1/cases/{CASE}")).json()
    assert [order["state"] for order in answer["work_orders"]] == ["CLOSED"]
    assert [handover["state"] for handover in answer["handovers"]] == ["REJECTED", "ACCEPTED"]


async def test_a_timeline_is_in_order_and_paged(two_cases: Stage) -> None:
    client = two_cases.http("dispatcher")
    first = (await client.get(f"/v1/cases/{CASE}/timeline?limit=30")).json()
    rest = (await client.get(f"/v1/cases/{CASE}/timeline", params={"cursor": first["next"]})).json()
    lines = first["items"] + rest["items"]
    assert len({line["event_id"] for line in lines}) == len(lines) == len(story())
    assert "T21 · RESOLVED · CLOSED · DONE" in " | ".join(line["text"] for line in lines)


@pytest.mark.parametrize(
    ("role", "scope", "found"),
    [
        ("company_admin", Scope("company", str(COMPANY)), [OTHER]),
        ("company_admin", Scope("company", str(UUID(int=9))), []),
        ("technician", Scope("technician", str(TECHNICIAN)), [OTHER]),
        ("technician", Scope("technician", str(UUID(int=9))), []),
        ("system", Scope("partner", "north"), [OTHER]),
        ("system", Scope("partner", "nort"), []),
        ("dispatcher", None, [OTHER, CASE]),
    ],
)
async def test_nobody_sees_a_case_outside_of_their_scope(
    two_cases: Stage, role: str, scope: Scope | None, found: list[UUID]
) -> None:
    client = two_cases.http(role, scope=scope)
    if scope is not None and scope.kind == "company":
        token = two_cases.signer.person("person:local:cora", [role], None, two_cases.clock.now(), company=scope.id)
        client.headers["Authorization"] = f"Bearer {token}"
    listed = (await client.get("/v1/cases")).json()["items"]
    assert [item["case_id"] for item in listed] == [str(each) for each in found]
    for case in (CASE, OTHER):
        status = 200 if case in found else 404
        assert (await client.get(f"/v1/cases/{case}")).status_code == status
        assert (await client.get(f"/v1/cases/{case}/timeline")).status_code == status


async def test_figures_count_every_phase_and_state(two_cases: Stage) -> None:
    answer = (await two_cases.http("management").get("/v1/counts")).json()
    assert answer["cases"] == 2
    assert {name: count for name, count in answer["phases"].items() if count} == {"PLANNING": 1, "COMPLETED": 1}
    assert next(iter(answer["phases"])) == "BACKLOG"
    assert answer["states"] == {"CLOSED": 1, "PLANNING": 1}


async def problems(stage: Stage) -> list[tuple[str, str]]:
    found = (await stage.http("dispatcher").get("/v1/problems")).json()["items"]
    return sorted((item["kind"], item["code"]) for item in found)


async def test_a_case_that_ended_well_has_no_problems_left(stage: Stage) -> None:
    await stage.hears(*story())
    assert await problems(stage) == []


async def test_everything_that_needs_a_person_is_a_problem(stage: Stage) -> None:
    await stage.hears(
        of(CaseOpened),
        of(ExceptionRaised),
        of(AppointmentQuestioned),
        of(MaterialMissing),
        of(HandoverRejected),
        of(DeviceMismatch, visit_version=1),
        of(MessageQuarantined, case_id=None),
    )
    assert await problems(stage) == [
        ("exception", "qa_waiver"),
        ("handover", "UNKNOWN_DEVICE"),
        ("material", "material_missing"),
        ("mismatch", "M2"),
        ("needs_staff", "offer_refused"),
        ("quarantine", "unknown_order"),
    ]
    only = (await stage.http("dispatcher").get("/v1/problems?kind=material")).json()["items"]
    assert [item["code"] for item in only] == ["material_missing"]


async def test_a_newer_report_of_the_visit_voids_what_was_found_in_the_older_one(stage: Stage) -> None:
    await stage.hears(of(CaseOpened), of(DeviceMismatch, visit_version=1), of(VisitReported, visit_version=1))
    assert await problems(stage) == [("mismatch", "M2")]
    await stage.hears(of(VisitReported, visit_version=2))
    assert await problems(stage) == []


async def test_a_refused_handover_stays_a_problem_of_an_ended_case(stage: Stage) -> None:
    await stage.hears(of(CaseOpened), of(MaterialMissing), of(HandoverRejected), of(CaseCompleted))
    assert [kind for kind, _ in await problems(stage)] == ["handover"]


async def test_the_contact_is_for_dispatchers(stage: Stage) -> None:
    await stage.hears(of(CaseOpened), of(ContactRecorded))
    found = await stage.http("dispatcher").get(f"/v1/cases/{CASE}/contact")
    assert found.json()["name"] == "Kim Muster"
    assert (await stage.http("qa").get(f"/v1/cases/{CASE}/contact")).status_code == 403
    mine = Scope("technician", str(TECHNICIAN))
    assert (await stage.http("technician", scope=mine).get(f"/v1/cases/{CASE}/contact")).status_code == 404


@pytest.mark.parametrize("path", ["/v1/cases", f"/v1/cases/{CASE}", "/v1/counts", "/v1/problems", "/"])
async def test_a_role_without_the_action_is_refused(stage: Stage, path: str) -> None:
    assert (await stage.http("admin").get(path)).status_code == 403
