"""A market party reads everything that the adapter writes, with a reader of its own, and has nothing against it."""

from random import Random

import pytest
from hypothesis import given

from services.mdm_adapter.dialects.edifact_fv import messages as adapter
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus
from simulators.edifact.documents import ACKNOWLEDGEMENTS, Receipt, faults, items, receipt, version_fault
from simulators.edifact.syntax import read
from tests.unit.mdm_adapter.edifact import drawn
from tests.unit.mdm_adapter.edifact.built import BUILT
from tests.unit.simulators.edifact_hub import POINT, Sent, a_party, verdict

ROLES = {Role.NB: "nb", Role.LF: "lf"}
# fmt: off
TO = {"21029 ims": "wmsb", "21029 lf": "lf", "21029 mme": "lf", "21025": "lf", "55653": "lf", "55663": "wmsb"}
# fmt: on


def against(content: bytes, role: str) -> list[str]:
    """What a role has against an interchange."""
    came = read(content)
    found = [came.fault.code] if came.fault else []
    found += [message.type for message in came.messages if version_fault(message, came)]
    return found + [wrong for item in items(came) for wrong in faults(item, role)]


def role_of(sending: MarketSending) -> str:
    return ROLES.get(sending.role, "wmsb")


@pytest.mark.parametrize("name", [name for name in BUILT if not name.startswith(("APERAK", "CONTRL"))])
def test_every_message_of_the_hub_is_read(name: str) -> None:
    assert against(BUILT[name], TO.get(name, "nb")) == []
    item = next(items(read(BUILT[name])))
    assert item.pid == name[:5]
    assert item.point in {POINT.id, ""}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("APERAK 313", Receipt("APERAK 313", "NB0000000001", ("Z29",))), ("CONTRL", Receipt("CONTRL 4", "", ("13",)))],
)
def test_every_receipt_of_the_hub_is_read(name: str, expected: Receipt) -> None:
    came = read(BUILT[name])
    found = receipt(came.messages[0])
    assert came.messages[0].type in ACKNOWLEDGEMENTS
    assert (found.what, found.errors[:1]) == (expected.what, expected.errors)
    assert found.quoted.startswith("NB")


@given(drawn.completed())
def test_completed_work_is_read_whatever_it_is(case: tuple[DeviceExchangeCompleted, MarketSending]) -> None:
    document, sending = case
    data, values = adapter.encode(document, sending), adapter.encode_readings(document, sending)
    role = role_of(sending)
    assert against(data, role) + against(values, role) == []
    read_serials = [item.devices()[0] for item in items(read(values))]
    assert read_serials == [device.serial for device in (*document.removed, *document.installed) if device.readings]
    built_in = {device.serial for device in document.installed if device.readings}
    assert built_in <= {*next(items(read(data))).devices()}


@given(drawn.not_completed())
def test_work_that_was_not_completed_is_read(case: tuple[WorkNotCompleted, MarketSending]) -> None:
    assert against(adapter.encode(*case), role_of(case[1])) == []


@given(drawn.announced())
def test_an_announcement_is_read(case: tuple[WorkStatus, MarketSending]) -> None:
    content = adapter.encode(*case)
    assert against(content, role_of(case[1])) == []
    assert next(items(read(content))).is_intelligent == (case[0].planned_on is not None)


@given(drawn.answers())
def test_an_answer_to_an_order_is_read(case: tuple[Answer, MarketSending]) -> None:
    assert against(adapter.encode(*case), "nb") == []


def changed(name: str, old: str, new: str) -> bytes:
    content = BUILT[name].decode("latin-1")
    assert old in content
    return content.replace(old, new).encode("latin-1")


@pytest.mark.parametrize("name", BUILT)
async def test_whatever_comes_is_answered_or_refused(name: str) -> None:
    """200 variants of each message, with bytes that were changed, lost or doubled."""
    luck, party, sent = Random(name), a_party(TO.get(name, "nb")), Sent()
    for _ in range(200):
        content = bytearray(BUILT[name])
        for _ in range(luck.randint(1, 6)):
            at, kind = luck.randrange(len(content)), luck.randrange(2)
            content[at : at + (kind > 0)] = luck.choice((b"", b"'", b"+", b":", b"?", luck.randbytes(1)))
        status, _ = party.take(bytes(content))
        assert status in {202, 422}
    await party.act(sent)
    assert {verdict(content).core for content in sent.contents()} <= {"ok"}


# fmt: off
WRONG: list[tuple[bytes, str, list[str]]] = [
    (BUILT["55643"],                                             "lf",   ["Z31 55643"]),
    (changed("55643", "NAD+Z07", "NAD+Z99"),                     "nb",   ["Z29 NAD+Z07"]),
    (changed("55643", "202611192300", "202611192200"),           "nb",   ["Z35 DTM+Z25"]),
    (changed("55643", "DTM+137:202611230700", "DTM+137:202611230800"), "nb", ["Z41 DTM+137"]),
    (changed("55643", "NAD+MS+99", "NAD+MS+98"),                 "nb",   ["Z35 NAD+MS"]),
    (changed("13017", "DTM+60:202611200915", "DTM+60:202611210915"), "nb", ["Z41 DTM+60", "Z41 DTM+60"]),
    (changed("13017", "++VL", ""),                               "nb",   ["Z35 UNB", "Z35 UNB"]),
    (changed("21027", "LOC+172+DE", "LOC+172+de"),               "nb",   ["Z35 LOC"]),
    (changed("21027", "IFTSTA:D:18A:UN:2.1", "IFTSTA:D:18A:UN:2.0g"), "nb", ["IFTSTA"]),
    (changed("23004", "202611271600?+00", "202611271600?+01"),   "nb",   ["Z35 DTM+292"]),
]
# fmt: on


@pytest.mark.parametrize(("content", "role", "expected"), WRONG)
def test_its_own_eyes_see_what_is_wrong(content: bytes, role: str, expected: list[str]) -> None:
    assert against(content, role) == expected
