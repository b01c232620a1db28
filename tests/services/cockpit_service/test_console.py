"""Coming in, staying in, going: codes that work once, sessions that end, pages without a line of foreign script."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.roles import Role
from kit.edge import CONTENT_SECURITY_POLICY
from kit.http import web
from kit.testing import Stage
from services.cockpit_service.signing_in import csrf_token, invite
from tests.services.cockpit_service.story import CASE, story

TEMPLATES = Path(__file__).resolve().parents[3] / "services" / "cockpit_service" / "templates"
OURS = {"Sec-Fetch-Site": "same-origin"}
ANNA = "person:local:anna"


def browser(stage: Stage, url: str = "http://localhost") -> httpx.AsyncClient:
    app = web(stage.service, authenticate=stage.service.authenticate)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url, headers={"Accept": "text/html"})


async def invited(stage: Stage, *roles: Role) -> str:
    code: str = await stage.run(lambda unit: invite(unit, ANNA, roles or tuple(Role)))
    return code


async def enter(client: httpx.AsyncClient, code: str, **headers: str) -> httpx.Response:
    return await client.post("/sign-in", data={"code": code}, headers=headers or OURS)


async def signed_in(stage: Stage, *roles: Role) -> httpx.AsyncClient:
    client = browser(stage)
    assert (await enter(client, await invited(stage, *roles))).status_code == 303
    return client


@pytest.mark.rule("SEC-SES-01")
async def test_a_code_has_256_bits_and_only_its_hash_is_kept(stage: Stage) -> None:
    code = await invited(stage)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code)
    (kept,) = await stage.rows("invitations")
    assert code not in str(kept)


@pytest.mark.rule("SEC-SES-01")
async def test_a_code_works_once(stage: Stage) -> None:
    code = await invited(stage)
    assert (await enter(browser(stage), code)).headers["location"] == "/"
    again = await enter(browser(stage), code)
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)
    assert "does not work" in again.text


@pytest.mark.rule("SEC-SES-01")
@pytest.mark.parametrize(("seconds", "status"), [(899, 303), (901, 401)])
async def test_a_code_works_for_a_quarter_of_an_hour(stage: Stage, seconds: int, status: int) -> None:
    code = await invited(stage)
    stage.clock.advance(timedelta(seconds=seconds))
    assert (await enter(browser(stage), code)).status_code == status


@pytest.mark.rule("SEC-SES-02")
async def test_opening_the_link_burns_nothing(stage: Stage) -> None:
    client, code = browser(stage), await invited(stage)
    for _ in range(2):
        shown = await client.get("/sign-in", params={"code": code})
        assert (shown.status_code, "<button" in shown.text) == (200, True)
    assert (await enter(client, code)).status_code == 303


@pytest.mark.rule("SEC-SES-05")
@pytest.mark.parametrize(
    ("url", "name", "secure"), [("http://localhost", "hub_local", False), ("https://localhost", "__Host-hub", True)]
)
async def test_the_cookie_is_for_the_server_alone(stage: Stage, url: str, name: str, secure: bool) -> None:
    cookie = (await enter(browser(stage, url), await invited(stage))).headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")}
    assert cookie.startswith(f"{name}=")
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert ("secure" in attributes) is secure
    (kept,) = await stage.rows("sessions")
    assert cookie.partition("=")[2].partition(";")[0] not in str(kept)


@pytest.mark.rule("SEC-SES-05")
async def test_a_session_ends_after_30_idle_minutes(stage: Stage) -> None:
    client = await signed_in(stage)
    stage.clock.advance(timedelta(minutes=29))
    assert (await client.get("/")).status_code == 200
    stage.clock.advance(timedelta(minutes=29))
    assert (await client.get("/fragments/overview", headers={"X-Refresh": "1"})).status_code == 200
    stage.clock.advance(timedelta(minutes=2))  # the page's own refresh was nobody's doing
    assert (await client.get("/")).status_code == 303


@pytest.mark.rule("SEC-SES-05")
async def test_a_session_ends_after_10_hours(stage: Stage) -> None:
    client = await signed_in(stage)
    for _ in range(29):
        stage.clock.advance(timedelta(minutes=20))
        assert (await client.get("/")).status_code == 200
    stage.clock.advance(timedelta(minutes=20))
    assert (await client.get("/")).headers["location"] == "/sign-in"


@pytest.mark.rule("SEC-SES-06")
async def test_signing_out_ends_the_session_at_once(stage: Stage) -> None:
    client = await signed_in(stage)
    stolen = dict(client.cookies)
    page = (await client.get("/")).text
    (token,) = re.findall(r'name="csrf" value="([0-9a-f]{64})"', page)
    left = await client.post("/sign-out", data={"csrf": token}, headers=OURS)
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    thief = browser(stage)
    thief.cookies.update(stolen)
    assert (await thief.get("/")).status_code == 303


@pytest.mark.rule("SEC-WEB-01")
@pytest.mark.parametrize(
    ("headers", "with_token", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True, 303),
        ({"Origin": "http://localhost"}, True, 303),
        ({"Sec-Fetch-Site": "same-origin"}, False, 403),
        ({"Sec-Fetch-Site": "cross-site"}, True, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, True, 403),
        ({"Origin": "http://evil.example"}, True, 403),
        ({}, True, 403),
    ],
)
async def test_an_unsafe_request_with_a_cookie_must_come_from_our_own_page(
    stage: Stage, headers: dict[str, str], with_token: bool, status: int
) -> None:
    client = await signed_in(stage)
    token = csrf_token(client.cookies["hub_local"]) if with_token else "0" * 64
    assert (await client.post("/sign-out", data={"csrf": token}, headers=headers)).status_code == status
    assert (await client.get("/")).status_code == (303 if status == 303 else 200)


@pytest.mark.rule("SEC-WEB-01")
async def test_a_code_is_taken_from_our_own_page_only(stage: Stage) -> None:
    code = await invited(stage)
    assert (await enter(browser(stage), code, Origin="http://evil.example")).status_code == 403
    assert (await enter(browser(stage), code)).status_code == 303


@pytest.mark.rule("SEC-WEB-01")
async def test_a_bearer_token_makes_the_cookie_count_for_nothing(stage: Stage) -> None:
    client = await signed_in(stage)
    assert (await client.get("/v1/cases", headers={"Authorization": "Bearer nonsense"})).status_code == 401


async def test_without_a_session_pages_lead_to_the_sign_in_and_the_api_refuses(stage: Stage) -> None:
    client = browser(stage)
    assert (await client.get("/")).headers["location"] == "/sign-in"
    assert (await client.get("/v1/cases", headers={"Accept": "application/json"})).status_code == 401


async def test_a_session_has_the_roles_of_its_invitation_and_none_of_a_company(stage: Stage) -> None:
    assert (await (await signed_in(stage, Role.ADMIN)).get("/")).status_code == 403
    assert (await (await signed_in(stage, Role.COMPANY_ADMIN)).get("/")).status_code == 403
    assert (await (await signed_in(stage, Role.COMPANY_ADMIN, Role.QA)).get("/")).status_code == 200


async def test_the_overview_shows_where_everything_stands(stage: Stage) -> None:
    await stage.hears(*story()[:16])
    client = await signed_in(stage)
    page = await client.get("/")
    assert page.status_code == 200
    for shown in (
        "Cases by phase",
        "Open problems",
        "Newest cases",
        f"/cases/{CASE}",
        "erp:4500012345",
        'role="search"',
    ):
        assert shown in page.text
    assert "Kim Muster" not in page.text
    fragment = await client.get("/fragments/overview?phase=PLANNING")
    assert f"/cases/{CASE}" in fragment.text
    assert "<html" not in fragment.text
    assert "No case fits." in (await client.get("/?q=nothing")).text


async def test_a_case_has_a_page_with_its_timeline(stage: Stage) -> None:
    await stage.hears(*story())
    page = await (await signed_in(stage)).get(f"/cases/{CASE}")
    assert page.status_code == 200
    assert "T21 · RESOLVED · CLOSED · DONE" in page.text


async def test_what_a_search_says_is_escaped(stage: Stage) -> None:
    page = await (await signed_in(stage)).get("/", params={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


@pytest.mark.rule("SEC-WEB-02")
@pytest.mark.parametrize("path", ["/", "/fragments/overview", "/sign-in?code=x"])
async def test_every_page_carries_the_strict_policy(stage: Stage, path: str) -> None:
    page = await (await signed_in(stage)).get(path)
    assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert page.headers["cache-control"] == "no-store"
    assert not inline(page.text)


@pytest.mark.rule("SEC-WEB-02")
@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_holds_inline_code_or_an_outside_address(template: Path) -> None:
    text = template.read_text()
    assert not inline(text)
    assert "//" not in text


def inline(text: str) -> list[Any]:
    return re.findall(r"""\s(?:style|on\w+)\s*=|<style|<script(?![^>]*\bsrc=)|javascript:""", text, re.IGNORECASE)


@pytest.mark.parametrize("name", ["console.css", "console.js"])
async def test_style_and_script_are_our_own(stage: Stage, name: str) -> None:
    answer = await browser(stage).get(f"/static/{name}")
    assert answer.status_code == 200
    assert not re.search(r"https?://", answer.text)
