"""Everything that a market party writes is accepted by `hub check`, under every version, and read by pydifact."""

import json
import warnings
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydifact.segmentcollection import Interchange as Oracle
from typer.testing import CliRunner

from hub.cli import app
from kit.clock import ManualClock
from services.mdm_adapter.dialects.edifact_fv.messages import decode
from services.mdm_adapter.dialects.items import Kind
from simulators.edifact.documents import Item, items
from simulators.edifact.letters import FIELDS, Body, Pen, Quoted, Refusal
from simulators.edifact.syntax import read, seg
from simulators.facts import OrderFacts
from tests.conformance.test_edifact_oracles import judged_by_makotest
from tests.unit.mdm_adapter.edifact.built import BUILT
from tests.unit.simulators.edifact_hub import MSB, NB, NOW, verdict

ORDER, DAY = OrderFacts(7), date(2027, 1, 15)
MOMENT = datetime(2027, 1, 15, 8, tzinfo=UTC)
TIMES = [datetime(2026, 2, 1, 9, tzinfo=UTC), datetime(2026, 7, 1, 9, tzinfo=UTC), NOW]
"""Days of FV2510, FV2604 and FV2610."""


def an_item(name: str) -> Item:
    return next(items(read(BUILT[name])))


ASKED = seg("BGM", "Z13", "O-1")


def letters(pen: Pen) -> dict[str, tuple[str, Body]]:
    """One of each, with everything that it can hold."""
    plan, data, values = an_item("21029 ims"), an_item("55643"), an_item("13017")
    order, quoted = an_item("19015"), Quoted.of(data)
    window = (date(2027, 2, 1), date(2027, 3, 1))
    refusals = [
        Refusal("Z35", "MeLo kürzer: 7'er Nummer?", data.first("LOC+")),
        Refusal("Z16"),
        Refusal("Z29", "", data.first("NAD+Z07")),
    ]
    return {
        "312": ("APERAK", pen.aperak(quoted)),
        "312 of readings": ("APERAK", pen.aperak(Quoted.of(values))),
        "313": ("APERAK", pen.aperak(quoted, refusals)),
        "CONTRL": ("CONTRL", pen.contrl(data.came, "13", tag="UNZ")),
        "CONTRL of a message": ("CONTRL", pen.contrl(data.came, "29", data.message.number, "UNT")),
        "21030": ("IFTSTA", pen.agreement(plan, Quoted.of(plan), "21030", "A03")),
        "21031": ("IFTSTA", pen.agreement(plan, Quoted.of(plan), "21031", "A01")),
        "21011": ("IFTSTA", pen.failed_change(ORDER.metering_point, "O-1", "21011")),
        "21013": ("IFTSTA", pen.failed_change(ORDER.metering_point, "O-1")),
        "19015": ("ORDRSP", pen.order_answer(Quoted.of(order), "19015", "ZB4")),
        "19015 ZB5": ("ORDRSP", pen.order_answer(Quoted.of(order), "19015", "ZB5")),
        "19016 text": ("ORDRSP", pen.order_answer(Quoted.of(order), "19016", "E17", "zu spät")),
        "19016 Z07": ("ORDRSP", pen.order_answer(Quoted.of(order), "19016", "Z07")),
        "55648 A01": ("UTILMD", pen.feedback(data, quoted, "55648", "A01")),
        "55658 A01": ("UTILMD", pen.feedback(data, quoted, "55658", "A01")),
        "55648 Z88": ("UTILMD", pen.feedback(data, quoted, "55648", "Z88")),
        "55658 Z88": ("UTILMD", pen.feedback(data, quoted, "55658", "Z88")),
        **{
            f"{pid} A02 {field}": ("UTILMD", pen.feedback(data, quoted, pid, "A02", (field, VALUES[field])))
            for pid in ("55648", "55658")
            for field in FIELDS
        },
        "17011 Z12": ("ORDERS", pen.order(ORDER, "O-1", DAY)),
        "17011 Z93": ("ORDERS", pen.order_of_offer(ORDER, "O-2", window, "OFFER-1")),
        "17009": ("ORDERS", pen.removal(ORDER, "O-3", MOMENT)),
        "17009 all": ("ORDERS", pen.removal(ORDER, "O-4", MOMENT, all_devices=True)),
        "23001": ("INSRPT", pen.fault(ORDER, "F-1", "Display dunkel")),
    }


# fmt: off
VALUES = {"voltage": "E05", "tariffs": "ZTZ", "direction": "ZRZ", "serial": "1HUB0000002009", "remote_switch": "Z06",
          "mounting": "DPA", "granularity": "ZE9", "bearer": "ETH"}
# fmt: on
NAMES = list(letters(Pen(ManualClock(NOW), NB, MSB, "NB")))


def a_letter(name: str, at: datetime = NOW) -> bytes:
    pen = Pen(ManualClock(at), NB, MSB, "NB")
    type_, body = letters(pen)[name]
    return pen.interchange(type_, [body], pen.number(""))


