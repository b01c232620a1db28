"""Imports: proposed, confirmed, tried without effect, taken in batches, and told row by row what was wrong."""

import csv
import io
import zipfile
from typing import Any

import httpx
import pytest

from kit import faults
from kit.jobs import Jobs
from tests.services.mdm_adapter.agreements import agreed
from tests.services.mdm_adapter.scenes import POINT, Scene, order
from tests.services.mdm_adapter.sheets import (
    BAD,
    HEADER,
    MAPPING,
    as_csv,
    as_sheet,
    malo,
    rows_of,
    wrong_date,
    wrong_digit,
)

ORDERS = {"kind": "orders", "partner": "erp-csv"}
TABLES = ("orders", "order_versions", "points", "outbox", "import_findings", "jobs", "quarantine")


async def proposed(scene: Scene, content: bytes, role: str = "mdm", **query: str) -> httpx.Response:
    async with scene.http(role) as client:
        return await client.post("/v1/imports", params=ORDERS | query, content=content)


async def run(scene: Scene, import_id: str, **body: Any) -> httpx.Response:
    async with scene.http("mdm") as client:
        return await client.post(f"/v1/imports/{import_id}/run", json={"mapping": MAPPING} | body)


async def jobs_work(scene: Scene) -> None:
    while await scene.jobs.work():
        pass


async def shown(scene: Scene, import_id: str) -> Any:
    async with scene.http("mdm") as client:
        return (await client.get(f"/v1/imports/{import_id}")).json()


async def errors(scene: Scene, import_id: str) -> list[dict[str, str]]:
    async with scene.http("mdm") as client:
        answer = await client.get(f"/v1/imports/{import_id}/errors")
    return list(csv.DictReader(io.StringIO(answer.text), delimiter=";"))


async def imported(scene: Scene, content: bytes, **body: Any) -> Any:
    """A file that is taken as it is mapped."""
    import_id = (await proposed(scene, content)).json()["import_id"]
    assert (await run(scene, import_id, **body)).status_code == 202
    await jobs_work(scene)
    return await shown(scene, import_id)


def counts(view: Any) -> tuple[int, int, int, int]:
    return view["accepted"], view["unchanged"], view["changed"], view["refused"]


async def written(scene: Scene) -> dict[str, int]:
    return {table: len(await scene.rows(table)) for table in TABLES}


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
async def test_a_file_is_proposed_before_anything_of_it_is_taken(scene: Scene, delimiter: str) -> None:
    content = as_csv(rows_of(3), delimiter, "cp1252")
    answer = await proposed(scene, content)
    view = answer.json()
    assert (answer.status_code, view["state"], view["unmapped"]) == (201, "proposed", [])
    assert view["form"] == {"delimiter": delimiter, "encoding": "cp1252", "sheet": None}
    assert (view["mapping"]["columns"]["Zählpunkt"], view["mapping"]["columns"]["PLZ"]) == (
        "metering_point_id",
        "postcode",
    )
    assert (await scene.told(), [row.content for row in await scene.rows("archive")]) == ([], [content])


async def test_the_vector_of_the_specification(scene: Scene) -> None:
    content = as_csv(rows_of(10_000, BAD))
    view = await imported(scene, content)
    assert (view["state"], counts(view), view["score"]) == ("done", (9_997, 0, 0, 3), 0.9997)
    assert view["rules"] == {"D-MALO-1": 1, "csv/date": 1, "D-OWN-3": 1}
    found = [(each["row"], each["column"], each["rule"]) for each in await errors(scene, view["import_id"])]
    assert found == [
        ("17", "Zählpunkt", "D-MALO-1"),
        ("4711", "Termin", "csv/date"),
        ("9999", "Gerätetyp", "D-OWN-3"),
    ]
    assert len(await scene.rows("orders")) == 9_997
    before = await written(scene)
    again = await imported(scene, content)
    after = await written(scene)
    assert (counts(again), after["outbox"] - before["outbox"]) == ((0, 9_997, 0, 3), 0)


async def test_a_dry_run_says_the_same_and_writes_nothing(scene: Scene) -> None:
    content = as_csv(rows_of(600, {17: wrong_digit, 471: wrong_date}))
    import_id = (await proposed(scene, content)).json()["import_id"]
    before = await written(scene)
    dry = (await run(scene, import_id, dry_run=True)).json()
    assert await written(scene) == before
    await run(scene, import_id)
    await jobs_work(scene)
    wet = await shown(scene, import_id)
    assert (dry["state"], counts(dry), dry["findings"]) == ("dry_run", counts(wet), wet["findings"])
    assert dry["rules"] == wet["rules"] == {"D-MALO-1": 1, "csv/date": 1}
    assert counts(wet) == (598, 0, 0, 2)


