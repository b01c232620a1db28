"""What is agreed with partners is changed at the desk: judged before, in versions, in force within seconds."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.codes import HubReason
from contracts.handovers import HandoverRejected
from services.mdm_adapter.app import build
from services.mdm_adapter.refreshing import Refreshing
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.erp import Erp, fault, reply, text
from tests.services.mdm_adapter.scenes import Scene, order, requested, visited

WHY = {"reason": "agreed in the call of Monday"}
PROFILE: dict[str, Any] = {
    "id": "erp-new",
    "name": "New ERP",
    "role": "ERP",
    "identity": [{"scheme": "name", "value": "ERP-NEW"}],
    "dialects": [{"dialect": "cim_xml"}],
    "transports": {"in": [{"kind": "rest"}], "out": [{"kind": "file_drop"}]},
    "defaults": {"operator": "nord", "country": "DE"},
}


async def put(scene: Scene, path: str, body: dict[str, Any], name: str = "ada", role: str = "admin") -> httpx.Response:
    async with scene.http(role, name=name) as client:
        return await client.put(f"/v1/{path}", json=body | WHY)


async def got(scene: Scene, path: str, role: str = "mdm") -> Any:
    async with scene.http(role) as client:
        answer = await client.get(f"/v1/{path}")
    return answer.json() if answer.status_code == 200 else answer.status_code


async def test_identity_and_transports_take_two_persons(scene: Scene) -> None:
    asked = await put(scene, "partners/erp-new", {"profile": PROFILE})
    again = await put(scene, "partners/erp-new", {"profile": PROFILE})
    unknown = await got(scene, "partners/erp-new")
    done = await put(scene, "partners/erp-new", {"profile": PROFILE}, "berta")
    found = await got(scene, "partners/erp-new")
    assert [each.json()["state"] for each in (asked, again, done)] == ["proposed", "proposed", "in_force"]
    assert (unknown, found["profile"]["name"], found["proposal"]) == (404, "New ERP", None)
    (version,) = found["versions"]
    assert (version["by"], version["confirmed_by"], version["reason"], version["number"]) == (
        "person:local:ada",
        "person:local:berta",
        WHY["reason"],
        1,
    )


async def test_the_second_person_sees_what_is_proposed_and_why(scene: Scene) -> None:
    profile = {**(await got(scene, "partners/erp-a"))["profile"], "identity": [{"scheme": "name", "value": "ERP-Z"}]}
    await put(scene, "partners/erp-a", {"profile": profile})
    found = await got(scene, "partners/erp-a")
    assert (json.loads(found["proposal"]["text"])["identity"], found["proposal"]["reason"]) == (
        [{"scheme": "name", "value": "ERP-Z"}],
        WHY["reason"],
    )
    assert found["profile"]["identity"][0]["value"] == "ERP-A"


async def test_anything_else_of_a_profile_takes_one_and_has_its_version(scene: Scene) -> None:
    profile = (await got(scene, "partners/erp-a"))["profile"]
    for name in ("ERP One", "ERP Two"):
        answer = await put(scene, "partners/erp-a", {"profile": {**profile, "name": name}})
        assert answer.json()["state"] == "in_force"
    found = await got(scene, "partners/erp-a")
    assert (found["profile"]["name"], [each["number"] for each in found["versions"]]) == ("ERP Two", [2, 1])
    audit = [(row.action, row.subject) for row in await scene.rows("audit")]
    assert audit.count(("setting:edit", "agreement/profile/erp-a")) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"id": "other"}, "the path says erp-new"),
        ({"identity": [{"scheme": "name", "value": "ERP-A"}]}, "identity ERP-A is that of erp-a"),
        ({"dialects": [{"dialect": "cim_xml", "valid_from": "2099-01-01"}]}, "until 2099-01-01 no dialect is agreed"),
        ({"dialects": [{"dialect": "csv"}]}, "nothing of ours can be written"),
        ({"csv": {"mapping": "a.map.yaml"}}, "say the columns themselves"),
        ({"code_map": "hub_4f7q2m6xk3ab_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq_x"}, "a secret"),
    ],
)
async def test_a_profile_that_is_wrong_is_refused_by_name(scene: Scene, change: dict[str, Any], words: str) -> None:
    answer = await put(scene, "partners/erp-new", {"profile": PROFILE | change})
    assert (answer.status_code, words in str(answer.json()["errors"])) == (422, True)
    assert await scene.rows("agreements") == []


@pytest.mark.parametrize(
    ("role", "path", "body"),
    [
        ("mdm", "partners/erp-new", {"profile": PROFILE}),
        ("admin", "partners/erp-a/codes", {"rows": []}),
        ("admin", "device-types", {"rows": []}),
        ("dispatcher", "device-types", {"rows": []}),
    ],
)
async def test_who_may_not_is_refused(scene: Scene, role: str, path: str, body: dict[str, Any]) -> None:
    assert (await put(scene, path, body, role=role)).status_code == 403


async def refused_with(scene: Scene, code: str, number: int) -> HandoverRejected | None:
    """The partner refuses a report with this code."""

    def script(message: bytes) -> httpx.Response:
        if b"ResponseMessage" in message:
            return httpx.Response(200)
        return httpx.Response(200, content=reply(text(message, "Header/CorrelationID"), "FAILED", code))

    scene.erp.script = script
    await scene.hears(requested(attempt=number))
    await scene.works()
    found = [fact for fact in await scene.told_since() if isinstance(fact, HandoverRejected)]
    return found[0] if found else None


async def test_X24_an_unknown_code_is_OTHER_with_code_and_text_and_a_map_change_counts_at_once(scene: Scene) -> None:
    await scene.given_a_case(visited())
    before = await refused_with(scene, "7005", 1)
    unmapped = await got(scene, "partners/erp-a/codes/unmapped")
    row = {"partner_code": "7005", "hub_reason": "LINK_CONFLICT", "action": "look for the removal first"}
    answer = await put(scene, "partners/erp-a/codes", {"rows": [row]}, role="mdm")
    after = await refused_with(scene, "7005", 2)
    assert before is not None
    assert after is not None
    assert [(each.reasons[0].hub_reason, each.reasons[0].code) for each in (before, after)] == [
        (HubReason.OTHER, "7005"),
        (HubReason.LINK_CONFLICT, "7005"),
    ]
    assert [(each["code"], each["text"], each["times"]) for each in unmapped] == [("7005", "a text of the partner", 1)]
    assert (answer.json(), await got(scene, "partners/erp-a/codes/unmapped")) == (
        {"state": "in_force", "number": 1},
        [],
    )
    kept = await got(scene, "partners/erp-a/codes")
    assert (kept["rows"][0]["action"], kept["versions"][0]["reason"]) == ("look for the removal first", WHY["reason"])


async def test_X24_another_process_takes_the_change_over_with_its_next_look(scene: Scene, tmp_path: Path) -> None:
    """Looks are two seconds apart; a restart reads everything before anything runs."""
    settings: Settings = scene.service.settings  # type: ignore[assignment]
    other = build(settings, scene.clock)
    assert other.prepare is not None
    looking: Refreshing = other.prepare.__self__  # type: ignore[attr-defined]
    await other.prepare()
    before = looking.desk.partners.codes("erp-a").rows
    await put(scene, "partners/erp-a/codes", {"rows": [{"partner_code": "1", "hub_reason": "BUSY"}]}, role="mdm")
    await other.polls["agreements"]()
    assert (before, looking.every_seconds <= 10) == ([], True)
    assert [row.code for row in looking.desk.partners.codes("erp-a").rows] == ["1"]
    await other.store.db.close()


async def test_a_file_of_the_operators_folder_is_taken_over_too(scene: Scene, tmp_path: Path) -> None:
    assert scene.service.prepare is not None
    folder = tmp_path / "partners"
    folder.mkdir()
    (folder / "erp-new.yaml").write_text(json.dumps(PROFILE))
    await scene.service.prepare()
    found = await got(scene, "partners/erp-new")
    (folder / "broken.yaml").write_text("id: [")
    await scene.service.prepare()
    assert (found["edited"], (await got(scene, "partners/erp-new"))["profile"]["id"]) == (False, "erp-new")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"partner_code": "1", "hub_reason": "BUSY"}] * 2, "twice"),
        ([{"partner_code": "1", "hub_reason": "NONSENSE"}], ""),
    ],
)
async def test_a_bad_map_is_refused_as_a_whole(scene: Scene, rows: list[dict[str, str]], words: str) -> None:
    answer = await put(scene, "partners/erp-a/codes", {"rows": rows}, role="mdm")
    assert (answer.status_code, words in answer.text, await scene.rows("agreements")) == (422, True, [])


async def test_characteristics_of_a_type_change_from_a_day_on(scene: Scene) -> None:
    own = {"code": "mme_3ph", "valid_from": "2026-12-01", "values": {"mounting": "HUT"}}
    new = {"code": "mme_x", "valid_from": "2026-04-01", "values": {"mounting": "DPA"}}
    answer = await put(scene, "device-types", {"rows": [own, new]}, role="mdm")
    found = await got(scene, "device-types")
    rows = {(row["code"], row["valid_from"]): row["values"] for row in found["rows"]}
    seeded = rows["mme_3ph", "2025-10-01"]
    assert (answer.json()["state"], seeded["mounting"]) == ("in_force", "DPA")
    assert rows["mme_3ph", "2026-12-01"] == {**seeded, "mounting": "HUT"}
    assert ([row["code"] for row in found["own"]], rows["mme_x", "2026-04-01"]) == (
        ["mme_3ph", "mme_x"],
        {"mounting": "DPA"},
    )


@pytest.mark.parametrize(
    "row",
    [
        {"code": "mme_x", "valid_from": "2026-04-01", "values": {"colour": "red"}},
        {"code": "mme_x", "valid_from": "2020-04-01", "values": {"mounting": "DPA"}},
        {"code": "mme_x", "valid_from": "2026-04-01", "values": {"mounting": "a\nb"}},
    ],
)
async def test_a_bad_characteristic_is_refused(scene: Scene, row: dict[str, Any]) -> None:
    answer = await put(scene, "device-types", {"rows": [row]}, role="mdm")
    assert (answer.status_code, "row 1" in answer.text) == (422, True)


async def test_a_file_is_judged_without_any_effect(scene: Scene) -> None:
    async with scene.http("mdm") as client:
        good = (await client.post("/v1/partners/erp-a/validate", content=order())).json()
        bad = (await client.post("/v1/partners/erp-a/validate", content=fault("x")[:40])).json()
        absent = await client.post("/v1/partners/nobody/validate", content=order())
    assert (good["accepted"], good["records"], bad["accepted"], bad["findings"][0]["code"]) == (True, 1, False, "1.8")
    assert (absent.status_code, await scene.rows("archive"), await scene.rows("inbound_messages")) == (404, [], [])


async def test_a_partner_may_judge_its_own_files_only(scene: Scene) -> None:
    async with scene.partner("erp-a") as client:
        own = await client.post("/v1/partners/erp-a/validate", content=order())
        foreign = await client.post("/v1/partners/erp-csv/validate", content=order())
    assert (own.status_code, foreign.status_code, isinstance(scene.erp, Erp)) == (200, 404, True)
