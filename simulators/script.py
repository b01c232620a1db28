"""Whose turn it is: what is still to be played of each story, and who has to wait for it."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulators import facts
from simulators.story import NOBODY, Story, Turn

Item = Mapping[str, Any]
AGAIN, MOST_TRIES = timedelta(hours=1), 24
AT_ONCE = 100


@dataclass
class Part:
    """What is left of one order's story."""

    left: deque[Turn]
    due: datetime | None = None
    """When the first turn that is left may be played, once it fitted."""
    tries: int = 0
    """How often it was refused otherwise than it should be."""


class Script:
    """The turns of all orders; one order's are played one after the other."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self.parts = {story.number: Part(deque(story.turns)) for story in stories if story.turns}
        self.case_numbers = dict[str, int]()
        """Orders of the cases that were seen."""
        self.said: list[tuple[int, str, str]] = []
        """Order, act and code of every answer: empty where the hub did what was asked."""

    @property
    def over(self) -> bool:
        """Nobody has anything left to play; to wait is nothing."""
        return not self.left()

    def left(self) -> Mapping[int, tuple[Turn, ...]]:
        """What was not played yet, by order."""
        rest = {number: tuple(turn for turn in part.left if turn.who != NOBODY) for number, part in self.parts.items()}
        return {number: turns for number, turns in rest.items() if turns}

    def stages(self, now: datetime) -> Iterator[Mapping[str, list[str]]]:
        """Where the next turns may be played: states and metering points, as one list of work orders asks for them."""
        waiting = {number for number, part in self.parts.items() if part.due and part.due > now}
        left = [(number, turns[0].state) for number, turns in self.left().items() if number not in waiting]
        for some in (left[begin : begin + AT_ONCE] for begin in range(0, len(left), AT_ONCE)):
            points = [facts.metering_point_of(number) for number, _ in some]
            yield {"state": sorted({state for _, state in some}), "metering_point_id": points}

    def next_due(self) -> datetime | None:
        """When the first of those is due that wait for their time."""
        return min((part.due for part in self.parts.values() if part.due), default=None)

    def turn(self, item: Item, now: datetime) -> Turn | None:
        """The turn that is to be played with this work order now."""
        part = self._part(item)
        turn = self._head(part, item)
        if part is None or turn is None or turn.who == NOBODY:
            return None
        if part.due is None:
            part.due = _due(turn, item, now)
        return turn if part.due <= now else None

    def reserved(self, item: Item) -> bool:
        """Somebody has a turn with this work order, now or soon: all others leave it alone."""
        return self._head(self._part(item), item) is not None

    def reserves_review(self, case_id: str, sequence: int) -> bool:
        """The same for whoever looks at the report of a work order."""
        part = self.parts.get(self.case_numbers.get(case_id, 0))
        heads = [*part.left][:1] if part else []
        return any((turn.state, turn.sequence) == ("RESOLVED", sequence) for turn in heads)

    def played(self, item: Item, turn: Turn, code: str, now: datetime) -> None:
        """The hub answered. A turn that was refused otherwise than it should be is tried again after a while."""
        number = facts.number_of(item["metering_point_id"])
        part = self.parts[number]
        self.said.append((number, turn.act, code))
        if turn.refused and not code:
            raise RuntimeError(f"order {number}: {turn} was not refused")
        if code == turn.refused:
            part.left.popleft()
            part.due, part.tries = None, 0
            return
        part.due, part.tries = now + AGAIN, part.tries + 1
        if part.tries > MOST_TRIES:
            raise RuntimeError(f"order {number}: {turn} is refused with {code}")

    def _part(self, item: Item) -> Part | None:
        number = facts.number_of(item["metering_point_id"])
        self.case_numbers[item["case_id"]] = number
        return self.parts.get(number)

    @staticmethod
    def _head(part: Part | None, item: Item) -> Turn | None:
        """The next turn, if it fits; a wait is over where the one behind it fits."""
        if part is None or not part.left:
            return None
        if part.left[0].who == NOBODY and len(part.left) > 1 and part.left[1].fits(item):
            part.left.popleft()
        return part.left[0] if part.left[0].fits(item) else None


def _due(turn: Turn, item: Item, now: datetime) -> datetime:
    due = now + timedelta(hours=turn.hours)
    if turn.days_before is None or item["start"] is None:
        return due
    return max(due, datetime.fromisoformat(item["start"]) - timedelta(days=turn.days_before))
