"""`hub case`: tables that people read, JSON for programs, refusals in words and with their exit code."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.printing import words
from kit.http import web
from services.case_service.domain.case import Case
from tests.services.case_service.story import Story

WHERE = "http://localhost/{service}"


class Desk:
    """A case service with one case, and somebody at the shell."""

    def __init__(self, story: Story, case: Case, tokens: Path) -> None:
        self.story, self.case, self.tokens = story, case, tokens
        self.order = str(case.current.work_order_id)

    def hub(self, *arguments: str, role: str = "dispatcher") -> Result:
        file = self.tokens / role
        signer, clock = self.story.stage.signer, self.story.stage.clock
        file.write_text(signer.person(f"person:local:{role}", [role], None, clock.now()))
        return CliRunner().invoke(app, ["case", *arguments, "--url", WHERE, "--token-file", str(file)])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    async def begin() -> tuple[Story, Case]:
        story = await Story.begin(tmp_path)
        return story, await story.case()

    story, case = asyncio.run(begin())
    transport = httpx.ASGITransport(web(story.stage.service))

    async def answered(method: str, path: str, **how: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **how)

    def request(method: str, url: str, **how: Any) -> httpx.Response:
        with redirect_stdout(StringIO()):  # the log of the service, which elsewhere is another process
            return asyncio.run(answered(method, url.removeprefix("http://localhost/case"), **how))

    monkeypatch.setattr(httpx, "request", request)
    yield Desk(story, case, tmp_path)
    asyncio.run(story.stage.close())


def test_a_list_is_a_table_or_json_and_narrows_by_every_filter(desk: Desk) -> None:
    table, found = desk.hub("list"), desk.hub("list", "--json", "--where", "priority_from=50", "--phase", "BACKLOG")
    none = desk.hub("list", "--where", "stage=9")
    assert (table.exit_code, str(desk.case.case_id) in table.stdout, "BACKLOG" in table.stdout) == (0, True, True)
    assert [item["case_id"] for item in json.loads(found.stdout)] == [str(desk.case.case_id)]
    assert (none.exit_code, "nothing" in none.stdout) == (0, True)


def test_a_page_says_how_to_go_on(desk: Desk) -> None:
    first = desk.hub("list", "--limit", "1", "--json")
    more = first.stderr.split()[-1]
    assert "--after" in first.stderr
    assert json.loads(desk.hub("list", "--json", "--after", more).stdout) == []


@pytest.mark.parametrize("option", [["--where", "colour=red"], ["--sort", "colour"], ["--phase", "ASLEEP"]])
def test_a_filter_that_does_not_exist_is_named(desk: Desk, option: list[str]) -> None:
    done = desk.hub("list", *option)
    assert (done.exit_code, "invalid-body" in done.stderr, "/query/" in done.stderr, done.stdout) == (1, True, True, "")


def test_a_case_is_shown_by_its_id_its_order_or_its_point(desk: Desk) -> None:
    names = (str(desk.case.case_id), "erp-a:4711", desk.case.metering_point_id)
    shown = [desk.hub("show", name) for name in names]
    assert [each.exit_code for each in shown] == [0, 0, 0]
    assert all(desk.order in each.stdout and "erp-a:4711" in each.stdout for each in shown)
    assert json.loads(desk.hub("show", names[0], "--json").stdout)["case_id"] == names[0]
    assert (desk.hub("show", "erp-a:1").exit_code, desk.hub("show", desk.order).exit_code) == (1, 1)


def test_a_move_is_made_or_refused_with_every_objection(desk: Desk) -> None:
    made = desk.hub("move", desk.order, "start_planning")
    refused = desk.hub("move", desk.order, "send_booking")
    stale = desk.hub("move", desk.order, "put_on_hold", "--arg", "return_on=2026-06-01", "--arg", "expected_version=1")
    history = desk.hub("history", str(desk.case.case_id))
    assert (made.exit_code, "PLANNING" in made.stdout) == (0, True)
    assert (refused.exit_code, "not-planned" in refused.stderr, "objections" in refused.stderr) == (1, True, True)
    assert (stale.exit_code, "stale-version" in stale.stderr, '"then": "OPEN"' in stale.stderr) == (1, True, True)
    assert "T01" in history.stdout


def test_why_tells_what_objects_to_each_move_and_what_keeps_the_gate_closed(desk: Desk) -> None:
    desk.hub("move", desk.order, "start_planning")
    order, case = desk.hub("why", desk.order), desk.hub("why", "erp-a:4711")
    data = json.loads(desk.hub("why", str(desk.case.case_id), "--json").stdout)
    assert (order.exit_code, "return-date-invalid" in order.stdout, "dod1" in order.stdout) == (0, True, False)
    assert (case.exit_code, "dod5" in case.stdout, "nothing objects" in case.stdout) == (0, True, True)
    assert (data["gate"]["passed"], data["work_orders"][0]["work_order_id"]) == (False, desk.order)


def test_who_may_not_is_told_so(desk: Desk) -> None:
    done = desk.hub("move", desk.order, "start_planning", role="qa")
    assert (done.exit_code, "role-missing" in done.stderr) == (5, True)


def test_what_a_stranger_wrote_moves_no_cursor() -> None:
    assert words("a\x1b[2Jb\x07[red]") == "a·[2Jb·[red]"
    assert (words(None), words(True), words([1, "x"]), words({"a": 1, "b": None})) == ("–", "yes", "1, x", "a=1")