async def test_X20_all_or_nothing_takes_nothing_when_one_row_is_wrong(scene: Scene) -> None:
    content = as_csv(rows_of(300, {200: wrong_digit}))
    view = await imported(scene, content, atomic=True)
    assert (view["state"], view["refused"], len(await errors(scene, view["import_id"]))) == ("refused", 1, 1)
    assert (await scene.told(), await scene.rows("orders")) == ([], [])
    view = await imported(scene, content, atomic=False)
    assert (counts(view), len(await errors(scene, view["import_id"]))) == ((299, 0, 0, 1), 1)


async def test_a_sheet_says_what_a_file_of_text_says(scene: Scene) -> None:
    rows = rows_of(5)
    view = await imported(scene, as_sheet(rows), sheet="Aufträge")
    assert counts(view) == (5, 0, 0, 0)
    assert counts(await imported(scene, as_csv(rows))) == (0, 5, 0, 0)


async def test_a_formula_refuses_its_row(scene: Scene) -> None:
    rows = rows_of(3)
    rows[1]["Ort"] = "=1+1"
    view = await imported(scene, as_sheet(rows))
    assert (counts(view), view["findings"][0]["rule"]) == ((2, 0, 0, 1), "csv/formula")
    assert [each["column"] for each in view["findings"]] == ["Ort"]


@pytest.mark.parametrize("kind", ["bomb", "no sheet", "doctype"])
async def test_X02_a_sheet_that_unpacks_to_too_much_or_is_none_is_not_taken(scene: Scene, kind: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        content = b"<!DOCTYPE x>" if kind == "doctype" else b"x" * (50_000_001 if kind == "bomb" else 10)
        packed.writestr("xl/workbook.xml", content)
    answer = await proposed(scene, out.getvalue())
    assert (answer.status_code, await scene.rows("archive")) == (422, [])


async def test_a_day_that_is_over_and_a_postcode_that_is_none_are_told(scene: Scene) -> None:
    rows = rows_of(3)
    rows[0]["Termin"] = "01.03.2026"
    rows[1]["PLZ"] = "1010"
    view = await imported(scene, as_csv(rows))
    found = [(each["row"], each["column"], each["rule"]) for each in view["findings"]]
    assert found == [(1, "Termin", "D-OWN-3"), (2, "PLZ", "D-PLZ-1")]


async def test_the_error_file_has_the_rows_as_they_stand_in_the_file(scene: Scene) -> None:
    rows = rows_of(3, {2: wrong_date})
    view = await imported(scene, as_csv(rows))
    (found,) = await errors(scene, view["import_id"])
    assert {name: found[name] for name in HEADER} == rows[1]
    assert list(found)[-4:] == ["row", "column", "rule", "message"]


async def test_a_changed_row_needs_a_higher_version(scene: Scene) -> None:
    rows = rows_of(2)
    await imported(scene, as_csv(rows))
    rows[0]["Termin"] = "16.06.2026"
    same = await imported(scene, as_csv(rows))
    assert (counts(same), same["findings"][0]["rule"]) == ((0, 1, 0, 1), "CONFLICT")
    higher = await imported(scene, as_csv(rows[:1]), mapping=MAPPING | {"constants": {"version": 2}})
    assert counts(higher) == (0, 0, 1, 0)


async def test_an_import_that_is_confirmed_anew_is_read_anew(scene: Scene) -> None:
    view = await imported(scene, as_csv(rows_of(2)))
    rows = MAPPING | {"constants": {"version": 2, "priority": 1}}
    await run(scene, view["import_id"], mapping=rows)
    await jobs_work(scene)
    assert counts(await shown(scene, view["import_id"])) == (0, 0, 2, 0)


async def test_a_key_that_stands_there_twice_counts_once(scene: Scene) -> None:
    rows = rows_of(2)
    view = await imported(scene, as_csv([*rows, rows[0]]))
    assert (counts(view), view["findings"][0]["rule"]) == ((2, 0, 0, 1), "csv/duplicate")


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ({"Nr": "order_no"}, "columns.Nr: the file has no such column"),
        ({"Auftragsnummer": "colour"}, "colour: orders have no such column"),
        ({"Ort": "city", "PLZ": "city"}, "city: named by two columns"),
        ({"Ort": "city"}, "order_no: no column and no constant says it"),
    ],
)
async def test_a_mapping_that_cannot_be_meant_is_refused_by_name(
    scene: Scene, columns: dict[str, str], wrong: str
) -> None:
    import_id = (await proposed(scene, as_csv(rows_of(1)))).json()["import_id"]
    answer = await run(scene, import_id, mapping={"columns": columns, "constants": {"version": 1}})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-mapping")
    assert wrong in answer.json()["errors"]


