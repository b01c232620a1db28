"""The verdict on a file in JSON, without any effect: what partners see before they connect."""

import json
from datetime import UTC, datetime

from contracts.codes import Scheme
from kit.clock import ManualClock
from services.mdm_adapter.checking import check
from services.mdm_adapter.dialects.json_ce.messages import encode_report
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.values import MeteringPoint
from services.mdm_adapter.documents.work_status import WorkStatus
from simulators.facts import OrderFacts
from simulators.market import Party

PARTY = Party(ManualClock(datetime(2026, 3, 2, tzinfo=UTC)), "mdm-b", "mdm")
ORDER = PARTY.order(OrderFacts(1), "B-1")
ANNOUNCED = WorkStatus(
    order_no="B-1", order_version=1, metering_point=MeteringPoint(id="41373559241", scheme=Scheme.MALO)
)


def test_a_good_order_is_accepted_with_its_key_fields() -> None:
    verdict = check(ORDER)
    assert (verdict.dialect, verdict.content, verdict.noun, verdict.records, verdict.exit_code) == (
        "json_ce",
        "accept",
        "work_order_requested",
        1,
        0,
    )
    assert (verdict.key_fields["order"], verdict.findings) == ("B-1", [])


def test_a_bad_order_is_refused_with_code_place_and_rule() -> None:
    tree = json.loads(ORDER)
    tree["data"]["auftrag"]["order_version"] = 0
    (found,) = check(json.dumps(tree).encode()).findings
    assert (found.code, found.position, found.rule) == ("1.7", "/data/auftrag/order_version", "json/value")


def test_what_is_no_json_is_not_well_formed() -> None:
    verdict = check(b'{"id": 1,}')
    (found,) = verdict.findings
    assert (verdict.well_formed, verdict.exit_code, found.code, found.rule) == (False, 1, "1.8", "json/syntax")


def test_answers_are_read_as_what_they_say() -> None:
    said = {"level": "business", "reasons": [{"code": "Z88"}]}
    no = PARTY.event("rejected", "n", {"auftrag": {"order_no": "B-1"}, "rueckmeldung": said}, correlationid="1")
    yes = PARTY.event("accepted", "y", {"auftrag": {"order_no": "B-1"}, "rueckmeldung": {"level": "business"}})
    assert (check(no).content, check(yes).content) == ("read_negative", "read_positive")


def test_a_report_of_ours_is_judged_by_its_published_schema() -> None:
    report = encode_report(ANNOUNCED, Sending("M-1", "M-1", "ROLLOUT-HUB", datetime(2026, 3, 2, tzinfo=UTC)))
    tree = json.loads(report)
    del tree["data"]["rueckmeldung"]["statutory"]
    assert (check(report).content, check(json.dumps(tree).encode()).content) == ("accept", "reject")
