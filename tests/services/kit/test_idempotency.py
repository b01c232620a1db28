"""Idempotency-Key: the same request again has the same answer to the byte, and one effect."""

import asyncio

import pytest
import sqlalchemy as sa

from kit import faults
from kit.tables import idempotency
from tests.services.kit.probe import Probe

KEY = {"Idempotency-Key": "0197f000-order-1"}
NOTE = {"number": 7, "at": "2026-03-02T08:00:00Z"}


async def test_the_same_request_again_has_the_same_answer_to_the_byte_and_one_effect(probe: Probe) -> None:
    async with probe.client() as client:
        first = await client.post("/v1/notes", json=NOTE, headers=KEY)
        again = await client.post("/v1/notes", json=NOTE, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert await probe.written() == 1


async def test_without_a_key_twice_is_twice(probe: Probe) -> None:
    async with probe.client() as client:
        for _ in range(2):
            await client.post("/v1/notes", json=NOTE)
    assert await probe.written() == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/notes", {"number": 8}), ("/v1/notes/by-location", NOTE), ("/v1/notes?x=1", NOTE)],
    ids=["other body", "other route", "other query"],
)
async def test_a_key_that_was_used_for_something_else_is_refused(probe: Probe, path: str, body: object) -> None:
    async with probe.client() as client:
        await client.post("/v1/notes", json=NOTE, headers=KEY)
        other = await client.post(path, json=body, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-conflict")
    assert await probe.written() == 1


async def test_two_people_may_use_the_same_key(probe: Probe) -> None:
    for name in ("anna", "bert"):
        async with probe.client(probe.token(name=name)) as client:
            assert (await client.post("/v1/notes", json=NOTE, headers=KEY)).status_code == 201
    assert await probe.written() == 2


async def test_while_the_first_is_running_the_second_is_told_to_wait(probe: Probe) -> None:
    async with probe.client() as client:
        answers = await asyncio.gather(*[client.post("/v1/notes", json=NOTE, headers=KEY) for _ in range(3)])
        later = await client.post("/v1/notes", json=NOTE, headers=KEY)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    waiting = next(answer for answer in answers if answer.status_code == 409)
    assert (waiting.json()["code"], waiting.headers["retry-after"]) == ("in-progress", "1")
    assert later.status_code == 201
    assert await probe.written() == 1


async def test_what_another_process_did_first_is_its_answer_here_too(probe: Probe) -> None:
    """Both looked before either wrote: the second meets the first one's row when it commits."""
    running = probe.app.state.running

    class Elsewhere(set[object]):
        """What runs in another process is not known in this one."""

        def add(self, _: object) -> None:
            """Nothing is noted."""

    probe.app.state.running = Elsewhere(running)
    async with probe.client() as client:
        answers = await asyncio.gather(*[client.post("/v1/notes", json=NOTE, headers=KEY) for _ in range(3)])
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.content for answer in answers}) == 1
    assert await probe.written() == 1


async def test_a_refusal_is_not_kept(probe: Probe) -> None:
    async with probe.client() as client:
        for _ in range(2):
            refused = await client.post("/v1/notes", json={"number": 13}, headers=KEY)
            assert (refused.status_code, "idempotency-replayed" in refused.headers) == (409, False)
        assert (await client.post("/v1/notes", json=NOTE, headers=KEY)).status_code == 201
    assert await probe.written() == 1


@pytest.mark.parametrize("point", ["http.begun", "http.flushed", "http.committed", "http.answered"])
async def test_a_kill_at_any_point_leaves_one_effect_and_one_answer(probe: Probe, point: str) -> None:
    def kill(passed: str) -> None:
        if passed == point:
            raise faults.Crashed

    async with probe.client() as client:
        with faults.armed(kill), pytest.raises(faults.Crashed):
            await client.post("/v1/notes", json=NOTE, headers=KEY)
        probe.app.state.running.clear()  # the process is gone, and what it remembered
        answers = [await client.post("/v1/notes", json=NOTE, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert await probe.written() == 1


async def test_what_an_endpoint_says_beside_its_command_is_repeated_as_well(probe: Probe) -> None:
    async with probe.client() as client:
        first = await client.post("/v1/notes/by-location", json=NOTE, headers=KEY)
        again = await client.post("/v1/notes/by-location", json=NOTE, headers=KEY)
    assert first.content == again.content == b'{"number":7}'
    assert first.headers["location"] == again.headers["location"]
    assert (again.status_code, await probe.written()) == (201, 1)


@pytest.mark.parametrize("key", ["", "x" * 201, "with blank", "ümlaut"])
async def test_a_key_has_a_form(probe: Probe, key: str) -> None:
    async with probe.client() as client:
        answer = await client.post("/v1/notes", json=NOTE, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "http/idempotency-key")
    assert await probe.written() == 0


async def test_the_row_holds_no_more_than_the_page_says(probe: Probe) -> None:
    async with probe.client() as client:
        await client.post("/v1/notes", json=NOTE, headers=KEY)
    row = (await probe.store.read(lambda db: db.execute(sa.select(idempotency)).one()))._asdict()
    assert (row["principal"], row["request_key"], row["route"]) == (
        "person:local:anna",
        KEY["Idempotency-Key"],
        "POST /v1/notes",
    )
    assert (row["status"], len(row["request_hash"]), row["at"]) == (201, 64, probe.clock.now())
