"""The web side of a service: gates, problems, limits, and the headers of every answer."""

import io
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import Mount

from kit import logs, metrics, tables
from kit.auth import Principal, needs, open_route
from kit.http import cursor, read_cursor, served, web
from kit.jsons import Unreadable
from kit.problems import BadRequest
from tests.services.kit.probe import MORNING, Probe

UNKNOWN = UUID(int=1)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.fixture
async def client(probe: Probe) -> AsyncIterator[httpx.AsyncClient]:
    async with probe.client() as found:
        yield found


def with_route(probe: Probe, **options: Any) -> FastAPI:
    """The app with one more route."""
    probe.router = APIRouter()

    @probe.router.get("/v1/more", **options)
    async def more() -> None:
        """One more."""

    return web(probe)


@pytest.mark.rule("SEC-ROL-02")
def test_a_route_without_a_gate_makes_the_service_refuse_to_start(probe: Probe) -> None:
    with pytest.raises(TypeError, match=r"/v1/more: exactly one .* found 0"):
        with_route(probe)


@pytest.mark.rule("SEC-ROL-02")
@pytest.mark.parametrize("other", [open_route("why not"), needs("case:comment")])
def test_a_route_with_two_gates_makes_the_service_refuse_to_start(probe: Probe, other: Any) -> None:
    with pytest.raises(TypeError, match="found 2"):
        with_route(probe, dependencies=[Depends(needs("case:read")), Depends(other)])


@pytest.mark.rule("SEC-ROL-02")
def test_something_that_can_have_no_gate_is_not_served(probe: Probe) -> None:
    probe.router = APIRouter(routes=[Mount("/x", app=FastAPI())])
    with pytest.raises(TypeError, match="only routes with a gate"):
        web(probe)


@pytest.mark.rule("SEC-ROL-02")
def test_every_route_tells_its_action_or_why_it_is_open(probe: Probe) -> None:
    found = {(each.method, each.path): (each.action, bool(each.reason)) for each in served(probe.app)}
    assert found["POST", "/v1/notes"] == ("case:comment", False)
    assert found["GET", "/health/live"] == (None, True)
    assert found["GET", "/metrics"] == ("health:read", False)


def test_routers_inside_routers_keep_their_gates_and_prefixes(probe: Probe) -> None:
    inner, outer = APIRouter(prefix="/inner"), APIRouter()

    @inner.get("/notes")
    async def list_notes(_: Annotated[Principal, Depends(needs("case:read"))]) -> list[int]:
        """All of them."""
        return []

    outer.include_router(inner, prefix="/v1")
    probe.router = outer
    assert ("GET", "/v1/inner/notes", "case:read", None) in list(served(web(probe)))


