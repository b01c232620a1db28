"""Both reply modes over the corpus of answers, against an open offer of the current revision."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.codes import Match
from services.booking_service.domain.operators import Operator, ReplyMode
from services.booking_service.domain.replies import judge
from services.booking_service.domain.states import AppointmentState
from tests.unit.booking_service.given import NOW, a_reply, an_appointment, an_operator, an_order

CORPUS = Path(__file__).resolve().parents[3].parent / "shared/samples/replies.csv"
with CORPUS.open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
EXACT, TOLERANT = an_operator(), an_operator(reply_mode=ReplyMode.TOLERANT)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
@pytest.mark.parametrize(("operator", "column"), [(EXACT, "exact_mode"), (TOLERANT, "tolerant_mode")])
def test_the_mode_decides_as_the_corpus_says(row: dict[str, str], operator: Operator, column: str) -> None:
    match = Match.CODE if row["code"] else Match.NUMBER_UNIQUE
    reply = a_reply(reading=row["reading"], confidence=Decimal(row["confidence"] or "0"), match=match)
    verdict = judge(reply, an_appointment(AppointmentState.SENT, attempt=1), an_order(), operator, NOW)
    assert ("confirm" if verdict.confirms else "ask_staff") == row[column]
    assert verdict.confirms is (verdict.cause is None)