async def test_an_import_is_cancelled_between_batches_and_taken_up_again_without_doubles(scene: Scene) -> None:
    import_id = (await proposed(scene, as_csv(rows_of(500)))).json()["import_id"]
    await run(scene, import_id)
    assert await scene.jobs.work()
    async with scene.http("mdm") as client:
        cancelled = (await client.post(f"/v1/imports/{import_id}/cancel")).json()
        busy = await client.post(f"/v1/imports/{import_id}/cancel")
    await jobs_work(scene)
    assert (cancelled["state"], cancelled["accepted"], busy.status_code) == ("cancelled", 200, 409)
    await run(scene, import_id)
    await jobs_work(scene)
    assert counts(await shown(scene, import_id)) == (300, 200, 0, 0)
    assert len(await scene.names()) == 500


@pytest.mark.parametrize("hit", [1, 2, 3])
@pytest.mark.parametrize("point", faults.GROUPS["job"])
async def test_another_process_goes_on_where_one_died(scene: Scene, point: str, hit: int) -> None:
    import_id = (await proposed(scene, as_csv(rows_of(500)))).json()["import_id"]
    await run(scene, import_id)
    passed = list[str]()

    def dies(name: str) -> None:
        passed.append(name)
        if passed.count(point) == hit and name == point:
            raise faults.Crashed(name)

    with faults.armed(dies), pytest.raises(faults.Crashed):
        await jobs_work(scene)
    heir = Jobs(scene.store, scene.service.jobs)
    scene.clock.set(scene.clock.now() + heir.lease)
    while await heir.work():
        pass
    assert counts(await shown(scene, import_id)) == (500, 0, 0, 0)
    assert len(await scene.names()) == 500


async def test_points_and_areas_fill_the_orders_that_come_later(scene: Scene) -> None:
    points = (
        "Zählpunkt;Straße;Hausnummer;PLZ;Ort;Spannungsebene;Netzbetreiber;Kundengruppe\n"
        f"{POINT};Am Hang;7;00101;Nordstadt;E06;9900001000002;person\n"
        f"{malo(1)};Am Hang;8;00101;Nordstadt;E07;9900001000002;person\n"
    )
    areas = "PLZ;Gemeinde;Los\n00101;01001001;S1\n"
    for kind, content in (("points", points), ("areas", areas)):
        view = (await proposed(scene, content.encode(), kind=kind)).json()
        await run(scene, view["import_id"], mapping=view["mapping"])
    await jobs_work(scene)
    assert [row.findings[0].position for row in await scene.rows("import_findings")] == ["voltage"]
    body = f"""<s:Work><s:WorkTask><s:taskKind>exchange</s:taskKind>
      <s:UsagePoint><s:mRID>{POINT}</s:mRID></s:UsagePoint></s:WorkTask></s:Work>"""
    await scene.comes(order(body=body))
    (fact,) = [each for each in await scene.told() if type(each).__name__ == "OrderReceived"]
    assert (fact.address.street, fact.area.stage) == ("Am Hang", "S1")  # type: ignore[attr-defined]


async def test_a_partner_imports_its_own_orders_and_nothing_else(scene: Scene) -> None:
    agreed(scene)
    async with scene.partner("erp-csv") as client:
        own = await client.post("/v1/imports", params=ORDERS, content=as_csv(rows_of(1)))
        others = await client.post("/v1/imports", params={"kind": "orders", "partner": "erp-n"}, content=b"a;b\n")
        points = await client.post("/v1/imports", params={"kind": "points"}, content=b"a;b\n")
    async with scene.partner("erp-n") as client:
        foreign = await client.get(f"/v1/imports/{own.json()['import_id']}")
    assert [each.status_code for each in (own, others, points, foreign)] == [201, 404, 404, 404]


async def test_what_is_agreed_with_the_partner_is_proposed(scene: Scene) -> None:
    scene.service.settings.partners_dir.mkdir()
    (scene.service.settings.partners_dir / "erp-n.map.yaml").write_text("columns: {Ort: order_no}\n")
    agreed(scene, more="csv: {mapping: erp-n.map.yaml}")
    view = (await proposed(scene, as_csv(rows_of(1)), partner="erp-n")).json()
    assert view["mapping"]["columns"] == {"Ort": "order_no"}
