"""Fates of orders: the first play one journey each, the others are drawn by number."""

from collections import Counter

from simulators.journeys import JOURNEYS, LONG_JOURNEYS, SHOWN, VARIANTS, played, stories
from simulators.prompter import ACTS
from simulators.sms_gateway.script import Try
from simulators.story import NOBODY, drawn

MANY = 4_000
FIRST = ("J01", "J09", "J11", "J19", "J24", "J26", "J28", "J29")
"""What also short rollouts play."""


def share(count: int) -> float:
    return count / MANY


def test_the_first_orders_play_one_journey_each() -> None:
    first = stories(100, seed=7)
    names = [story.journey for story in first[: len(SHOWN)]]
    assert tuple(names[: len(FIRST)]) == FIRST
    assert len(set(names)) == len(names)
    assert {story.journey for story in first[len(SHOWN) :]} == {""}
    assert [story.number for story in first] == list(range(1, 101))


def test_what_a_demonstration_leaves_out_is_played_by_tests() -> None:
    assert {journey["journey"] for journey in JOURNEYS} > VARIANTS
    assert len(SHOWN) == len(JOURNEYS) - len(VARIANTS)


def test_every_turn_is_something_that_somebody_can_do() -> None:
    turns = [
        turn for story in [*stories(300, seed=7), *played(JOURNEYS), *played(LONG_JOURNEYS)] for turn in story.turns
    ]
    assert {turn.act for turn in turns if turn.who != NOBODY} <= set(ACTS)
    assert {turn.who for turn in turns} <= {NOBODY, "anna", "erp", "max", "mdm-b", "mia", "quirin", "technician"}


def test_the_same_seed_gives_the_same_fates_and_another_one_others() -> None:
    assert stories(300, seed=7) == stories(300, seed=7)
    assert stories(300, seed=7) != stories(300, seed=8)


def test_a_fate_depends_on_the_number_and_not_on_how_many_orders_there_are() -> None:
    assert list(stories(300, seed=7))[:50] == list(stories(50, seed=7))
    assert drawn(123, 7) == stories(300, seed=7)[122]


def test_shares_are_those_of_the_recipe() -> None:
    told = [drawn(number, 7) for number in range(1, MANY + 1)]
    replies = Counter(story.replies[0][1] if story.replies else None for story in told)
    assert abs(share(replies["OK {code}"]) - 0.52) < 0.03
    assert abs(share(replies[None]) - 0.30) < 0.03
    visits = Counter(visit for story in told for visit in story.visits)
    assert abs(visits["NOT_AT_HOME/customer_not_home"] / (2 * MANY) - 0.18) < 0.02
    assert abs(share(visits["DOCS_INCOMPLETE"]) - 0.03) < 0.01
    assert abs(share(sum(bool(story.reject) for story in told)) - 0.04) < 0.015
    assert abs(share(sum(bool(story.turns) for story in told)) - 0.02) < 0.01
    assert abs(share(sum(story.hold_days > 0 for story in told)) - 0.03) < 0.01
    assert abs(share(sum(story.mobile for story in told)) - 0.82) < 0.03


def test_nobody_who_is_drawn_fails_three_times_or_waits_longer_than_a_partner_may() -> None:
    told = [drawn(number, 11) for number in range(1, MANY + 1)]
    failed = [sum(visit.startswith("NOT_AT_HOME") for visit in story.visits) for story in told]
    assert max(failed) == 2
    assert max(story.answers_late_hours for story in told) <= 72
    assert {try_ for story in told for try_ in story.texts} <= set(Try)
    assert all(not (story.broken_first and story.reject) for story in told)
