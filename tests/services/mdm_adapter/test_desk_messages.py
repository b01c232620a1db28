"""The desk's view of messages: found by case, order and words, laid out with findings, followed along their chain."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.codes import AnnouncedPlan, Fact
from services.mdm_adapter.partners import loader
from tests.services.mdm_adapter.erp import fault, reply, text
from tests.services.mdm_adapter.market import Market, announced
from tests.services.mdm_adapter.scenes import CASE, Scene, order, requested, visited

WHY = {"reason": "the reading was mistyped on site"}
READING = "removed.0.readings.0.value"


async def listed(scene: Scene, query: str = "") -> list[dict[str, Any]]:
    async with scene.http("mdm") as client:
        answer = await client.get(f"/v1/messages?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def of_a_case(scene: Scene) -> bytes:
    """An order, its report, and the partner's answer; returns the report."""
    await scene.given_a_case(visited(), requested())
    (report,) = scene.erp.reports()
    return report


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"case={CASE}", ["in", "out", "in", "out"]),
        ("order=WO-1", ["in", "out", "in", "out"]),
        ("order=erp-a:WO-1", ["in", "out", "in", "out"]),
        ("order=WO-2", []),
        ("order=WO%25", []),
        ("q=M-1", ["out", "in"]),
        ("q=WO-1", ["in", "out", "in", "out"]),
        ("direction=in", ["in", "in"]),
        ("state=PROCESSED&partner=erp-a", ["in", "in"]),
        ("partner=erp-csv", []),
        ("from=2026-03-02T07:00:00Z&to=2026-03-02T08:00:00Z", []),
        ("from=2026-03-02T08:00:00Z", ["in", "out", "in", "out"]),
    ],
)
async def test_messages_are_found_by_what_they_are_about(scene: Scene, query: str, found: list[str]) -> None:
    await of_a_case(scene)
    assert sorted(each["direction"] for each in await listed(scene, query)) == sorted(found)


async def test_a_page_goes_on_where_the_one_before_ended(scene: Scene) -> None:
    for number in range(5):
        await scene.comes(order(f"WO-{number}", message_id=f"M-{number}"))
        await scene.passes(timedelta(minutes=1))
    whole, pages, after = [each["id"] for each in await listed(scene)], list[str](), ""
    async with scene.http("mdm") as client:
        while after is not None:
            page = (await client.get(f"/v1/messages?limit=3{after and f'&after={after}'}")).json()
            pages += [each["id"] for each in page["items"]]
            after = page["after"]
    assert (pages, len(whole)) == (whole, 10)


async def test_E24_the_chain_tells_order_sent_and_answers(scene: Scene) -> None:
    await of_a_case(scene)
    for message in await listed(scene):
        async with scene.http("mdm") as client:
            chain = (await client.get(f"/v1/messages/{message['id']}/answers")).json()
        assert [each["order_key"] for each in chain["orders"]] == ["erp-a:WO-1"]
        assert chain["orders"][0]["case_id"] == str(CASE)
        assert sorted(step["what"] for step in chain["steps"]) == ["answer", "document", "order", "receipt"]
        assert len({step["row_id"] for step in chain["steps"] if step["what"] in {"answer", "document"}}) == 1


async def test_a_message_is_laid_out_beside_what_it_says(scene: Scene) -> None:
    await scene.comes(order())
    (message,) = await listed(scene, "direction=in")
    async with scene.http("mdm") as client:
        laid = (await client.get(f"/v1/messages/{message['id']}/decoded")).json()
    fields = {field["place"]: field["value"] for field in laid["fields"]}
    lines = {line["at"]: line["text"] for line in laid["lines"]}
    assert (laid["dialect"], laid["verdict"], fields["order_no"], fields["location.city"]) == (
        "cim_xml",
        "accept",
        "WO-1",
        "Nordstadt",
    )
    assert lines["/RequestMessage/Payload/ServiceOrders/ServiceOrder/mRID"] == "mRID: WO-1"
    audit = [(row.action, row.subject, row.actor) for row in await scene.rows("audit")]
    assert ("message:read", f"message/{message['id']}", "person:local:anna") in audit


async def test_a_finding_stands_at_its_line(scene: Scene) -> None:
    wrong = order().replace(b"<m:Timestamp>2026-03-02T08:00:00Z</m:Timestamp>", b"<m:Timestamp>soon</m:Timestamp>")
    await scene.comes(wrong)
    (message,) = await listed(scene, "direction=in")
    async with scene.http("mdm") as client:
        laid = (await client.get(f"/v1/messages/{message['id']}/decoded")).json()
    at = [line["at"] for line in laid["lines"] if line["findings"]]
    assert (laid["verdict"], at) == ("reject", ["/RequestMessage/Header/Timestamp"])