def expected(name: str) -> str:
    if name.startswith("312"):
        return "read_positive"
    return "read_negative" if name.startswith(("313", "CONTRL")) else "aperak_312"


@pytest.mark.parametrize("at", TIMES, ids=lambda at: f"{at:%Y-%m}")
@pytest.mark.parametrize("name", NAMES)
def test_what_a_party_writes_is_accepted_without_a_warning(name: str, at: datetime) -> None:
    found = verdict(a_letter(name, at), at)
    assert (found.core, found.content, found.warnings) == ("ok", expected(name), [])
    assert found.exit_code == 0


def test_hub_check_accepts_every_file_of_a_party(tmp_path: Path) -> None:
    files = []
    for name in NAMES:
        file = tmp_path / f"{name}.edi"
        file.write_bytes(a_letter(name))
        files.append(str(file))
    said = CliRunner().invoke(app, ["check", *files, "--json", "--as-of", f"{NOW:%Y-%m-%dT%H:%M:%SZ}"])
    found = [json.loads(line) for line in said.stdout.splitlines()]
    assert (said.exit_code, [each["content_verdict"] for each in found]) == (0, [expected(name) for name in NAMES])


@pytest.mark.parametrize("name", NAMES)
def test_pydifact_reads_what_a_party_writes(name: str) -> None:
    content = a_letter(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of directories that it does not bring
        (message,) = Oracle.from_str(content.decode("latin-1")).get_messages()
    theirs = [
        (segment.tag, [each if isinstance(each, list) else [each] for each in segment.elements])
        for segment in message.segments
    ]
    inside = read(content).messages[0].segments[1:-1]
    assert theirs == [(segment.tag, [list(element) for element in segment.elements]) for segment in inside]


# fmt: off
DIFFERENCES = {  # in which makotest finds errors, and why they are written so all the same
    "313":         "it knows only the layout of 2.1i",
    "21013":       "it quotes nothing, only the point; the hub finds an order by what is quoted",
    "19015 ZB5":   "a house number in NAD",
    "19016 text":  "it knows no text behind the code",
    "Z88":         "it wants a period of a request to clear data, and no number of ours",
    "A02":         "it has other groups for what the receiver sees than for what the sender says",
    "17011":       "address and names in NAD: the hub knows the points of the stories from nowhere else",
    "17009":       "the same",
    "23001":       "the same",
}
# fmt: on


@pytest.mark.parametrize("name", NAMES)
def test_makotest_finds_errors_only_in_messages_for_which_there_is_a_reason(name: str) -> None:
    errors = [str(each.message) for each in judged_by_makotest(a_letter(name)).errors]
    differs = name in DIFFERENCES or any(word in DIFFERENCES for word in name.split())
    assert (errors != []) == differs, errors


@pytest.mark.parametrize(
    ("name", "kind", "number"),
    [
        ("17011 Z12", Kind.ORDERS, "O-1"),
        ("17011 Z93", Kind.ORDERS, "O-2"),
        ("17009", Kind.ORDERS, "O-3"),
        ("23001", Kind.ORDERS, "F-1"),
        ("21013", Kind.ORDERS, "O-1"),
        ("55648 A02 voltage", Kind.CORRECTION, ""),
    ],
)
def test_the_hub_understands_what_a_party_wants(name: str, kind: Kind, number: str) -> None:
    found = decode(a_letter(name), None, NOW)
    assert (found.kind, found.items[0].findings) == (kind, [])
    assert not number or found.items[0].order_no == number


@pytest.mark.parametrize("field", FIELDS)
def test_the_hub_understands_every_value_that_is_seen_otherwise(field: str) -> None:
    (item,) = decode(a_letter(f"55648 A02 {field}"), None, NOW).items
    assert item.corrected is not None
    ((change),) = item.corrected.changes
    assert (change.field.partition(".")[2], change.new) == (field, VALUES[field])


def test_an_aperak_quotes_where_its_version_wants_it() -> None:
    def order_of(at: datetime) -> list[str]:
        tags = [segment.text.partition(":")[0] for segment in read(a_letter("313", at)).messages[0].segments]
        return [tag for tag in tags if tag in {"RFF+AGO", "RFF+TN", "ERC+Z35", "NAD+MS+9900000001027"}]

    now, before = order_of(NOW), order_of(TIMES[0])
    assert now[:4] == ["RFF+AGO", "RFF+TN", "NAD+MS+9900000001027", "ERC+Z35"]
    assert before[:4] == ["NAD+MS+9900000001027", "ERC+Z35", "RFF+AGO", "RFF+TN"]


def test_E14_no_number_is_given_twice() -> None:
    pen = Pen(ManualClock(NOW), NB, MSB, "NB")
    numbers = [pen.number(kind) for kind in ("", "D", "V") * 100]
    assert (len({*numbers}), max(map(len, numbers)) <= 14) == (300, True)


def test_before_the_first_version_nothing_can_be_written() -> None:
    with pytest.raises(LookupError):
        a_letter("312", datetime(2025, 9, 1, tzinfo=UTC))
