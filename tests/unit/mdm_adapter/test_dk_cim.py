"""Documents of the Danish hub: read record by record, everything that is wrong is named."""

import pytest
from lxml import etree

from services.mdm_adapter.dialects.dk_cim import Record, content_findings, decode

POINT, SENDER = "571313135100020644", "5790001330552"


def document(*records: str, result: str = "", type_: str = "E58", sender: str = SENDER) -> etree._Element:
    code = f"<reason.code>{result}</reason.code>" if result else ""
    return etree.fromstring(
        f'<Any_MarketDocument xmlns="urn:x"><mRID>D-1</mRID><type>{type_}</type><process.processType>E84'
        f"</process.processType><sender_MarketParticipant.mRID>{sender}</sender_MarketParticipant.mRID>"
        f"<receiver_MarketParticipant.mRID>{SENDER}</receiver_MarketParticipant.mRID>{code}{''.join(records)}"
        "</Any_MarketDocument>"
    )


def record(id_: str = "T-1", point: str = POINT, more: str = "") -> str:
    return (
        f"<MktActivityRecord><mRID>{id_}</mRID><marketEvaluationPoint.mRID>{point}</marketEvaluationPoint.mRID>"
        f"{more}</MktActivityRecord>"
    )


def test_a_refusal_is_read_with_the_reasons_of_each_record() -> None:
    reasons = "<Reason><code>E10</code><text>unknown</text></Reason><Reason><code>E17</code></Reason>"
    found = decode(document(record(more=reasons), record("T-2"), result="A02", type_="E59"))
    assert (found.id, found.type, found.process, found.is_negative) == ("D-1", "E59", "E84", True)
    assert found.records == (
        Record("T-1", "", POINT, "", "", (("E10", "unknown"), ("E17", ""))),
        Record("T-2", "", POINT, "", "", ()),
    )


@pytest.mark.parametrize(
    ("type_", "result", "negative"), [("E59", "A01", False), ("E59", "", False), ("E58", "", None)]
)
def test_an_answer_is_a_yes_or_a_no_and_a_request_is_neither(type_: str, result: str, negative: bool | None) -> None:
    assert decode(document(record(), result=result, type_=type_)).is_negative is negative


def test_every_record_is_judged_and_everything_is_named() -> None:
    whole = document(record("T" * 37), record("T-2", point="571313135100020645"), record("T-2"), sender="DHGLN")
    found = [(each.code, each.position) for each in content_findings(decode(whole))]
    assert found == [
        ("2.14", "sender"),
        ("2.12", "metering_point"),
        ("1.7", "transaction_id"),
        ("1.7", "transaction_id"),
    ]
    assert content_findings(decode(document(record()))) == []