@pytest.mark.rule("SEC-ROL-03")
@pytest.mark.rule("SEC-TOK-10")
@pytest.mark.parametrize("authorization", [None, "", "Basic abc", "Bearer", "Bearer a.b.c", "Bearer hub_x", "bearer é"])
async def test_without_a_valid_token_every_answer_is_the_same_401(probe: Probe, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    async with probe.client({}) as client:
        answer = await client.post("/v1/notes", content=b"not even json", headers=headers)
    problem = answer.json()
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    del problem["instance"]
    assert problem == {
        "type": "urn:rollout-hub:problem:invalid-token",
        "title": "Invalid token",
        "status": 401,
        "code": "invalid-token",
        "detail": "a valid bearer token is needed",
    }


async def test_two_tokens_are_none(probe: Probe) -> None:
    token = probe.token()["Authorization"]
    async with probe.client({}) as client:
        twice = [("Authorization", token), ("Authorization", token)]
        assert (await client.get("/v1/notes", headers=twice)).status_code == 401
        assert (await client.get("/v1/notes", headers=twice[:1])).status_code == 200


@pytest.mark.rule("SEC-TOK-10")
async def test_the_cause_of_a_refusal_is_counted_and_told_to_nobody(probe: Probe) -> None:
    def refused(reason: str) -> float:
        return metrics.AUTH_REFUSALS.labels("case_service", reason)._value.get()

    before = {reason: refused(reason) for reason in ("expired", "role", "missing")}
    headers = probe.token()
    probe.clock.set(probe.clock.now().replace(hour=9))
    async with probe.client(headers) as client:
        await client.get("/v1/notes")
    async with probe.client(probe.token("warehouse")) as client:
        assert (await client.post("/v1/notes", json={})).status_code == 422
    async with probe.client(probe.token("platform")) as client:
        await client.get("/v1/notes")
    async with probe.client({}) as client:
        await client.get("/v1/notes")
    assert {reason: refused(reason) - before[reason] for reason in before} == {"expired": 1, "role": 1, "missing": 1}


async def audits(probe: Probe) -> list[tuple[str, str, str, str]]:
    """Action, subject, actor and details of every row."""
    rows = await probe.store.read(lambda db: db.execute(sa.select(tables.audit)).all())
    return [(row.action, row.subject, row.actor, row.details) for row in rows]


async def test_a_refused_change_is_audited_whoever_refused_it(probe: Probe) -> None:
    async with probe.client() as anna, probe.client(probe.token("platform", name="petra")) as petra:
        await petra.put(f"/v1/notes/{UNKNOWN}", json={"number": 1})
        await petra.post("/v1/notes", json={"number": 1})
        await anna.put(f"/v1/notes/{UNKNOWN}", json={"number": 1})
        await anna.post("/v1/notes", json={"number": 13}, headers={"Idempotency-Key": "k"})
    assert sorted(await audits(probe)) == sorted(
        [
            ("refused:case:comment", f"note/{UNKNOWN}", "person:local:petra", '{"code":"role-missing"}'),
            ("refused:case:comment", "route//v1/notes", "person:local:petra", '{"code":"role-missing"}'),
            ("refused:case:comment", f"note/{UNKNOWN}", "person:local:anna", '{"code":"not-found"}'),
            ("refused:case:comment", "route//v1/notes", "person:local:anna", '{"code":"number-refused"}'),
        ]
    )


async def test_what_cannot_be_read_or_only_reads_or_comes_from_nobody_is_no_refused_change(probe: Probe) -> None:
    async with probe.client() as anna, probe.client({}) as nobody, probe.client(probe.token("platform")) as petra:
        await anna.post("/v1/notes", json={"number": "Erika"})
        await nobody.post("/v1/notes", json={"number": 1})
        await petra.get("/v1/notes")
        await anna.get(f"/v1/notes/{UNKNOWN}")
    assert await audits(probe) == []


@pytest.mark.rule("SEC-ROL-03")
async def test_a_role_that_may_not_is_told_which_action_before_its_body_is_read(probe: Probe) -> None:
    async with probe.client(probe.token("management")) as client:
        answer = await client.post("/v1/notes", content=b"{broken")
    assert (answer.status_code, answer.json()["code"], answer.json()["action"]) == (403, "role-missing", "case:comment")


async def test_what_does_not_exist_and_what_is_no_id_look_alike(client: httpx.AsyncClient) -> None:
    answers = [await client.get(path) for path in (f"/v1/notes/{UNKNOWN}", "/v1/notes/x'--", "/nowhere")]
    bodies = [{**answer.json(), "instance": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert bodies[0] == bodies[1] == bodies[2]
    assert "anna" not in answers[0].text


async def test_a_refusal_shows_its_public_attributes_and_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/notes", json={"number": 13})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json() == {
        "type": "urn:rollout-hub:problem:number-refused",
        "title": "Number refused",
        "status": 409,
        "code": "number-refused",
        "detail": "this number is not wanted",
        "instance": answer.headers["x-request-id"],
        "allowed": [1, 2, 3],
    }


@pytest.mark.rule("SEC-HARD-03")
async def test_a_defect_tells_nothing_of_itself(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/defect/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert "Müller" not in answer.text
    assert "Error" not in answer.text


@pytest.mark.parametrize("kind", ["away", "refused"])
async def test_what_is_away_may_be_tried_again(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post(f"/v1/defect/{kind}")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "2")
    assert "10.0.0.7" not in answer.text


async def test_a_method_that_a_path_does_not_take_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/notes")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b'{"number": 1, "extra": 2}', "application/json", 422, "json/unknown-member"),
        (b'{"number": "1"}', "application/json", 422, "json/type"),
        (b"{}", "application/json", 422, "json/missing-member"),
        (b"", "application/json", 400, "json/syntax"),
        (b'{"number": 1}{', "application/merge-patch+json", 400, "json/syntax"),
        (b'{"number": 1, "at": "' + b"x" * 1_000_000 + b'"}', "application/json", 413, "json/limit"),
    ],
)
@pytest.mark.rule("SEC-IN-01")
async def test_bodies_are_read_strictly(
    client: httpx.AsyncClient, content: bytes, media_type: str, status: int, code: str
) -> None:
    answer = await client.post("/v1/notes", content=content, headers={"Content-Type": media_type})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["errors"][0]["code"]) == (status, "invalid-body", code)


