"""How replies are read: the labelled corpus, and what no text may do."""

import csv
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from contracts.codes import Reading
from services.notification_service.domain import reading
from services.notification_service.domain.phrases import PHRASES, Class

CORPUS = Path(__file__).parent / "data" / "replies.csv"
ROWS = list(csv.DictReader(CORPUS.read_text("utf-8").splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_labelled_reply_is_read_as_labelled(row: dict[str, str]) -> None:
    read = reading.read(row["text"].replace("\\n", "\n"))
    assert (read.code or "", read.reading, read.confidence) == (
        row["code"],
        row["reading"],
        Decimal(row["confidence"]),
    )


def test_the_corpus_has_all_its_rows() -> None:
    counted = {kind: sum(row["reading"] == kind for row in ROWS) for kind in {row["reading"] for row in ROWS}}
    assert counted == {"exact_ok": 14, "likely_ok": 39, "contact": 13, "decline": 20, "stop": 8, "unclear": 24}


@pytest.mark.parametrize("text", ["Falsche Nummer", "Feil nummer!", "fel nummer", "Sorry, wrong number"])
def test_a_wrong_number_is_a_hint(text: str) -> None:
    assert reading.read(text).hint == "wrong_number"


def test_a_decline_with_many_unknown_words_is_less_sure() -> None:
    assert reading.read("nein der Hund hat gestern alles gefressen").confidence == Decimal("0.7")


def test_a_decline_that_asks_is_unclear() -> None:
    assert reading.read("Kan ikke?").reading is Reading.UNCLEAR


def test_exact_case_takes_only_capitals() -> None:
    assert reading.read("ok", exact_case=True).reading is Reading.LIKELY_OK
    assert reading.read("OK", exact_case=True).reading is Reading.EXACT_OK


def test_every_single_phrase_is_read_as_its_class() -> None:
    expected = {Class.STOP: Reading.STOP, Class.CONTACT: Reading.CONTACT, Class.NO: Reading.DECLINE}
    wrong = [
        phrase.strip()
        for its, read_as in expected.items()
        for phrase in PHRASES[its].split(",")
        if reading.read(phrase.strip()).reading is not read_as
    ]
    assert wrong == []


def test_every_yes_alone_is_an_ok() -> None:
    found = {reading.read(phrase.strip()).reading for phrase in PHRASES[Class.YES].split(",")}
    assert found == {Reading.LIKELY_OK, Reading.EXACT_OK}


@settings(max_examples=2_000)
@given(text=some.text())
def test_any_text_is_read_and_only_a_bare_ok_is_exact(text: str) -> None:
    read = reading.read(text)
    assert 0 <= read.confidence <= 1
    if read.reading is Reading.EXACT_OK:
        assert unicodedata.normalize("NFKC", read.rest).strip().upper() == "OK"


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("JA 4711", Reading.UNCLEAR),
        ("ja nein", Reading.UNCLEAR),
        ("JА", Reading.UNCLEAR),  # Cyrillic A
        ("=cmd|' /C calc'!A0", Reading.UNCLEAR),
        ("<script>alert(1)</script>", Reading.UNCLEAR),
        ("x" * 1600, Reading.UNCLEAR),
    ],
)
def test_hostile_and_half_texts_are_for_a_person(text: str, read_as: Reading) -> None:
    assert reading.read(text).reading is read_as
