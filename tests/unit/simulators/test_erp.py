"""The simulated ERP: sends each order once, cancels it where its story says, and answers what it gets as scripted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from lxml import etree
from starlette.applications import Starlette
from starlette.routing import Route

from kit.clock import ManualClock
from services.mdm_adapter.checking import check
from simulators.cim import M_NS, S_NS, Cim
from simulators.erp import Erp
from simulators.facts import OrderFacts
from simulators.partner import Action, Unspeakable
from simulators.story import Story

START = datetime(2026, 1, 5, 5, tzinfo=UTC)


class Hub:
    """Takes messages."""

    def __init__(self) -> None:
        self.came = list[bytes]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request.content)
        return httpx.Response(202, json={"receipt": f"in-{len(set(self.came))}"})

    def told(self, name: str) -> list[str]:
        return [_text(message, f".//{{{M_NS}}}{name}") for message in self.came]


def _text(message: bytes, path: str) -> str:
    return etree.fromstring(message).findtext(path) or ""


def an_erp(hub: Hub, *stories: Story, drop: Path = Path("drop")) -> Erp:
    clock = ManualClock(START)
    http = httpx.AsyncClient(base_url="http://hub.example/api", transport=httpx.MockTransport(hub))
    return Erp(clock, http, "hub_key", stories, drop)


async def document(erp: Erp, verb: str = "change", message: str = "m-1", number: int = 1) -> httpx.Response:
    """The hub hands a document over."""
    order = f"<s:ServiceOrder><s:mRID>{OrderFacts(number).order_no}</s:mRID></s:ServiceOrder>"
    text = (
        f"<m:RequestMessage xmlns:m='{M_NS}' xmlns:s='{S_NS}'><m:Header><m:Verb>{verb}</m:Verb>"
        f"<m:MessageID>{message}</m:MessageID></m:Header><m:Payload>{order}</m:Payload></m:RequestMessage>"
    )
    app = Starlette(routes=[Route("/erp", erp.take, methods=["POST"])])
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://erp.example")
    return await client.post("/erp", content=text)


def _said(answer: bytes) -> tuple[str, str]:
    return _text(answer, f".//{{{M_NS}}}Result"), _text(answer, f".//{{{M_NS}}}code")


async def test_an_order_is_sent_once_and_its_same_bytes_as_often_as_told() -> None:
    hub = Hub()
    erp = an_erp(hub, Story(1), Story(2, copies=3))
    assert await erp.act()
    assert not await erp.act()
    assert [message.count(b"A-000002") for message in hub.came] == [0, 1, 1, 1]
    assert len(set(hub.came)) == 2
    assert erp.next_due() is None


async def test_J51_the_cancellation_goes_before_its_order() -> None:
    hub = Hub()
    await an_erp(hub, Story(1, cancelled_before=True)).act()
    assert hub.told("Verb") == ["cancel", "create"]


async def test_every_later_word_about_an_order_has_a_version_of_its_own() -> None:
    hub = Hub()
    erp = an_erp(hub, Story(1), Story(2))
    await erp.act()
    await erp.withdraw(1)
    await erp.amend(1)
    assert hub.told("Verb") == ["create", "create", "cancel", "change"]
    assert [_text(message, f".//{{{S_NS}}}revisionNumber") for message in hub.came] == ["1", "1", "2", "3"]
    assert b"1OLD0100000001" in hub.came[-1]


async def test_J33_the_erp_has_second_thoughts_in_words_of_their_own() -> None:
    hub = Hub()
    erp = an_erp(hub, Story(1, second_thoughts=((48.0, "2.4"),)))
    await erp.act()
    at_once = await document(erp)
    erp.clock.advance(timedelta(hours=48))  # type: ignore[attr-defined]
    await erp.act()
    assert (_said(at_once.content), _said(hub.came[-1])) == (("OK", "0.0"), ("FAILED", "2.4"))
    assert hub.told("MessageID")[-1] != _text(at_once.content, f".//{{{M_NS}}}MessageID")


async def test_a_completion_is_accepted_in_the_answer_and_a_copy_of_it_has_no_effect() -> None:
    erp = an_erp(Hub(), Story(1))
    first, again = await document(erp), await document(erp)
    assert _said(first.content) == ("OK", "0.0")
    assert again.content == first.content
    assert (erp.logs[1].completions, erp.logs[1].copies) == (1, 1)


async def test_completions_are_refused_with_the_codes_of_the_story_then_accepted() -> None:
    erp = an_erp(Hub(), Story(1, reject=("2.4",)))
    assert _said((await document(erp, message="m-1")).content) == ("FAILED", "2.4")
    assert _said((await document(erp, message="m-2")).content) == ("OK", "0.0")


async def test_a_failed_visit_is_accepted_whatever_happens_to_completions() -> None:
    erp = an_erp(Hub(), Story(1, reject=("2.4",)))
    assert _said((await document(erp, verb="changed")).content) == ("OK", "0.0")


async def test_a_broken_endpoint_takes_the_document_at_the_second_try() -> None:
    erp = an_erp(Hub(), Story(1, broken_first=True))
    assert (await document(erp)).status_code == 503
    assert _said((await document(erp)).content) == ("OK", "0.0")
    assert erp.logs[1].completions == 1


async def test_a_late_answer_is_posted_when_its_time_has_come_and_echoes_the_message() -> None:
    hub = Hub()
    erp = an_erp(hub, Story(1, answers_late_hours=6.0))
    await erp.act()
    answer = await document(erp)
    assert (answer.status_code, answer.content) == (202, b"")
    assert not await erp.act()
    assert erp.next_due() == START + timedelta(hours=6)
    erp.clock.advance(timedelta(hours=6))  # type: ignore[attr-defined]
    assert await erp.act()
    assert (hub.told("CorrelationID")[-1], _said(hub.came[-1])) == ("m-1", ("OK", "0.0"))


async def test_an_answer_that_comes_twice_is_the_same_message() -> None:
    hub = Hub()
    erp = an_erp(hub, Story(1, answers_twice=True))
    await erp.act()
    at_once = await document(erp)
    erp.clock.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
    await erp.act()
    assert hub.came[-1] == at_once.content


async def test_what_is_no_order_of_its_own_is_unknown() -> None:
    assert (await document(an_erp(Hub(), Story(1)), number=5)).status_code == 404


@pytest.mark.parametrize("mobile", [True, False])
async def test_the_order_names_the_customers_line(mobile: bool) -> None:
    hub = Hub()
    await an_erp(hub, Story(1, mobile=mobile)).act()
    order = OrderFacts(1)
    assert (order.phone if mobile else order.home_phone).encode() in hub.came[0]


def the_answer(content: bytes) -> tuple[str, str, str, str]:
    """Result, code, what it quotes, and the order that it names."""
    quoted = _text(content, f".//{{{M_NS}}}CorrelationID")
    return (*_said(content), quoted, _text(content, f".//{{{M_NS}}}ID"))


# fmt: off
SAYS: list[tuple[str, tuple[str, str, str, str] | None, list[tuple[str, str, str, str]]]] = [
    ("accept:0.0",             ("OK", "0.0", "m-1", "A-000001"),      []),
    ("received",               ("OK", "0.3", "m-1", "A-000001"),      []),
    ("silent",                 None,                                  []),
    ("late",                   None,                                  [("OK", "0.0", "m-1", "A-000001")]),
    ("reject:2.13",            ("FAILED", "2.13", "m-1", "A-000001"), []),
    ("refuse_receipt:2.9",     ("FAILED", "2.9", "m-1", "A-000001"),  []),
    ("refuse_syntax:1.8",      ("FAILED", "1.8", "m-1", "A-000001"),  []),
    ("partial:2.4",            ("PARTIAL", "2.4", "m-1", "A-000001"), []),
    ("partial:2.4:no_id",      ("PARTIAL", "2.4", "m-1", ""),         []),
    ("answer_twice",           ("OK", "0.0", "m-1", "A-000001"),      [("OK", "0.0", "m-1", "A-000001")]),
    ("duplicate_delivery:2",   ("OK", "0.0", "m-1", "A-000001"),      [("OK", "0.0", "m-1", "A-000001")]),
    ("answer_other_body",      ("OK", "0.0", "m-1", "A-000001"),      [("FAILED", "5.3", "m-1", "A-000001")]),
    ("answer_before_ack",      ("OK", "0.0", "m-1", "A-000001"),      [("OK", "0.3", "m-1", "A-000001")]),
    ("accept_then_reject:2.4", ("OK", "0.0", "m-1", "A-000001"),      [("FAILED", "2.4", "m-1", "A-000001")]),
    ("reject_then_accept:2.4", ("FAILED", "2.4", "m-1", "A-000001"),  [("OK", "0.0", "m-1", "A-000001")]),
    ("no_correlation",         ("OK", "0.0", "", ""),                 []),
]
# fmt: on


@pytest.mark.parametrize(("action", "now", "later"), SAYS)
async def test_a_scripted_action_says_what_it_says(action: str, now: object, later: list[object]) -> None:
    hub = Hub()
    erp = an_erp(hub, Story(1, market=(("erp", action),)))
    answer = await document(erp)
    assert (answer.status_code, the_answer(answer.content) if answer.content else None) == (200 if now else 202, now)
    erp.clock.advance(timedelta(hours=6))  # type: ignore[attr-defined]
    await erp._answer_later()
    assert [the_answer(message) for message in hub.came] == later
    assert (await document(erp)).content == answer.content
    assert (erp.logs[1].documents, erp.logs[1].completions, erp.logs[1].copies) == (["change"], 1, 1)


async def test_an_answer_may_quote_what_was_never_sent() -> None:
    answer = await document(an_erp(Hub(), Story(1, market=(("erp", "wrong_reference"),))))
    result, code, quoted, named = the_answer(answer.content)
    assert (result, code, quoted == "m-1", named) == ("OK", "0.0", False, "X-0")


async def test_an_endpoint_that_is_scripted_to_be_broken_takes_the_next_try() -> None:
    erp = an_erp(Hub(), Story(1, market=(("erp", "http:503"),)))
    assert [(await document(erp)).status_code for _ in range(2)] == [503, 200]


async def test_the_partner_that_works_with_files_may_answer_instead(tmp_path: Path) -> None:
    erp = an_erp(Hub(), Story(1, market=(("erp", "other_partner_answers"),)), drop=tmp_path)
    assert (await document(erp)).status_code == 202
    (file,) = (tmp_path / "erp-csv" / "in").iterdir()
    assert _text(file.read_bytes(), f".//{{{M_NS}}}Source") == "erp-csv"


@pytest.mark.parametrize("kind", ["truncated", "dtd", "bomb", "namespace", "utf16", "random", "two"])
async def test_garbage_in_xml_is_refused_by_the_hub(kind: str) -> None:
    answer = await document(an_erp(Hub(), Story(1, market=(("erp", f"garbage:{kind}"),))))
    assert check(answer.content).exit_code == 1


def test_an_erp_has_no_words_to_correct_master_data() -> None:
    with pytest.raises(Unspeakable):
        Cim(ManualClock(START)).said("corrected", Action("correct"), "m-1", "A-000001")
