"""A simulated partner of the market: answers by script, counts what it got, and reads with its own eyes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit.clock import ManualClock
from simulators import facts
from simulators.market import Party
from simulators.partner import ACTIONS
from simulators.story import Story

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
POINT = {"_typ": "MESSLOKATION", "_version": "v202607.1.0", "messlokationsId": "DE0"}


def a_party(role: str = "nb", *actions: str) -> Party:
    return Party(ManualClock(NOW), f"{role}-nord", role, {"A-000001": actions} if actions else None)


def a_report(name: str = "work_status", id_: str = "1", **data: Any) -> bytes:
    said: dict[str, Any] = {"auftrag": {"order_no": "A-000001"}, "rueckmeldung": {}, "stammdaten": [POINT]}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": id_,
            "source": "ROLLOUT-HUB",
            "time": "2026-03-02T08:00:00Z",
            "type": f"rollout.document.{name}.v1",
            "data": said | data,
        }
    ).encode()


def words(answer: bytes) -> tuple[str, str]:
    """Name and level of an answer."""
    message = json.loads(answer)
    return message["type"].split(".")[2], message["data"]["rueckmeldung"].get("level", "")


@pytest.mark.parametrize(
    ("action", "status", "now", "later"),
    [
        ("accept", 200, ("accepted", "processability"), None),
        ("received", 200, ("received", "transport"), None),
        ("silent", 202, None, None),
        ("late", 202, None, ("accepted", "processability")),
        ("answer_twice", 200, ("accepted", "processability"), ("accepted", "processability")),
        ("reject:Z88", 200, ("rejected", "business"), None),
        ("refuse_receipt:Z35", 200, ("rejected", "processability"), None),
        ("accept_then_reject:Z88", 200, ("accepted", "processability"), ("rejected", "business")),
        ("reject_then_accept:Z88", 200, ("rejected", "business"), ("accepted", "business")),
        ("correct:priority=70", 200, ("accepted", "processability"), ("corrected", "")),
        ("answer_other_body", 200, ("accepted", "processability"), ("rejected", "business")),
        ("answer_before_ack", 200, ("accepted", "business"), ("received", "transport")),
        ("refuse_syntax:1.8", 200, ("rejected", "syntax"), None),
        ("wrong_reference", 200, ("accepted", "processability"), None),
        ("no_correlation", 200, ("accepted", "processability"), None),
    ],
)
def test_a_scripted_action_says_what_it_says(action: str, status: int, now: Any, later: Any) -> None:
    party = a_party("nb", action)
    answered, body = party.take(a_report())
    assert (answered, words(body) if body else None) == (status, now)
    assert [words(message) for _, _, message in party.later] == ([later] if later else [])


def test_every_action_is_tried() -> None:
    tried = {"accept", "received", "silent", "late", "answer_twice", "reject", "refuse_receipt", "correct"}
    tried |= {"accept_then_reject", "reject_then_accept", "answer_other_body", "answer_before_ack", "refuse_syntax"}
    tried |= {"wrong_reference", "no_correlation"}
    elsewhere = {"partial", "duplicate_delivery", "garbage", "http", "other_partner_answers"}
    assert ACTIONS.keys() == tried | elsewhere


def test_an_answer_quotes_the_message_unless_the_script_wants_it_wrong() -> None:
    quoted = [
        json.loads(a_party("nb", action).take(a_report())[1]).get("correlationid")
        for action in ("accept", "wrong_reference", "no_correlation")
    ]
    assert (quoted[0], quoted[1] in {"1", None}, quoted[2]) == ("1", False, None)


def test_another_body_comes_under_the_same_id() -> None:
    party = a_party("nb", "answer_other_body")
    first = json.loads(party.take(a_report())[1])
    second = json.loads(party.later[0][2])
    assert (first["id"] == second["id"], first["type"] == second["type"]) == (True, False)


def test_an_answer_may_leave_many_times() -> None:
    party = a_party("nb", "duplicate_delivery:3")
    body = party.take(a_report())[1]
    assert [message for _, _, message in party.later] == [body] * 2


def test_garbage_is_no_json() -> None:
    for kind in ("truncated", "random", "empty", "utf16", "two"):
        with pytest.raises(ValueError):  # noqa: PT011 -- whatever a reader of JSON says
            json.loads(a_party("nb", f"garbage:{kind}").take(a_report())[1].decode("utf-8"))


def test_an_endpoint_that_is_broken_has_taken_nothing() -> None:
    party = a_party("nb", "http:503")
    assert (party.take(a_report())[0], party.take(a_report())[0]) == (503, 200)
    assert party.log("A-000001").documents == ["work_status"]


def test_another_partner_answers_in_its_own_name() -> None:
    party, other = a_party("nb", "other_partner_answers"), a_party("lf")
    party.peers["lf-nord"] = other
    assert party.take(a_report()) == (202, b"")
    assert json.loads(other.later[0][2])["source"] == "LF-NORD"


def test_a_script_may_hold_for_many_orders() -> None:
    party = Party(ManualClock(NOW), "nb-nord", "nb", {"A-*": ["silent"]})
    assert [party.take(a_report(id_=id_))[0] for id_ in ("1", "2")] == [202, 200]
    assert [*party.effects.values()] == [2]


def test_behind_the_script_everything_is_accepted() -> None:
    party = a_party("nb", "reject:Z88")
    party.take(a_report())
    assert words(party.take(a_report(id_="2"))[1]) == ("accepted", "processability")


def test_a_copy_is_answered_alike_and_counted_once() -> None:
    party = a_party("nb", "reject:Z88")
    assert party.take(a_report()) == party.take(a_report())
    assert (party.log("A-000001").documents, party.log("A-000001").copies) == (["work_status"], 1)


def test_the_metering_operator_agrees_to_an_announcement() -> None:
    assert words(a_party("wmsb").take(a_report())[1]) == ("accepted", "business")


@pytest.mark.parametrize(
    ("message", "trouble"),
    [
        (a_report("poem"), ["type"]),
        (a_report("accepted"), ["correlationid"]),
        (a_report(stammdaten=[]), ["stammdaten"]),
        (a_report("device_exchange_completed"), ["readings"]),
        (a_report("device_exchange_completed", rueckmeldung={"installed": [{"role": "meter"}]}), ["readings"]),
    ],
)
def test_its_own_reader_finds_what_is_wrong(message: bytes, trouble: list[str]) -> None:
    party = a_party()
    assert (party.take(message)[0], party.log("A-000001").trouble) == (422, trouble)


async def test_what_is_due_is_sent_once() -> None:
    party = a_party("nb", "late")
    party.take(a_report())
    sent: list[tuple[str, bytes]] = []

    async def send(partner: str, message: bytes) -> None:
        sent.append((partner, message))

    early = await party.act(send)
    party.clock.advance(timedelta(hours=6))  # type: ignore[attr-defined]
    assert (early, await party.act(send), await party.act(send)) == (False, True, False)
    assert [partner for partner, _ in sent] == ["nb-nord"]


def test_a_story_names_who_orders_beside_the_erp() -> None:
    assert (facts.number_at("mdm-b", 3), Story(1).ordered_by, Story(1).parties) == ("M-000003", None, ())
