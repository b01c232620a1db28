"""The market around the hub: each partner in the dialect and over the transport that it was told."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from contracts.ids import is_market_partner
from kit.clock import ManualClock
from simulators import facts
from simulators.edifact.letters import Pen
from simulators.edifact.syntax import read
from simulators.facts import OrderFacts
from simulators.marketplace import EDIFACT, FILES, Market, Speech
from simulators.story import Story
from tests.unit.simulators.edifact_hub import ANNOUNCED_IMS, MSB, NB, told, words
from tests.unit.simulators.test_market import a_report

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPEAKS = {"nb-nord": Speech(EDIFACT), "wmsb-nord": Speech(EDIFACT, FILES), "lf-nord": Speech(transport=FILES)}
STORIES = (Story(1, ordered_by="nb-nord"), Story(2, market=(("wmsb", "reject:A01"),)))


class Hub:
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str, bytes]] = []
        self.status = 202

    async def answer(self, request: httpx.Request) -> httpx.Response:
        partner = request.url.path.rpartition("/")[2]
        self.posted.append((partner, request.headers["content-type"], await request.aread()))
        return httpx.Response(self.status, json={})


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def market(hub: Hub, tmp_path: Path) -> Market:
    return a_market(hub, tmp_path, *STORIES)


def a_market(hub: Hub, drop: Path, *stories: Story) -> Market:
    http = httpx.AsyncClient(base_url="http://hub/api", transport=httpx.MockTransport(hub.answer))
    keys = dict.fromkeys(facts.MARKET, "k")
    return Market(ManualClock(NOW), http, keys, stories, speaks=SPEAKS, drop=drop)


@pytest.fixture
async def client(market: Market) -> AsyncIterator[httpx.AsyncClient]:
    routes = [
        Route("/market/{partner}", market.take, methods=["POST"]),
        Route("/market/{partner}/log", market.show, methods=["GET"]),
    ]
    asgi = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=asgi, base_url="http://market") as client:
        yield client


def an_announcement(partner: str, number: int = 2) -> bytes:
    """What the hub would tell this partner about an order of the stories."""
    role = facts.MARKET[partner]
    point = OrderFacts(number).metering_point
    document = ANNOUNCED_IMS.model_copy(
        update={"metering_point": ANNOUNCED_IMS.metering_point.model_copy(update={"id": point})}
    )
    content = told(document, role).decode("latin-1")
    own = facts.MARKET_CODES[role]
    old, new = Pen(ManualClock(NOW), NB, MSB, "X"), Pen(ManualClock(NOW), own, facts.HUB_CODE, "X")
    for before, after in ((f"{old.code}:500", _unb(new.code)), (f"{old.code}::293", _nad(new.code))):
        content = content.replace(before, after)
    return content.encode("latin-1")


def _unb(code: str) -> str:
    return f"{code}:500" if code.startswith("99") else f"{code}:14"


def _nad(code: str) -> str:
    return f"{code}::293" if code.startswith("99") else f"{code}::9"


async def test_an_order_leaves_in_the_dialect_of_its_partner(market: Market, hub: Hub) -> None:
    assert await market.act()
    ((partner, media_type, content),) = hub.posted
    assert (partner, media_type, words(read(content))) == ("nb-nord", "application/edifact", ["ORDERS 17011"])
    market.withdraw(STORIES[0])
    await market.act()
    assert words(read(hub.posted[-1][2])) == ["IFTSTA 21013"]


async def test_an_order_comes_spoilt_at_first_then_whole_as_often_as_the_story_wants(hub: Hub, tmp_path: Path) -> None:
    story = Story(1, ordered_by="nb-nord", spoilt=("wrong_count", "version"), copies=3)
    await a_market(hub, tmp_path, story).act()
    broken, whole = hub.posted[:2], hub.posted[2:]
    assert [b"UNT+99" in broken[0][2], b":UN:9.9" in broken[1][2]] == [True, True]
    assert (len(whole), len({content for _, _, content in whole})) == (3, 1)
    assert len({read(content).number for _, _, content in [broken[1], whole[0]]}) == 2


async def test_a_cancellation_may_leave_before_its_order(hub: Hub, tmp_path: Path) -> None:
    await a_market(hub, tmp_path, Story(1, ordered_by="nb-nord", cancelled_before=True)).act()
    assert [words(read(content)) for _, _, content in hub.posted] == [["IFTSTA 21013"], ["ORDERS 17011"]]


async def test_two_partners_order_the_same_work_and_each_withdraws_its_own_order(hub: Hub, tmp_path: Path) -> None:
    story = Story(1, ordered_by="nb-nord", also_ordered_by="mdm-b")
    market = a_market(hub, tmp_path, story)
    await market.act()
    market.withdraw(story, "mdm-b")
    await market.act()
    assert sorted(partner for partner, _, _ in hub.posted) == ["mdm-b", "mdm-b", "nb-nord"]
    assert json.loads(hub.posted[-1][2])["type"] == "rollout.document.work_order_cancelled.v1"


async def test_an_order_said_anew_names_another_door_under_the_same_number(market: Market, hub: Hub) -> None:
    await market.act()
    market.amend(STORIES[0])
    await market.act()
    first, second = (content for _, _, content in hub.posted)
    assert [b"BGM+Z12+N-000001" in each for each in (first, second)] == [True, True]
    assert [b"::202" in each for each in (first, second)] == [False, True]


async def test_days_are_proposed_by_who_ordered(hub: Hub, tmp_path: Path) -> None:
    story = Story(1, ordered_by="mdm-b")
    market = a_market(hub, tmp_path, story)
    await market.act()
    market.propose(story)
    await market.act()
    said = json.loads(hub.posted[-1][2])["data"]["rueckmeldung"]
    assert (said["reasons"], said["window"]) == ([{"code": "RESCHEDULED"}], {"from": "2026-12-07", "to": "2026-12-14"})


async def test_documents_are_answered_over_http(market: Market, hub: Hub, client: httpx.AsyncClient) -> None:
    await market.act()
    answer = await client.post("/market/nb-nord", content=an_announcement("nb-nord"))
    assert (answer.status_code, market.next_due(), market.working["posts"]) == (202, NOW, 0)
    await market.act()
    assert [words(read(content)) for _, _, content in hub.posted[1:]] == [["APERAK 312"]]


async def test_documents_are_taken_from_a_folder_and_answered_in_one(market: Market, tmp_path: Path) -> None:
    out = tmp_path / "wmsb-nord" / "out"
    out.mkdir(parents=True)
    (out / "1.edi").write_bytes(an_announcement("wmsb-nord"))
    (out / "2.edi.tmp").write_bytes(b"half")
    assert await market.act()
    said = [words(read(file.read_bytes())) for file in sorted((tmp_path / "wmsb-nord" / "in").iterdir())]
    assert said == [["APERAK 312"], ["IFTSTA 21031"]]
    assert ([file.name for file in out.iterdir()], market.taken_in(), market.rhythm is None) == (
        ["2.edi.tmp"],
        False,
        False,
    )


async def test_a_partner_that_works_with_files_may_speak_json(market: Market, tmp_path: Path) -> None:
    out = tmp_path / "lf-nord" / "out"
    out.mkdir(parents=True)
    (out / "1.json").write_bytes(a_report())
    await market.act()
    (file,) = (tmp_path / "lf-nord" / "in").iterdir()
    assert json.loads(file.read_bytes())["type"] == "rollout.document.accepted.v1"


async def test_what_was_done_can_be_asked(market: Market, client: httpx.AsyncClient) -> None:
    await market.act()
    await client.post("/market/nb-nord", content=an_announcement("nb-nord"))
    await client.post("/market/nb-nord", content=an_announcement("nb-nord"))
    said = (await client.get("/market/nb-nord/log")).json()
    assert [(entry["way"], entry["what"]) for entry in said["journal"]] == [
        ("out", "ORDERS"),
        ("in", "IFTSTA 21029"),
        ("in", "copy"),
    ]
    assert (said["orders"]["A-000002"]["documents"], said["orders"]["A-000002"]["copies"]) == (["work_status"], 1)
    assert [each["times"] for each in said["effects"]] == [1]


async def test_garbage_may_be_refused_and_an_outage_is_an_error(market: Market, hub: Hub) -> None:
    hub.status = 422
    assert await market.act()
    assert market.parties["nb-nord"].journal[-1].said == "422"
    hub.status = 500
    market.withdraw(STORIES[0])
    with pytest.raises(httpx.HTTPStatusError):
        await market.act()


def test_whoever_is_not_told_otherwise_speaks_json_over_http(hub: Hub) -> None:
    market = Market(ManualClock(NOW), httpx.AsyncClient(), {}, ())
    assert ({*market.in_json}, market.in_edifact, market.rhythm, market.taken_in()) == ({*facts.MARKET}, {}, None, True)


def test_every_partner_has_a_number_of_the_market() -> None:
    codes = [*facts.MARKET_CODES.values(), facts.HUB_CODE, facts.ELSEWHERE, facts.NEWCOMER_CODE]
    assert ([code for code in codes if not is_market_partner(code)], len({*codes})) == ([], 7)
