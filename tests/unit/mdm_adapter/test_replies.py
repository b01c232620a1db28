"""What replies say about single items, and what partners' codes mean to the hub."""

import re
from datetime import date

import pytest

from contracts.codes import HubReason
from services.mdm_adapter.dialects.cim_xml.messages import decode
from services.mdm_adapter.dialects.cim_xml.replies import read_answer
from services.mdm_adapter.dialects.reply import Reply, ReplyError
from services.mdm_adapter.documents.answer import ItemState
from services.mdm_adapter.partners.codes import CodeMap
from tests.services.mdm_adapter.erp import reply

ONE_OF_TWO = (ReplyError("2.13", "FATAL", None, ("A",)),)
ACCEPTED, REFUSED, UNKNOWN, RECEIVED = (
    ItemState.ACCEPTED,
    ItemState.REFUSED,
    ItemState.UNKNOWN,
    ItemState.RECEIVED,
)


@pytest.mark.parametrize(
    ("reply", "states"),
    [
        (Reply("OK"), [ACCEPTED, ACCEPTED]),
        (Reply("PARTIAL", ONE_OF_TWO), [REFUSED, ACCEPTED]),
        (Reply("FAILED", ONE_OF_TWO), [REFUSED, UNKNOWN]),
        (Reply("FAILED"), [UNKNOWN, UNKNOWN]),
        (Reply("FAILED", (ReplyError("1.8", "FATAL", None, ()),)), [REFUSED, REFUSED]),
        (Reply("OK", (ReplyError("0.0", "INFORM", None, ("A",)),)), [ACCEPTED, ACCEPTED]),
        (Reply("OK", (ReplyError("0.3", "INFORM", None, ()),)), [RECEIVED, RECEIVED]),
        (Reply("OK", ONE_OF_TWO), [REFUSED, ACCEPTED]),
        (Reply("OK", (ReplyError("2.13", "WARNING", None, ("A",)),)), [ACCEPTED, ACCEPTED]),
    ],
)
def test_X13_X_REP_1_the_state_of_an_item_is_never_inferred_from_the_result(
    reply: Reply, states: list[ItemState]
) -> None:
    assert [item.state for item in read_answer(reply, ["A", "B"]).items] == states


@pytest.mark.parametrize("result", ["OK", "PARTIAL", "FAILED"])
@pytest.mark.parametrize("named", [True, False])
def test_X13_an_answer_on_the_wire_says_of_each_item_what_its_errors_say(result: str, named: bool) -> None:
    id_ = '<m:ID kind="name">A</m:ID>' if named else ""
    body = f"<m:Reply><m:Result>{result}</m:Result><m:Error><m:code>2.13</m:code>{id_}</m:Error></m:Reply>".encode()
    whole = re.sub(rb"<m:Reply>.*</m:Reply>", body, reply("M-1"))
    read = decode(whole, None, None).reply
    assert read is not None
    other = {"OK": ACCEPTED, "PARTIAL": ACCEPTED, "FAILED": UNKNOWN}[result] if named else REFUSED
    assert [item.state for item in read_answer(read, ["A", "B"]).items] == [REFUSED, other]


R = HubReason
# fmt: off
CODES = [
    ("1.5", R.SCHEMA), ("1.6", R.SCHEMA), ("1.7", R.SCHEMA), ("1.8", R.SCHEMA), ("1.9", R.VERSION),
    ("2.4", R.UNKNOWN_DEVICE), ("2.6", R.UNKNOWN_DEVICE), ("2.18", R.UNKNOWN_DEVICE), ("2.30", R.UNKNOWN_DEVICE),
    ("2.5", R.SCHEMA), ("2.9", R.SCHEMA),
    ("2.12", R.UNKNOWN_METERING_POINT), ("2.22", R.UNKNOWN_METERING_POINT), ("2.32", R.UNKNOWN_METERING_POINT),
    ("2.13", R.LINK_CONFLICT), ("2.29", R.LINK_CONFLICT), ("2.14", R.UNAUTHORISED), ("2.15", R.OTHER),
    ("3.1", R.BUSY), ("3.2", R.BUSY), ("4.1", R.TIMEOUT), ("5.1", R.BUSY), ("5.2", R.BUSY),
    ("5.3", R.OTHER), ("5.4", R.OTHER), ("5.8", R.OTHER), ("5.9", R.OTHER), ("6.1", R.OTHER),
    ("6.2", R.ON_HOLD), ("6.3", R.RELEASED), ("6.4", R.RESCHEDULED), ("6.5", R.CANCELLED_BY_CIS),
    ("7.1", R.UNAUTHORISED), ("7.7", R.UNAUTHORISED), ("7.8", R.OTHER), ("7005", R.OTHER), ("", R.OTHER),
]
# fmt: on


@pytest.mark.parametrize(("code", "reason"), CODES)
def test_a_code_of_a_partner_has_one_meaning(code: str, reason: HubReason) -> None:
    assert (CodeMap().reason(code, None, None, date(2026, 3, 2)) or R.OTHER) is reason
