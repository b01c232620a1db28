"""The desk of operations: what waits is seen without what it says, tried again in order, given up by two persons."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contracts.handovers import HandoverAccepted
from contracts.samples import example
from contracts.visits import VisitReported
from kit import tables
from kit.proof import prove
from kit.testing import Stage
from services.asset_service.app import build as build_asset
from services.asset_service.settings import Settings as AssetSettings
from services.case_service.app import build
from services.case_service.settings import Settings

HANDOVERS = "rollout.handovers"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A case service that heard of a handover before its case: the key waits."""
    made = await Stage.open(build, tmp_path, settings=Settings)
    await made.hears(accepted())
    yield made
    await made.close()


def accepted() -> HandoverAccepted:
    return example(HandoverAccepted)


async def parked(stage: Stage) -> list[dict[str, Any]]:
    async with stage.http("platform") as anna:
        return (await anna.get("/v1/parked")).json()


async def test_what_waits_is_listed_with_count_and_reason(stage: Stage) -> None:
    (row,) = await parked(stage)
    assert (row["topic"], row["key"], row["events"], row["reason"]) == (HANDOVERS, accepted().key(), 1, "waiting")


async def test_a_key_on_its_own_shows_its_events(stage: Stage) -> None:
    async with stage.http("platform") as anna:
        (event,) = (await anna.get(f"/v1/parked/{HANDOVERS}/{accepted().key()}")).json()
        absent = await anna.get(f"/v1/parked/{HANDOVERS}/nobody/at/all")
    assert (event["type"], event["value"]["attempt"], absent.status_code) == (HandoverAccepted.ce_type, 1, 404)


async def test_values_of_restricted_topics_are_masked(tmp_path: Path) -> None:
    stage = await Stage.open(build_asset, tmp_path, settings=AssetSettings)
    record = stage.record(example(VisitReported))
    row = {"reader": "asset_service", "topic": record.topic, "key": "k", "partition": 0, "offset": 1, "sequence": 1}
    row |= {
        "event_id": stage.service.store.new_id(),
        "headers": {},
        "value": record.value,
        "parked_at": stage.clock.now(),
    }
    await stage.store.db.transact(lambda db: db.execute(sa.insert(tables.parked).values(**row)))
    async with stage.http("platform") as anna:
        (event,) = (await anna.get(f"/v1/parked/{record.topic}/k")).json()
    await stage.close()
    visit = example(VisitReported)
    assert (event["value"]["case_id"], event["value"]["result"]) == (str(visit.case_id), "•••")


async def test_a_retry_tells_what_is_still_parked(stage: Stage) -> None:
    async with stage.http("platform") as anna:
        one = await anna.post("/v1/parked/retry", json={"topic": HANDOVERS, "key": accepted().key()})
        none = await anna.post("/v1/parked/retry", json={"reason": "bug"})
        nameless = await anna.post("/v1/parked/retry", json={})
        absent = await anna.post("/v1/parked/retry", json={"topic": HANDOVERS, "key": "nobody"})
    assert (one.json(), none.json()) == ({"free": 0, "still_parked": 1}, {"free": 0, "still_parked": 0})
    assert (nameless.status_code, absent.status_code) == (422, 404)
    assert "parked:retry" in [row.action for row in await stage.rows("audit")]


async def test_an_answer_to_an_order_is_given_up_by_two_persons(stage: Stage) -> None:
    (row,) = await parked(stage)
    wish = {"topic": HANDOVERS, "key": row["key"], "event_id": row["first_event_id"], "reason": "the case is gone"}
    async with stage.http("mdm", name="anna") as anna, stage.http("mdm", name="bert") as bert:
        first = await anna.post("/v1/parked/discard", json=wish)
        asked_by = (await parked(stage))[0]["discard_asked_by"]
        again = await anna.post("/v1/parked/discard", json=wish)
        second = await bert.post("/v1/parked/discard", json=wish)
    assert [each.status_code for each in (first, again, second)] == [202, 403, 200]
    assert (asked_by, again.json()["code"], await parked(stage)) == ("person:local:anna", "four-eyes", [])
    assert {row.outcome for row in await stage.rows("inbox")} == {"discarded"}
    assert not (await prove(stage.store.db, "case_service")).breaks


async def test_an_event_that_is_not_parked_cannot_be_given_up(stage: Stage) -> None:
    (row,) = await parked(stage)
    wish = {"topic": HANDOVERS, "key": row["key"], "event_id": accepted().key(), "reason": "the case is gone"}
    async with stage.http("mdm") as anna:
        answer = await anna.post("/v1/parked/discard", json=wish)
    assert answer.status_code == 404


async def test_who_has_no_business_at_the_desk_is_refused(stage: Stage) -> None:
    async with stage.http("dispatcher") as otto:
        answers = [await otto.get(path) for path in ("/v1/parked", "/v1/anomalies", "/v1/dead-letters", "/v1/effects")]
    assert {answer.status_code for answer in answers} == {403}


async def unknown(stage: Stage, state: str = "unknown") -> str:
    """An effect whose answer was lost."""
    effect_id, now = stage.service.store.new_id(), stage.clock.now()
    row = {"id": effect_id, "kind": "sms", "unique_key": "N01", "payload": {}, "state": state, "attempts": 3}
    row |= {"due_at": now, "correlation_id": "c", "created_at": now}
    await stage.store.db.transact(lambda db: db.execute(sa.insert(tables.effects).values(**row)))
    return str(effect_id)


@pytest.mark.parametrize(("outcome", "state"), [("done", "done"), ("again", "ready")])
async def test_a_person_decides_what_became_of_a_lost_answer(stage: Stage, outcome: str, state: str) -> None:
    effect_id = await unknown(stage)
    async with stage.http("platform") as anna:
        listed = (await anna.get("/v1/effects")).json()
        said = {"outcome": outcome, "reason": "asked the gateway"}
        answer = await anna.post(f"/v1/effects/{effect_id}/resolve", json=said)
        twice = await anna.post(f"/v1/effects/{effect_id}/resolve", json=said)
    (row,) = await stage.rows("effects")
    assert ([each["id"] for each in listed], answer.json(), row.state) == ([effect_id], {"state": state}, state)
    assert (twice.status_code, twice.json()["code"]) == (409, "effect-not-unknown")


async def test_anomalies_and_dead_letters_are_listed(stage: Stage) -> None:
    now = stage.clock.now()
    dead = {"reader": "case_service", "topic": HANDOVERS, "partition": 0, "offset": 1, "digest": "d", "headers": []}
    dead |= {"value": b"abc", "reason": "unreadable", "detail": "no_key", "at": now}
    strange = {"code": "late", "subject": "case/1", "details": {}, "at": now}
    await stage.store.db.transact(lambda db: db.execute(sa.insert(tables.dead_letters).values(**dead)))
    await stage.store.db.transact(lambda db: db.execute(sa.insert(tables.anomalies).values(**strange)))
    async with stage.http("platform") as anna:
        letters, anomalies = (await anna.get("/v1/dead-letters")).json(), (await anna.get("/v1/anomalies")).json()
    assert ([each["size"] for each in letters], [each["code"] for each in anomalies]) == ([3], ["late"])
