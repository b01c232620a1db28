"""A market party that speaks EDIFACT: what each action of the script says, and what it sees of the hub's order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts.codes import OrderKind
from kit.clock import ManualClock
from services.mdm_adapter.dialects.edifact_fv import messages as adapter
from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from simulators.edifact.party import EdifactParty
from simulators.edifact.syntax import read
from simulators.facts import OrderFacts
from simulators.partner import ACTIONS, Action, Unspeakable
from tests.unit.mdm_adapter.edifact.letters import MSB, NB, interchange
from tests.unit.mdm_adapter.edifact.sendings import CHANGED_AT, FACTS, METER, OLD, asked, sending
from tests.unit.simulators.edifact_hub import (
    ANNOUNCED_IMS,
    EXCHANGE,
    NOW,
    ORDER,
    POINT,
    Sent,
    a_party,
    failed,
    readings,
    sends,
    told,
    verdict,
    words,
)

PLAN, DATA = ANNOUNCED_IMS, EXCHANGE
LATER = timedelta(hours=6)
ELSEWHERE = "DE0009991011500000000000000004712"
R312, R313 = "APERAK 312", "APERAK 313 Z35"


def advance(party: EdifactParty, by: timedelta) -> None:
    assert isinstance(party.clock, ManualClock)
    party.clock.advance(by)


# fmt: off
SAYS: list[tuple[str, str, Any, list[str], list[str]]] = [
    ("nb",   "accept",                       PLAN, [R312],                      []),
    ("wmsb", "accept",                       PLAN, [R312, "IFTSTA 21030"],      []),
    ("nb",   "accept:A01",                   DATA, [R312, "UTILMD 55648"],      []),
    ("wmsb", "received",                     PLAN, [R312],                      []),
    ("wmsb", "silent",                       PLAN, [],                          []),
    ("wmsb", "late",                         PLAN, [],                          [R312, "IFTSTA 21030"]),
    ("wmsb", "answer_twice",                 PLAN, [R312, "IFTSTA 21030"],      [R312, "IFTSTA 21030"]),
    ("wmsb", "duplicate_delivery:3",         PLAN, [R312] * 3 + ["IFTSTA 21030"] * 3, []),
    ("nb",   "answer_other_body",            PLAN, [R312],                      ["APERAK 313 Z14"]),
    ("wmsb", "answer_before_ack",            PLAN, ["IFTSTA 21030", R312],      []),
    ("lf",   "answer_before_ack",            DATA, ["UTILMD 55658", R312],      []),
    ("wmsb", "wrong_reference",              PLAN, [R312, "IFTSTA 21030"],      []),
    ("wmsb", "no_correlation",               PLAN, [R312, "IFTSTA 21030"],      []),
    ("nb",   "reject:Z88",                   DATA, [R312, "UTILMD 55648"],      []),
    ("wmsb", "reject:A01",                   PLAN, [R312, "IFTSTA 21031"],      []),
    ("nb",   "refuse_receipt:Z35",           DATA, [R313],                      []),
    ("nb",   "refuse_syntax:29",             DATA, ["CONTRL"],                  []),
    ("nb",   "accept_then_reject:Z88",       DATA, [R312],                      ["UTILMD 55648"]),
    ("wmsb", "accept_then_reject:A04",       PLAN, [R312, "IFTSTA 21030"],      ["IFTSTA 21031"]),
    ("wmsb", "reject_then_accept:A02",       PLAN, [R312, "IFTSTA 21031"],      ["IFTSTA 21030"]),
    ("lf",   'correct:voltage="E05"',        DATA, [R312],                      ["UTILMD 55658"]),
]
# fmt: on


@pytest.mark.parametrize(("role", "action", "document", "now", "later"), SAYS)
async def test_a_scripted_action_says_what_it_says(
    role: str, action: str, document: Any, now: list[str], later: list[str]
) -> None:
    party, sent = a_party(role, action), Sent()
    answer = party.take(told(document, role))
    assert (answer, await sends(party, sent)) == ((202, b""), now)
    advance(party, LATER)
    assert await sends(party, sent) == later
    assert party.log(ORDER).trouble == []


def test_every_action_is_tried() -> None:
    elsewhere = {"partial", "garbage", "http", "other_partner_answers"}
    assert ACTIONS.keys() == {action.partition(":")[0] for _, action, *_ in SAYS} | elsewhere


@pytest.mark.parametrize(("role", "action", "document", "now", "later"), SAYS)
async def test_whatever_is_said_could_be_read_by_the_hub(
    role: str, action: str, document: Any, now: list[str], later: list[str]
) -> None:
    party, sent = a_party(role, action), Sent()
    party.take(told(document, role))
    await party.act(sent)
    advance(party, LATER)
    await party.act(sent)
    found = [verdict(content, NOW + LATER) for content in sent.contents()]
    wrong = {"aperak_313"} if action == "no_correlation" else set()  # the market demands these references
    read_well = {"read_positive", "read_negative", "aperak_312"}
    assert ({each.core for each in found} <= {"ok"}, {each.content for each in found} <= read_well | wrong) == (
        True,
        True,
    )


async def test_E07_each_vorgang_has_its_own_receipt() -> None:
    first = told(DATA)
    content = first.decode("latin-1")
    begin, end = content.index("IDE+24"), content.index("UNT+")
    vorgang = content[begin:end]
    three = [vorgang.replace("HUB-V-000101", f"V-{number}") for number in (1, 2, 3)]
    lines = (content[content.index("BGM") : begin] + "".join(three)).replace("'\n", "'").rstrip("'").split("'")
    whole = interchange(("UTILMD", lines), head=f"UNB+UNOC:3+{MSB}:500+{NB}:500+261123:0800+HUB1")
    party, sent = a_party("nb", "accept", "refuse_receipt:Z35", "accept"), Sent()
    party.take(whole)
    assert await sends(party, sent) == [R312, R313, R312]
    assert len(sent.messages) == 1


@pytest.mark.parametrize("kind", ["truncated", "wrong_count", "wrong_total", "wrong_number", "charset", "version"])
async def test_garbage_is_refused_by_the_hub(kind: str) -> None:
    party, sent = a_party("wmsb", f"garbage:{kind}"), Sent()
    party.take(told(PLAN, "wmsb"))
    await party.act(sent)
    found = [check(content, NOW) for content in sent.contents()]
    assert all(each.core or each.refused or each.useless for each in found)
    assert len(found) == 2


async def test_garbage_of_every_other_kind_is_no_interchange_of_the_market() -> None:
    for kind in ("utf16", "lower_case", "random", "empty", "two", "test"):
        party, sent = a_party("nb", f"garbage:{kind}"), Sent()
        party.take(told(PLAN))
        await party.act(sent)
        (content,) = sent.contents()
        assert kind == "test" or check(content, NOW).core
    party = a_party("nb", "garbage:unheard")
    party.take(told(PLAN))
    with pytest.raises(Unspeakable):
        await party.act(Sent())


async def test_a_copy_is_answered_with_the_same_bytes_and_counted_once() -> None:
    party, sent = a_party("wmsb"), Sent()
    party.take(told(PLAN, "wmsb"))
    await party.act(sent)
    first = sent.contents()
    party.take(told(PLAN, "wmsb"))
    await sends(party, sent)
    assert sent.contents() == first
    log = party.log(ORDER)
    assert (log.documents, log.copies, [*party.effects.values()]) == (["work_status"], 1, [1])


async def test_E14_a_number_that_was_used_before_is_refused() -> None:
    party, sent = a_party(), Sent()
    party.take(told(PLAN))
    party.take(told(failed()))
    assert await sends(party, sent) == [R312, "CONTRL"]
    assert party.logs[""].trouble == ["26 the number was used before"]


async def test_the_same_fact_under_new_numbers_is_a_second_effect() -> None:
    party = a_party()
    for number in (101, 102):
        party.take(told(failed(), number=number))
    assert [*party.effects.values()] == [2]


@pytest.mark.parametrize(("action", "times"), [("accept", 1), ("silent", 1), ("reject:Z88", 0), ("refuse_syntax", 0)])
def test_what_is_refused_has_no_effect(action: str, times: int) -> None:
    party = a_party("nb", action)
    party.take(told(DATA))
    assert party.effects.total() == times


async def test_an_endpoint_that_is_broken_has_taken_nothing() -> None:
    party, sent = a_party("nb", "http:503"), Sent()
    assert party.take(told(PLAN)) == (503, b"")
    assert party.take(told(PLAN)) == (202, b"")
    assert (await sends(party, sent), party.log(ORDER).documents) == ([R312], ["work_status"])


async def test_another_partner_answers_with_its_own_name() -> None:
    party, sent = a_party("wmsb", "other_partner_answers"), Sent()
    party.peers["lf-nord"] = EdifactParty(party.clock, "lf-nord", "lf")
    party.take(told(PLAN, "wmsb"))
    assert await sends(party, sent) == [R312, "IFTSTA 21030"]
    assert {(partner, read(content).sender) for partner, content in sent.messages} == {("lf-nord", "9900357000003")}


async def test_a_script_waits_for_its_document_and_each_order_has_its_own() -> None:
    party, sent = a_party("nb", Action("refuse_receipt", "Z19", on="13017"), "accept:A01"), Sent()
    party.take(told(DATA))
    assert await sends(party, sent) == [R312, "UTILMD 55648"]
    party.take(readings())
    assert await sends(party, sent) == ["APERAK 313 Z19", R312]


def test_what_the_market_has_no_message_for_is_not_said() -> None:
    for action, document in (
        ("reject:A01", PLAN),
        ("reject:Z88", failed()),
        ("correct:priority=70", DATA),
        ("partial", PLAN),
    ):
        with pytest.raises(Unspeakable):
            a_party("nb", action).take(told(document))
    with pytest.raises(ValueError, match="no action"):
        Action.of("sing")


async def test_what_it_cannot_read_is_refused_and_kept_as_trouble() -> None:
    party, sent = a_party(), Sent()
    party.take(told(PLAN).replace(b"UNT+", b"UNT+9"))
    party.take(told(DATA, "lf", number=102))
    assert party.take(b"{}") == (422, b"")
    assert await sends(party, sent) == ["CONTRL", "APERAK 313 Z31"]
    assert party.logs[""].trouble == ["CONTRL 29 UNT", "no interchange"]
    assert party.log(ORDER).trouble == ["Z31 55653"]


@pytest.mark.parametrize(
    ("action", "pid", "code", "state"),
    [
        ("accept", "19015", "ZB4", ItemState.ACCEPTED),
        ("accept:ZB5", "19015", "ZB5", ItemState.ACCEPTED),
        ("reject:E17", "19016", "E17", ItemState.REFUSED),
        ("reject:Z07", "19016", "Z07", ItemState.REFUSED),
    ],
)
async def test_the_old_operator_answers_the_order_to_remove_his_devices(
    action: str, pid: str, code: str, state: ItemState
) -> None:
    removal = WorkOrderRequested(
        order_no="O-1", order_version=1, metering_point=POINT, kind=OrderKind.REMOVE, fixed_on=date(2027, 1, 15)
    )
    party, sent = a_party("msba", action), Sent()
    party.take(adapter.encode_request(removal, sending(at=NOW)))
    assert await sends(party, sent) == [R312, f"ORDRSP {pid}"]
    (item,) = adapter.decode(sent.contents()[1], None, NOW).items
    assert item.answer is not None
    assert (item.answer.items[0].state, item.answer.items[0].reasons[0].code) == (state, code)
    assert [(each.kind, each.number) for each in item.references] == [("ON", "HUB-D-000101")]
    assert (party.log(ORDER).documents, party.log(ORDER).trouble) == (["work_order_requested"], [])


def decided(state: ItemState, code: str) -> Answer:
    return Answer(items=(ItemAnswer(item="N-000001", state=state, reasons=(Reason(code=code),)),))


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [(ItemState.ACCEPTED, "A02", ("accepted", "A02")), (ItemState.REFUSED, "A01", ("rejected", "A01"))],
)
async def test_an_order_is_answered_and_the_answer_receipted(
    state: ItemState, code: str, expected: tuple[str, str]
) -> None:
    party, sent = a_party(), Sent()
    content = party.order(OrderFacts(1), "N-000001")
    own = sending("1200", number=1, at=NOW)
    receipt = adapter.receipt(content, check(content, NOW), own)
    assert receipt is not None
    party.take(receipt)
    given = sending(number=2, at=NOW, asked=replace(asked(), document="N-000001"))
    party.take(adapter.encode(decided(state, code), given))
    assert party.log("N-000001").answers == [("received", "312"), expected]
    assert await sends(party, sent) == [R312]
    assert party.log("N-000001").trouble == []


def test_an_answer_to_what_was_never_ordered_is_trouble() -> None:
    party = a_party()
    party.take(adapter.encode(decided(ItemState.ACCEPTED, "A02"), sending(at=NOW, asked=asked())))
    assert party.log("D1").trouble == ["RFF+ON:D1 was never ordered"]


def test_a_refused_order_says_why() -> None:
    party = a_party()
    broken = party.order(OrderFacts(1), "N-000001").replace(b"LOC+172+DE", b"LOC+172+de")
    receipt = adapter.receipt(broken, check(broken, NOW), sending(at=NOW))
    assert receipt is not None
    party.take(receipt)
    assert party.log("N-000001").answers == [("rejected", "Z35")]


async def test_E06_a_receipt_that_is_receipted_is_trouble() -> None:
    party, sent = a_party(), Sent()
    party.take(told(PLAN))
    await party.act(sent)
    number = read(sent.contents()[0]).number
    aperak = ["BGM+312+X", "DTM+137:202611231200?+00:303", f"RFF+ACE:{number}", f"NAD+MS+{MSB}", f"NAD+MR+{NB}"]
    for ace, when in ((number, "HUB7"), ("NB77", "HUB8")):
        lines = [line.replace(number, ace) for line in aperak]
        party.take(interchange(("APERAK", lines), head=f"UNB+UNOC:3+{MSB}:500+{NB}:500+261123:1300+{when}"))
    assert [each for log in party.logs.values() for each in log.trouble] == [
        "APERAK 312 answers an acknowledgement",
        "APERAK 312 quotes NB77, which was never sent",
    ]
    assert await sends(party, sent) == []


def test_every_kind_of_order_can_be_taken_back() -> None:
    party = a_party()
    contents = [
        party.order(OrderFacts(1), "N-000001", fixed_on=date(2027, 1, 20)),
        party.order(OrderFacts(2), "N-000002", offer="OFFER-1"),
        party.removal(OrderFacts(3), "N-000003", datetime(2027, 1, 20, 8, tzinfo=UTC)),
        party.fault(OrderFacts(4), "N-000004", "Display dunkel"),
        party.cancellation("N-000001"),
        party.cancellation("N-000002", pid="21011"),
    ]
    said = [word for content in contents for word in words(read(content))]
    assert said == [
        *("ORDERS 17011", "ORDERS 17011", "ORDERS 17009", "INSRPT 23001"),
        *("IFTSTA 21013", "IFTSTA 21011"),
    ]
    assert [verdict(content).exit_code for content in contents] == [0] * 6


async def take(party: EdifactParty, *contents: bytes) -> list[str]:
    """Everything comes, and is answered at once."""
    for content in contents:
        party.take(content)
        await party.act(Sent())
    return [each for log in party.logs.values() for each in log.trouble]


def swapped(point: str = POINT.id, on: datetime = CHANGED_AT, new: str = METER, old: str = OLD) -> Any:
    """The exchange, elsewhere, at another time, of other devices."""
    text = EXCHANGE.model_dump_json().replace(f"{CHANGED_AT:%Y-%m-%dT%H:%M:%SZ}", f"{on:%Y-%m-%dT%H:%M:%SZ}")
    for was, becomes in ((POINT.id, point), (METER, "NEW"), (OLD, old), ("NEW", new)):
        text = text.replace(was, becomes)
    return type(EXCHANGE).model_validate_json(text)


async def test_E17_readings_behind_acknowledged_master_data_are_in_order() -> None:
    assert await take(a_party(), told(DATA), readings()) == []


async def test_E17_readings_before_master_data_break_H2() -> None:
    found = await take(a_party(), readings(), told(DATA))
    assert found == ["H2 readings before master data were acknowledged"] * 2


@pytest.mark.parametrize("action", ["late", "silent", "refuse_receipt:Z35", "refuse_syntax:29", "wrong_reference"])
async def test_E17_readings_before_the_receipt_break_H2(action: str) -> None:
    assert set(await take(a_party("nb", action), told(DATA), readings())) == {
        "H2 readings before master data were acknowledged"
    }


async def test_E17_readings_of_a_later_change_wait_for_its_own_master_data() -> None:
    party, later = a_party(at=datetime(2026, 11, 26, 12, tzinfo=UTC)), datetime(2026, 11, 24, 9, tzinfo=UTC)
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    second = swapped(on=later)
    found = await take(party, told(DATA), readings(), readings(300, second, at=at))
    assert set(found) == {"H2 readings before master data were acknowledged"}


async def test_H1_a_second_change_of_a_point_waits_for_the_receipt_of_the_first() -> None:
    party, at = a_party("nb", "late", "late"), datetime(2026, 11, 25, 12, tzinfo=UTC)
    other = told(swapped(on=datetime(2026, 11, 24, 9, tzinfo=UTC)), number=300, at=at)
    assert await take(party, told(DATA), told(DATA, number=200)) == []
    assert await take(party, other) == ["H1 master data before the last ones were acknowledged"]


async def test_H3_the_removal_is_told_before_the_installation() -> None:
    content = readings().decode("latin-1")
    turned = content.replace(OLD, "X").replace(METER, OLD).replace("X", METER).encode("latin-1")
    assert await take(a_party(), told(DATA), turned) == ["H3 the removal behind the installation"]


async def test_H3_a_device_is_not_told_at_two_points() -> None:
    moved = told(swapped(ELSEWHERE), number=300)
    assert await take(a_party(), told(DATA), moved) == [
        f"H3 1COM0000003003, {METER}, EHUB0000001001 is still installed at {POINT.id}"
    ]


async def test_H3_a_device_that_went_may_come_elsewhere() -> None:
    new, later, at = "1HUB0000002009", datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 25, 12, tzinfo=UTC)
    gone, moved = swapped(on=later, new=new, old=METER), swapped(ELSEWHERE, on=later, old="1OLD0000009999")
    gone, moved = (each.model_copy(update={"installed": each.installed[:1]}) for each in (gone, moved))
    facts = {"devices": {**FACTS.devices, new: FACTS.devices[METER]}}
    master_data = adapter.encode(gone, sending(number=300, at=at, facts=facts))
    party = a_party(at=at)
    assert await take(party, told(DATA), readings(), master_data, readings(400, gone, at=at)) == []
    assert await take(party, told(moved, number=500, at=at)) == []


async def test_H9_what_was_held_never_leaves_behind_the_end() -> None:
    party = a_party()
    assert await take(party, told(failed()), told(DATA, number=200)) == ["H9 the work had been given up"]
    again = a_party()
    again.watch.closed(POINT.id)
    assert await take(again, told(DATA)) == ["H9 the cancellation had been confirmed"]


async def test_H9_a_new_announcement_or_order_begins_anew() -> None:
    assert await take(a_party(), told(failed()), told(PLAN, number=200), told(DATA, number=300)) == []
    party = a_party()
    await take(party, told(failed()))
    party.begins("N-000001", POINT.id)
    assert await take(party, told(DATA, number=300)) == []


async def test_readings_are_taken_back_once_and_only_if_they_came() -> None:
    party = a_party()
    back = {"withdrawn": ("HUB-D-000201", "HUB-D-000202")}
    storno = adapter.encode_withdrawal(EXCHANGE, sending(number=300, facts=back))
    assert await take(party, told(DATA), readings(201), storno, told(swapped(), number=400)) == []
    assert await take(party, adapter.encode_readings(EXCHANGE, sending(number=201, at=NOW))) != []
    foreign = adapter.encode_withdrawal(EXCHANGE, sending(number=500, facts={"withdrawn": ("D-9",)}))
    assert (await take(a_party(), foreign)) == ["ACW D-9 takes back what never came"]


async def test_everything_is_written_down_in_its_order() -> None:
    party = a_party("wmsb", "reject:A01")
    await take(party, told(PLAN, "wmsb"), told(PLAN, "wmsb"))
    assert [(entry.way, entry.what, entry.said) for entry in party.journal] == [
        ("in", "IFTSTA 21029", "reject"),
        ("out", "APERAK", "312"),
        ("out", "IFTSTA", "Z09"),
        ("in", "copy", ""),
    ]
    assert {entry.number[:2] for entry in party.journal if entry.way == "out"} == {"WM"}