async def test_a_body_of_another_kind_is_not_guessed_at(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/notes", content=b'{"number": 1}', headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "invalid-body")


@pytest.mark.rule("SEC-IN-01")
@pytest.mark.parametrize(("size", "status"), [(2_000_000, 200), (2_000_001, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_route_may_take_more_and_then_just_as_much(
    client: httpx.AsyncClient, size: int, status: int, chunked: bool
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size // 1_000_000):
            yield b"x" * 1_000_000
        yield b"x" * (size % 1_000_000)

    answer = await client.post("/v1/upload", content=chunks() if chunked else b"x" * size)
    assert (answer.status_code, answer.headers["content-type"].startswith("application/problem")) == (
        status,
        status == 413,
    )


async def test_a_parameter_that_does_not_fit_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notes", params={"limit": "many"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/limit")
    assert "many" not in answer.text


@pytest.mark.rule("SEC-SES-04")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io", "localhost:80:80"])
async def test_a_host_that_is_not_ours_is_not_answered_for(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/health/live", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "unknown-host")


@pytest.mark.rule("SEC-SES-04")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]", "[::1]:8080"])
async def test_our_own_hosts_are(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/health/live", headers={"Host": host})).status_code == 200


@pytest.mark.rule("SEC-IN-01")
async def test_headers_have_a_limit(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notes", headers={"X-Padding": "x" * 16_384})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "http/limit")


@pytest.mark.rule("SEC-KEY-03")
@pytest.mark.parametrize("path", ["/v1/notes?key={}", "/v1/{}/notes"])
async def test_a_key_in_an_address_is_refused(client: httpx.AsyncClient, path: str) -> None:
    key = "hub_4f7q2m6xk3ab_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq_3e4a2194"
    answer = await client.get(path.format(key))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "http/key-in-address")


@pytest.mark.rule("SEC-WEB-03")
@pytest.mark.parametrize(
    "path", ["/v1/notes", f"/v1/notes/{UNKNOWN}", "/page", "/nowhere", "/health/live", "/v1/defect/bug", "/metrics"]
)
async def test_every_answer_carries_the_headers_that_browsers_need(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "server" not in answer.headers


@pytest.mark.rule("SEC-WEB-03")
async def test_over_https_it_stays_https(probe: Probe) -> None:
    transport = httpx.ASGITransport(probe.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
        assert (await client.get("/health/live")).headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.rule("SEC-WEB-02")
async def test_a_page_may_load_nothing_but_our_own(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/page")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "content-security-policy" not in (await client.get("/health/live")).headers


async def test_requests_are_counted_by_their_template(client: httpx.AsyncClient) -> None:
    def counted(route: str, method: str, status: str) -> float:
        return metrics.HTTP_REQUESTS.labels("case_service", route, method, status)._value.get()

    before = counted("/v1/notes/{note_id}", "GET", "404"), counted("unmatched", "other", "404")
    await client.get(f"/v1/notes/{UNKNOWN}")
    await client.request("BREW", "/pot")
    assert counted("/v1/notes/{note_id}", "GET", "404") == before[0] + 1
    assert counted("unmatched", "other", "404") == before[1] + 1


@pytest.mark.rule("SEC-PII-02")
async def test_a_request_is_one_line_without_values(probe: Probe) -> None:
    out = io.StringIO()
    logs.configure(stream=out)
    async with probe.client() as client:
        traced = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        await client.post("/v1/notes?name=Müller", json={"number": 7}, headers=traced)
    structlog.reset_defaults()
    (line,) = [json.loads(text) for text in out.getvalue().splitlines()]
    assert (line["event"], line["route"], line["status"]) == ("request", "POST /v1/notes", 201)
    assert (line["principal"], line["service"]) == ("person:local:anna", "case_service")
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "ller" not in out.getvalue()


async def test_a_request_has_an_id_of_ours(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notes", headers={"X-Request-Id": "mine"})
    assert UUID(answer.headers["x-request-id"]).version == 7


async def test_health_is_open_and_names_only_the_checks_that_fail(probe: Probe) -> None:
    async def full() -> str | None:
        return "disk of Erika Müller is full"

    async with probe.client({}) as client:
        for name in ("live", "startup", "ready"):
            assert (await client.get(f"/health/{name}")).json() == {"status": "ok"}
        probe.app.state.health.check("database", full)
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["failing"]) == (503, ["database"])
        assert "Müller" not in answer.text
        assert (await client.get("/health")).status_code == 401


async def test_before_its_seed_is_sown_a_service_answers_nothing_but_how_it_is(probe: Probe) -> None:
    probe.app.state.health.starting = True
    async with probe.client() as client:
        for answer in (await client.get("/v1/notes"), await client.post("/v1/notes?name=a", json={"number": 7})):
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert (await client.get("/health/startup")).json()["failing"] == ["starting"]
        assert (await client.get("/health/live")).status_code == 200
        probe.app.state.health.starting = False
        assert (await client.get("/v1/notes")).status_code == 200


@pytest.mark.rule("SEC-HARD-03")
async def test_what_is_measured_is_shown_to_those_who_run_the_machine(probe: Probe) -> None:
    async with probe.client(probe.token("platform")) as client:
        answer = await client.get("/metrics")
        assert (answer.status_code, answer.headers["content-type"][:29]) == (200, "application/openmetrics-text;")
        assert "hub_http_requests_total{" in answer.text
        assert (await client.get("/health")).json()["loop"] == "ok"
    async with probe.client() as client:
        assert (await client.get("/metrics")).status_code == 403


@pytest.mark.rule("SEC-HARD-03")
@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
async def test_nothing_describes_the_service_to_strangers(probe: Probe, path: str) -> None:
    async with probe.client({}) as client:
        assert (await client.get(path)).status_code == 404


async def test_the_description_can_still_be_written(probe: Probe) -> None:
    assert "/v1/notes/{note_id}" in probe.app.openapi()["paths"]


async def test_an_edit_names_the_version_it_is_based_on(client: httpx.AsyncClient) -> None:
    path = f"/v1/notes/{(await client.post('/v1/notes', json={'number': 1})).json()['note_id']}"
    first = await client.put(path, json={"number": 2}, headers={"If-Match": '"1"'})
    late = await client.put(path, json={"number": 3}, headers={"If-Match": '"1"'})
    wrong = await client.put(path, json={"number": 3}, headers={"If-Match": "yesterday"})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (late.status_code, late.json()["code"]) == (409, "stale-version")
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "http/if-match")
    assert (await client.get(path)).json()["number"] == 2


def test_a_page_is_found_again_by_its_cursor_and_by_nothing_else() -> None:
    text = cursor("2026-03-02", 7)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert read_cursor(text, str, int) == ("2026-03-02", 7)
    assert read_cursor(cursor(UNKNOWN, MORNING), UUID, datetime) == (UNKNOWN, MORNING)
    for kind in (UUID, datetime):
        with pytest.raises(BadRequest):
            read_cursor(cursor("x"), kind)
    for wrong in (text[:-2], "", "ü", cursor("7", "8"), cursor(1), cursor("2026-03-02", True)):
        with pytest.raises(BadRequest):
            read_cursor(wrong, str, int)


def test_the_errors_of_the_reader_are_problems_of_the_body() -> None:
    assert {kind.code for kind in (Unreadable, *Unreadable.__subclasses__(), BadRequest)} == {"invalid-body"}
