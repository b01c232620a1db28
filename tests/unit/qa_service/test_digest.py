"""What an approval signs: the vector of the qa page, and that every change of it is seen."""

from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.qa_service.domain.digest import Seal, SealedItem, answers_hash, canonical, digest_of

ANSWERS = {"seal_no": "A-17", "comms_ok": True, "meter_old_final_1.8.0": "23456"}
HASH = "0ebc2cfb0f5b535f9ae2f4e1e9d86dfff1fd72bb6d29e20f48a8973cf31e6a49"
DIGEST = "eae81c0f0a729aacab6e7a81ee69b53d5879414ef01fba737d86ab6b3c182190"


def a_seal(**changes: object) -> Seal:
    items = (_item(2, "photo_new", b"two"), _item(1, "photo_old", b"one"))
    return Seal(**{"form": "meter_exchange@3", "answers_sha256": HASH, "items": items, **changes})


def _item(number: int, kind: str, content: bytes) -> SealedItem:
    return SealedItem(evidence_id=UUID(int=number), kind=kind, sha256=sha256(content).hexdigest())


def test_the_answers_of_the_page_have_its_hash() -> None:
    assert answers_hash(ANSWERS) == HASH
    assert canonical(ANSWERS) == b'{"comms_ok":true,"meter_old_final_1.8.0":"23456","seal_no":"A-17"}'


def test_the_lines_of_the_page_have_its_digest() -> None:
    one, two = sha256(b"one").hexdigest(), sha256(b"two").hexdigest()
    lines = [f"form meter_exchange@3 {HASH}", f"evidence ev_1 photo_old {one}", f"evidence ev_2 photo_new {two}"]
    assert digest_of(lines) == DIGEST


def test_a_seal_writes_the_lines_of_the_page_sorted_by_id() -> None:
    one, two = sha256(b"one").hexdigest(), sha256(b"two").hexdigest()
    expected = [
        f"form meter_exchange@3 {HASH}",
        f"evidence {UUID(int=1)} photo_old {one}",
        f"evidence {UUID(int=2)} photo_new {two}",
    ]
    assert a_seal().digest == digest_of(expected)
    assert a_seal(items=tuple(reversed(a_seal().items))).digest == a_seal().digest


@pytest.mark.parametrize(
    "change",
    [
        {"form": "meter_exchange@4"},
        {"answers_sha256": answers_hash({**ANSWERS, "seal_no": "A-18"})},
        {"items": (_item(1, "photo_old", b"one"), _item(2, "photo_new", b"twp"))},
        {"items": (_item(1, "photo_old", b"one"), _item(3, "photo_new", b"two"))},
        {"items": (_item(1, "photo_old", b"one"), _item(2, "photo_seal", b"two"))},
        {"items": (_item(1, "photo_old", b"one"),)},
    ],
)
def test_any_change_changes_the_digest(change: dict[str, object]) -> None:
    assert a_seal(**change).digest != a_seal().digest


def test_decimals_are_text_and_nothing_is_escaped() -> None:
    assert (
        canonical({"b": 1.5, "a": "Zähler", "c": [0.1, {"d": 2}]})
        == '{"a":"Zähler","b":"1.5","c":["0.1",{"d":2}]}'.encode()
    )


@given(some.dictionaries(some.text(max_size=5), some.text(max_size=5) | some.booleans() | some.integers()))
def test_the_order_in_which_answers_come_is_no_difference(answers: dict[str, object]) -> None:
    assert answers_hash(dict(reversed(answers.items()))) == answers_hash(answers)  # type: ignore[arg-type]
