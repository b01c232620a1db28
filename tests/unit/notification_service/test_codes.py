"""Dialogue codes: the page's vectors, what they catch, and how they are found in a text."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.notification_service.domain import codes

KEY = b"test-key-0123456789abcdef"
CODES = some.text(codes.ALPHABET, min_size=8, max_size=8).map(lambda body: body + codes.check_symbol(body))


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("apt_01|0", "P69-6HK-2HN"),
        ("apt_02|0", "T9F-JNC-556"),
        ("apt_03|0", "7WC-XP5-T7F"),
        ("apt_01|1", "TK7-TNF-4NC"),
    ],
)
def test_a_code_is_made_from_its_key_and_subject(subject: str, code: str) -> None:
    assert codes.written(codes.made(KEY, subject)) == code


@pytest.mark.parametrize(("body", "check"), [("22222222", "2"), ("3DFGHJK4", "N"), ("XXXXXXXX", "W")])
def test_the_check_symbol_completes_the_weighted_sum(body: str, check: str) -> None:
    assert codes.check_symbol(body) == check


@pytest.mark.parametrize("text", ["P699HK2HN", "P69H6K2HN", "P696HK2NH", "XXXXXXXXW", "P696HK2H", ""])
def test_what_is_no_code_is_refused(text: str) -> None:
    assert codes.normalised(text) is None


def test_a_hash_is_keyed() -> None:
    hashed = codes.keyed_hash(b"pepper-0123456789", "P696HK2HN")
    assert hashed == "2512f0c8c0678c3174eb834e9af73b3cd0497b5dcca39967c0ab08a79ee91009"


@pytest.mark.parametrize(
    "typed",
    [
        "p69-6hk-2hn",
        "P69 6HK 2HN",
        "P69–6HK–2HN",
        "P69.6HK.2HN",
        "P69_6HK/2HN",
        "Р69-6НК-2НN",  # Cyrillic Er, En and Ka
        "Ｐ６９６ＨＫ２ＨＮ",
        "P69-6HK-ZHN",
    ],
)
def test_a_code_is_understood_however_it_is_typed(typed: str) -> None:
    assert codes.normalised(typed) == "P696HK2HN"


@pytest.mark.parametrize(
    ("text", "code", "rest"),
    [
        ("OK P69-6HK-2HN", "P696HK2HN", "OK"),
        ("P69-6HK-2HN OK", "P696HK2HN", "OK"),
        ("ok p69 6hk 2hn", "P696HK2HN", "ok"),
        ("ok T9F-JNC-SS6", "T9FJNC556", "ok"),
        ("(P69-6HK-2HN)!", "P696HK2HN", "( )!"),
        ("Ok 7WC-XP5-T7D", None, "Ok 7WC-XP5-T7D"),
        ("P69, 6HK, 2HN", None, "P69, 6HK, 2HN"),
    ],
)
def test_a_code_is_found_in_a_text_and_taken_out(text: str, code: str | None, rest: str) -> None:
    assert (codes.find(text)[0], codes.find(text)[1].strip()) == (code, rest)


def test_no_single_error_and_no_swap_goes_unseen_in_3000_codes() -> None:
    random = Random(7)
    undetected = 0
    for _ in range(3_000):
        body = "".join(random.choices(codes.ALPHABET, k=8))
        code = body + codes.check_symbol(body)
        place, other = random.sample(range(9), 2)
        wrong = random.choice([symbol for symbol in codes.ALPHABET if symbol != code[place]])
        undetected += codes.is_code(code[:place] + wrong + code[place + 1 :])
        swapped = list(code)
        swapped[place], swapped[other] = swapped[other], swapped[place]
        undetected += swapped != list(code) and codes.is_code("".join(swapped))
    assert undetected == 0


@given(code=CODES)
def test_a_code_survives_being_written_and_typed_again(code: str) -> None:
    expected = code if any(symbol.isdigit() for symbol in code) else None
    assert codes.normalised(codes.written(code).lower()) == expected


@given(text=some.text())
def test_no_text_breaks_the_search(text: str) -> None:
    code, _ = codes.find(text)
    assert code is None or codes.is_code(code)


def test_candidates_hold_a_digit_and_name_their_salt() -> None:
    found = codes.candidates(KEY, "apt_01")
    first, second = next(found), next(found)
    assert first == (0, "P696HK2HN")
    assert second == (1, "TK7TNF4NC")


def test_a_link_token_is_22_characters_of_base64url() -> None:
    token = codes.link_token(KEY, "link|apt_01|0")
    assert len(token) == 22
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
