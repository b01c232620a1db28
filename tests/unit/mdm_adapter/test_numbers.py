"""Numbers of interchanges are never used twice, also not after an older copy of the database was put back."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from kit.testing import MONDAY_MORNING
from services.mdm_adapter.domain.messages import TICK, ArchiveHead


def test_E14_numbers_follow_the_clock_and_pass_it_where_they_come_faster() -> None:
    head = ArchiveHead()
    first, second = head.number(MONDAY_MORNING), head.number(MONDAY_MORNING)
    later = head.number(MONDAY_MORNING + timedelta(seconds=1))
    assert (second - first, later - first) == (1, timedelta(seconds=1) // TICK)


def test_E14_numbers_have_eleven_digits_for_a_generation() -> None:
    assert len(f"{ArchiveHead().number(MONDAY_MORNING + timedelta(days=365 * 29)):011d}") == 11


@given(some.lists(some.integers(0, 300), min_size=2, max_size=40), some.integers(0, 38))
def test_E14_after_a_restore_numbers_go_on_behind_what_was_forgotten(waits: list[int], copied: int) -> None:
    """Sent at any pace below a hundred a second; a copy that was made on the way is put back at the end."""
    head, now, given_out, copy = ArchiveHead(), MONDAY_MORNING, list[int](), 0
    for step, wait in enumerate(waits):
        now += TICK * (wait + 1)
        given_out.append(head.number(now))
        copy = head.numbered if step == min(copied, len(waits) - 1) else copy
    restored = ArchiveHead(numbered=copy)
    again = [restored.number(now + TICK * step) for step in range(1, 20)]
    assert len({*given_out, *again}) == len(given_out) + len(again)