async def test_a_report_of_ours_is_laid_out_too(market: Market) -> None:
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(announced(plan=AnnouncedPlan.IMS))
    message = next(each for each in await listed(market, "direction=out&partner=nb-nord"))
    async with market.http("mdm") as client:
        laid = (await client.get(f"/v1/messages/{message['id']}/decoded")).json()
    assert ({field["document"] for field in laid["fields"]}, laid["verdict"]) == ({"WorkStatus"}, "accept")


async def test_a_report_in_xml_is_laid_out_with_what_its_edit_would_name(scene: Scene) -> None:
    await of_a_case(scene)
    (report,) = [each for each in await listed(scene, "direction=out") if each["document"] != "answer"]
    async with scene.http("mdm") as client:
        laid = (await client.get(f"/v1/messages/{report['id']}/decoded")).json()
    fields = {field["place"]: field["value"] for field in laid["fields"]}
    assert (fields[READING], laid["accepted"], laid["elsewhere"]) == ("48213.4", True, [])


async def test_reading_bytes_or_words_needs_the_right_to(scene: Scene) -> None:
    await scene.comes(order())
    (message,) = await listed(scene, "direction=in")
    async with scene.http("dispatcher") as client:
        answers = [await client.get(f"/v1/messages/{message['id']}/{part}") for part in ("raw", "decoded", "answers")]
    assert [answer.status_code for answer in answers] == [403, 403, 200]


async def test_one_attempt_shows_its_rows_and_clocks(market: Market) -> None:
    market.scripted(wmsb="silent", nb="silent")
    await market.given_the_market("nb", "wmsb")
    await market.hears_and_works(announced())
    async with market.http("mdm") as client:
        one = (await client.get(f"/v1/handovers/{CASE}/rollout_announced/1")).json()
        by_fact = (await client.get("/v1/handovers?fact=rollout_announced&state=SENT")).json()
        other = (await client.get("/v1/handovers?fact=exchange_completed")).json()
        absent = await client.get(f"/v1/handovers/{CASE}/rollout_announced/2")
    clocks = {row["recipient"]: [clock["kind"] for clock in row["clocks"]] for row in one["rows"]}
    assert (one["outlook"], "silence" in clocks["wmsb-nord"], by_fact != [], other) == ("Waiting", True, True, [])
    assert absent.status_code == 404


async def broken(scene: Scene, code: str = "1.7") -> tuple[bytes, str]:
    """A report that the partner could not process; returns it and its row."""
    scene.erp.script = lambda _: httpx.Response(422, content=fault(code))
    await scene.given_a_case(visited(), requested())
    (row,) = await scene.rows("handover_rows")
    assert row.state == "ERROR_TECH"
    scene.erp.script = lambda message: httpx.Response(200, content=reply(text(message, "Header/CorrelationID")))
    return scene.erp.reports()[0], str(row.row_id)


async def resend(scene: Scene, id_: str, body: dict[str, Any]) -> httpx.Response:
    async with scene.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{id_}/resend", json=body)
    await scene.works()
    return answer


async def test_R3_a_resend_after_an_edit_keeps_both_versions_with_who_and_why(scene: Scene) -> None:
    first, row_id = await broken(scene)
    answer = await resend(scene, row_id, {**WHY, "edit": {READING: "48231.4"}})
    second = scene.erp.reports()[-1]
    (edit,) = await scene.rows("edits")
    contents = {row.id: row.content for row in await scene.rows("archive")}
    assert (answer.status_code, b"48213.4" in first, b"48231.4" in second) == (200, True, True)
    assert (contents[edit.original_id], contents[edit.edited_id]) == (first, second)
    assert (edit.by, edit.reason, edit.changed[READING].before, edit.changed[READING].after) == (
        "person:local:anna",
        WHY["reason"],
        "48213.4",
        "48231.4",
    )
    (row,) = await scene.rows("handover_rows")
    assert (row.state, row.edits) == ("TRANSFERRED", {READING: "48231.4"})
    async with scene.http("mdm") as client:
        shown = (await client.get(f"/v1/messages/{edit.edited_id}")).json()["edits"]
    assert [each["changed"][READING]["after"] for each in shown] == ["48231.4"]


async def test_R1_an_edited_document_keeps_its_place_in_the_business_and_gets_a_new_envelope(scene: Scene) -> None:
    first, row_id = await broken(scene)
    before = (await scene.rows("handover_rows"))[0].business_key
    await resend(scene, row_id, {**WHY, "edit": {READING: "48231.4"}})
    second = scene.erp.reports()[-1]
    assert (await scene.rows("handover_rows"))[0].business_key == before
    assert text(first, "Header/MessageID") != text(second, "Header/MessageID")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({READING: "forty"}, "removed.0.readings.0.value"),
        ({"removed.7.serial": "X"}, "removed.7.serial"),
        ({"removed.0.serial": "1\x01"}, "control"),
        ({READING: "0.12345678901"}, "our own check"),
    ],
    ids=["no number", "no such place", "no character", "refused by our own schema"],
)
async def test_an_edit_that_is_wrong_is_answered_with_findings_and_sends_nothing(
    scene: Scene, edit: dict[str, Any], words: str
) -> None:
    _, row_id = await broken(scene)
    sent = len(scene.erp.got)
    answer = await resend(scene, row_id, {**WHY, "edit": edit})
    problem = answer.json()
    assert (answer.status_code, problem["code"], words in str(problem["errors"])) == (422, "edit-refused", True)
    (row,) = await scene.rows("handover_rows")
    assert (len(scene.erp.got), row.state, row.edits, await scene.rows("edits")) == (sent, "ERROR_TECH", {}, [])


