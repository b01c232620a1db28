"""The checker itself: one bad history per verdict, made by hand, and a good one."""

import pytest

from tests.crash.checker import Verdict, judge
from tests.crash.history import History, Op

Lines = list[tuple[Op, str, int]]
GOOD: Lines = [
    *(("try", "a", 1), ("accept", "a", 1), ("try", "a", 2), ("accept", "a", 2), ("try", "b", 1)),
    *(("apply", "a", 1), ("apply", "a", 2), ("record", "cases/a", 1), ("record", "cases/a", 2)),
    *(("tell", "cases/a", 1), ("tell", "cases/a", 2), ("tell", "cases/a", 1), ("owe", "ring/a", 0)),
    ("effect", "ring/a", 0),
]
BAD: list[tuple[str, str, Lines, Lines]] = [
    ("lost", "accepted and not applied", [("apply", "a", 2)], []),
    ("lost", "in the books and not in the topic", [], [("record", "cases/a", 3)]),
    ("lost", "promised and never seen outside", [("effect", "ring/a", 0)], []),
    ("duplicate", "applied twice", [], [("apply", "a", 2)]),
    ("duplicate", "seen twice outside", [], [("effect", "ring/a", 0)]),
    ("duplicate", "applied and parked", [], [("park", "a", 2)]),
    ("disorder", "applied in another order", [("apply", "a", 1)], [("apply", "a", 1)]),
    ("disorder", "a gap in the topic", [], [("tell", "cases/a", 4)]),
    ("phantom", "applied and never asked for", [], [("apply", "c", 1)]),
    ("phantom", "seen outside without cause", [], [("effect", "ring/b", 0)]),
    ("stuck", "never at rest", [], [("stuck", "outbox", 0)]),
    ("unknown_unresolved", "nobody can tell", [("effect", "ring/a", 0)], [("unknown", "ring/a", 0)]),
]


def made(lines: Lines) -> History:
    history = History()
    for op, key, number in lines:
        history.note(op, key, number)
    return history


def test_a_good_history_is_clean_and_an_answer_that_was_lost_may_go_either_way() -> None:
    assert judge(made(GOOD)).clean
    assert judge(made([*GOOD, ("apply", "b", 1)])).clean
    assert judge(
        made([*(line for line in GOOD if line[:2] != ("apply", "a")), ("park", "a", 1), ("park", "a", 2)])
    ).clean


@pytest.mark.parametrize(("verdict", "why", "without", "with_"), BAD, ids=[f"{each[0]}: {each[1]}" for each in BAD])
def test_a_bad_history_gets_exactly_its_verdict(verdict: str, why: str, without: Lines, with_: Lines) -> None:
    lines = [line for line in GOOD if line not in without] + with_
    assert judge(made(lines)) == Verdict(**{verdict: 1}), why
