"""Receipts of ours: what is owed for an interchange, and that the other side reads in them what we found."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.checking import Outcome, check
from services.mdm_adapter.dialects.edifact_fv.envelope import read
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending, MissingFact, Numbers
from services.mdm_adapter.dialects.edifact_fv.receipts import aperaks, receipt, unknown_place, unknown_reference
from services.mdm_adapter.dialects.edifact_fv.vorgang import vorgaenge
from services.mdm_adapter.dialects.edifact_fv.writing import text_of
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Reference
from tests.unit.mdm_adapter.edifact.letters import (
    IDS,
    MELO,
    MSB,
    NB,
    NOW,
    begin,
    changed,
    iftsta,
    interchange,
    order,
    parties,
)
from tests.unit.mdm_adapter.edifact.sendings import OWN

SENDING = MarketSending(
    MSB,
    NB,
    NOW.astimezone(UTC),
    Numbers("HUB1", tuple(f"A{n}" for n in range(1, 6)), tuple(f"HUB-A-{n}" for n in range(1, 6))),
)
DAY = "DTM+203:202701142300?+00:303"
GOOD = order("17011", "Z12", "NAD+DP", f"LOC+172+{MELO}", "LIN+1+Z19", "PIA+5+9991000002082:Z11", head=[DAY])
ABOUT = ["RFF+ACE:NB0000000001", "DTM+171:202611201000?+00:303", "RFF+AGO:D1"]
PARTIES = [f"NAD+MS+{MSB}::293", f"NAD+MR+{NB}::293"]


def owed(data: bytes, sending: MarketSending = SENDING) -> bytes | None:
    return receipt(data, check(data, sending.at), sending)


def lines(content: bytes | None, sending: MarketSending = SENDING) -> list[list[str]]:
    """Per message, what stands between its frame; our own check has nothing against it."""
    assert content is not None
    assert edifact.own_faults(content, sending.at) == []
    return [[text_of(each) for each in message.segments[1:-1]] for message in read(content).whole().messages]


def test_a_receipt_that_says_no_is_the_sample() -> None:
    reading = read((OWN / "utilmd_55643_exchange.edi").read_bytes())
    (message,) = reading
    (vorgang,) = vorgaenge(message)[1]
    value = "MeLo kürzer als 33 Zeichen: 7'er Nummer"
    finding = Finding("Z35", "m1.s9 LOC+Z17", "", segment="LOC+Z17+DE000999", value=value)
    outcome = Outcome(message, (finding,), vorgang, None, vorgang.document)
    numbers = Numbers("NB000000000301", ("A0001",), ("NB-A-000301",))
    sending = MarketSending(NB, MSB, datetime(2026, 11, 23, 7, 12, tzinfo=UTC), numbers)
    assert aperaks(reading.head, [outcome], sending) == (OWN / "aperak_313_z35.edi").read_bytes()


def test_an_order_that_can_be_processed_is_confirmed_by_its_document() -> None:
    (found,) = lines(owed(interchange(("ORDERS", GOOD))))
    assert found == ["BGM+312+HUB-A-1", "DTM+137:202611241100?+00:303", *ABOUT, *PARTIES]


def test_every_error_is_told_with_its_value_and_its_segment() -> None:
    wrong = changed(changed(GOOD, f"LOC+172+{MELO}", "LOC+172+DE1"), "LIN+1+Z19", None)
    (found,) = lines(owed(interchange(("ORDERS", wrong))))
    assert found[0] == "BGM+313+HUB-A-1"
    assert found[7:] == [
        *("ERC+Z29", "RFF+AGO:D1", "FTX+Z02+++Position"),
        *("ERC+Z35", "FTX+ABO+++DE1", "RFF+AGO:D1", "FTX+Z02+++Meldepunkt:LOC?+172?+DE1"),
    ]


def feedback(number: int, code: str) -> list[str]:
    return [f"IDE+24+V{number}", "STS+7++ZX7", f"STS+E01++{code}:E_0415:1", "RFF+Z13:55648", "RFF+TN:T1"]


def test_E07_each_vorgang_gets_its_own_receipt() -> None:
    groups = [line for number, code in enumerate(("A01", "A77", "A02"), 1) for line in feedback(number, code)]
    found = lines(owed(interchange(("UTILMD", [*begin("E03+D1"), *parties(), *groups]))))
    assert [[each[0][4:7], each[5]] for each in found] == [
        ["312", "RFF+TN:V1"],
        ["313", "RFF+TN:V2"],
        ["312", "RFF+TN:V3"],
    ]
    assert found[1][8:11] == ["ERC+Z39", "FTX+ABO+++A77", "RFF+TN:V2"]


def test_a_head_that_is_wrong_refuses_the_whole_message_once() -> None:
    body = changed([*begin("E03+D1"), *parties(), *feedback(1, "A01"), *feedback(2, "A01")], parties()[0], None)
    (found,) = lines(owed(interchange(("UTILMD", body))))
    assert [line for line in found if line.startswith(("ERC", "RFF+TN"))] == ["ERC+Z29"]


def test_what_is_not_processed_here_says_only_that() -> None:
    (found,) = lines(owed(interchange(("IFTSTA", iftsta("21027", "Z15+Z13")))))
    assert found[8:] == ["ERC+Z31"]


def test_an_unknown_reference_is_told() -> None:
    data = interchange(("UTILMD", [*begin("E03+D1"), *parties(), *feedback(1, "A01")]))
    checked = check(data, NOW)
    assert checked.head is not None
    outcome = unknown_reference(checked.outcomes[0], Reference("TN", "T1"))
    (found,) = lines(aperaks(checked.head, [outcome], SENDING))
    assert found[8:] == ["ERC+Z33", "FTX+ABO+++T1"]


def test_an_order_without_a_point_is_refused_by_what_was_read_of_it() -> None:
    window = ["DTM+469:202701312300?+00:303", "DTM+472:202702272300?+00:303"]
    data = interchange(("ORDERS", order("17011", "Z93", "RFF+AAG:O", "RFF+ACW:P", head=window)))
    checked = edifact.decode(data, None, NOW).checked
    assert checked is not None
    (found,) = lines(receipt(data, checked, SENDING))
    assert found[7:] == ["ERC+Z29", "RFF+AGO:D1", "FTX+Z02+++Meldepunkt"]


def test_an_order_whose_place_nobody_knows_is_refused_there() -> None:
    checked = check(interchange(("ORDERS", GOOD)), NOW)
    assert checked.head is not None
    (found,) = lines(aperaks(checked.head, [unknown_place(checked.outcomes[0])], SENDING))
    assert found[7:] == ["ERC+Z35", "RFF+AGO:D1", "FTX+Z02+++Lieferort:NAD?+DP"]


def test_the_version_before_has_its_references_behind_the_error() -> None:
    sending = replace(SENDING, at=datetime(2026, 9, 30, 10, tzinfo=UTC))
    wrong = changed(GOOD, f"LOC+172+{MELO}", "LOC+172+DE1")
    data = interchange(("ORDERS", wrong), when="260930:1100", ids=IDS["ORDERS"].replace("1.4c", "1.4b"))
    wrong_time = data.replace(b"202611201000", b"202609300900")
    (found,) = lines(owed(wrong_time, sending), sending)
    assert found[2:] == [
        *("RFF+ACE:NB0000000001", "DTM+171:202609300900?+00:303", *PARTIES),
        *("ERC+Z35", "FTX+ABO+++DE1", "RFF+AGO:D1", "FTX+Z02+++Meldepunkt:LOC?+172?+DE1"),
    ]


OTHER_VERSION = interchange(("ORDERS", GOOD), ids="D:09B:UN:1.4b")
UCI = f"UCI+NB0000000001+{NB}:500+{MSB}:500+4"
WHOLE = interchange(("ORDERS", GOOD))
LOWER = interchange(("ORDERS", GOOD), ("ORDERS", [*GOOD[:1], "dtm+1", *GOOD[1:]]))
SYNTAX: list[tuple[str, bytes, list[str]]] = [
    ("version", OTHER_VERSION, [UCI, "UCM+1+ORDERS:D:09B:UN:1.4b+4+14", "UCS+1+14", "UCD+14+3"]),
    ("count", WHOLE.replace(b"UNT+13", b"UNT+9"), [UCI, "UCM+1+ORDERS:D:09B:UN:1.4c+4+29"]),
    ("tag", LOWER, [UCI, "UCM+2+ORDERS:D:09B:UN:1.4c+4+15", "UCS+3+15", "UCD+15+1"]),
    ("trailer", WHOLE.rpartition(b"UNZ")[0], [f"{UCI}+13+UNZ"]),
    ("total", WHOLE.replace(b"UNZ+1", b"UNZ+7"), [f"{UCI}+29+UNZ+2"]),
]


@pytest.mark.parametrize(("name", "data", "expected"), SYNTAX, ids=[each[0] for each in SYNTAX])
def test_an_interchange_that_cannot_be_read_is_refused_with_code_and_place(
    name: str, data: bytes, expected: list[str]
) -> None:
    assert lines(owed(data)) == [expected]


@pytest.mark.parametrize("data", [each[1] for each in SYNTAX], ids=[each[0] for each in SYNTAX])
def test_whoever_reads_our_refusal_finds_the_code_that_we_found(data: bytes) -> None:
    content, checked = owed(data), check(data, NOW)
    assert content is not None
    (item,) = edifact.decode(content, None, NOW).items
    fault = checked.core or checked.refused
    assert item.answer is not None
    assert fault is not None
    assert {each.code for each in item.answer.items[0].reasons} == {fault.code}
    assert item.references == (Reference("ACE", "NB0000000001"),)


# fmt: off
SILENT: list[tuple[str, bytes]] = [
    ("APERAK",  interchange(("APERAK", [*begin("313+A1"), *parties(), "ERC+Z17"]))),
    ("CONTRL",  interchange(("CONTRL", [f"UCI+1+{NB}:500+{MSB}:500+4+12"]))),
    ("no head", b"UNH+1+ORDERS'"),
]
# fmt: on


@pytest.mark.parametrize(("name", "data"), SILENT, ids=[each[0] for each in SILENT])
def test_E06_nothing_is_owed_for_a_receipt_or_to_nobody(name: str, data: bytes) -> None:
    assert owed(data) is None


def test_E06_nobody_is_answered_who_means_somebody_else() -> None:
    data = interchange(("ORDERS", GOOD))
    checked = check(data, NOW, own={"9900357000003"})
    assert checked.is_quarantined
    assert receipt(data, checked, SENDING) is None


def test_each_receipt_has_a_number_of_its_own() -> None:
    few = replace(SENDING, numbers=Numbers("HUB1", ("A1",), ("HUB-A-1",)))
    with pytest.raises(MissingFact, match=r"number\."):
        owed(interchange(("ORDERS", GOOD), ("ORDERS", GOOD)), few)