async def test_a_second_resend_within_a_minute_is_refused(scene: Scene) -> None:
    _, row_id = await broken(scene)
    scene.erp.script = lambda _: httpx.Response(422, content=fault("1.7"))
    answers = [await resend(scene, row_id, WHY) for _ in range(2)]
    await scene.passes(timedelta(seconds=61))
    answers.append(await resend(scene, row_id, WHY))
    assert [answer.status_code for answer in answers] == [200, 409, 200]
    assert answers[1].json()["code"] == "already-resent"


async def test_a_document_is_resent_by_the_id_of_its_message(scene: Scene) -> None:
    await broken(scene)
    (message,) = [each for each in await listed(scene, "direction=out") if each["document"] != "answer"]
    answer = await resend(scene, message["id"], WHY)
    assert (answer.json(), (await scene.rows("handover_rows"))[0].state) == ({"state": "QUEUED"}, "TRANSFERRED")


async def test_a_missing_fact_is_brought_by_an_edit(scene: Scene) -> None:
    report = visited()
    bare = report.removed[0].model_copy(update={"registers": ()})
    await scene.given_a_case(report.model_copy(update={"removed": (bare,)}), requested())
    (row,) = await scene.rows("handover_rows")
    reading = {"obis": "1-0:1.8.0", "value": "48213.4", "at": "2026-03-02T09:00:00Z"}
    answer = await resend(scene, str(row.row_id), {**WHY, "edit": {"removed.0.readings.0": reading}})
    assert (row.held, answer.status_code) == ("FACT_MISSING: reading of meter 1OLD0000009876", 200)
    assert ((await scene.rows("handover_rows"))[0].state, b"48213.4" in scene.erp.reports()[0]) == ("TRANSFERRED", True)


async def test_the_same_bytes_are_sent_again_where_they_did_not_arrive(scene: Scene) -> None:
    scene.erp.script = lambda _: httpx.Response(404)
    await scene.given_a_case(visited(), requested())
    (failed,) = [each for each in await listed(scene, "state=FAILED") if each["document"] != "answer"]
    scene.erp.script = lambda message: httpx.Response(200, content=reply(text(message, "Header/CorrelationID")))
    async with scene.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{failed['id']}/retry", json=WHY)
    await scene.works()
    first, second = scene.erp.reports()
    assert (answer.status_code, first == second, len(set(scene.erp.keys[-2:]))) == (200, True, 1)
    assert [row.state for row in await scene.rows("handover_rows")] == ["TRANSFERRED"]


async def test_a_partner_that_takes_each_id_once_gets_the_same_words_under_a_new_one(scene: Scene) -> None:
    profiles = scene.service.settings.data_dir / "partners"
    profiles.mkdir()
    shipped = (Path(loader.__file__).parent / "profiles" / "erp-a.yaml").read_text("utf-8")
    (profiles / "erp-a.yaml").write_text(f"{shipped}retry: {{profile: new_id}}\n")
    scene.erp.script = lambda _: httpx.Response(404)
    await scene.given_a_case(visited(), requested())
    (failed,) = [each for each in await listed(scene, "state=FAILED") if each["document"] != "answer"]
    async with scene.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{failed['id']}/retry", json=WHY)
    await scene.works()
    ids = {text(report, "Header/MessageID") for report in scene.erp.reports()}
    assert (answer.status_code, len(ids)) == (200, 2)


async def test_what_arrived_is_not_sent_again(scene: Scene) -> None:
    await of_a_case(scene)
    (message,) = [each for each in await listed(scene, "direction=out") if each["document"] != "answer"]
    async with scene.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{message['id']}/retry", json=WHY)
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")


async def test_another_partner_sees_nothing_of_it(scene: Scene) -> None:
    await of_a_case(scene)
    (message, *_) = await listed(scene)
    async with scene.partner("erp-csv") as client:
        answers = [
            await client.get(path)
            for path in (f"/v1/messages/{message['id']}", f"/v1/messages/{message['id']}/answers")
        ]
        everything = (await client.get("/v1/messages")).json()["items"]
    assert ([answer.status_code for answer in answers], everything) == ([404, 404], [])


async def test_a_row_without_a_handover_is_no_document(scene: Scene) -> None:
    await of_a_case(scene)
    answer = await resend(scene, str(CASE), WHY)
    assert (answer.status_code, Fact.EXCHANGE_COMPLETED.value) == (404, "exchange_completed")
