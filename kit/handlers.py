"""What a service hears: a typed table from event, timer and outcome to plain function."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from contracts.event import Event
from kit.aggregate import Aggregate, Ref
from kit.errors import Invalid
from kit.inbox import Heard, Received, received
from kit.outbox import Cause
from kit.store import Step
from kit.unit import Unit

__all__ = ["Handler", "Handlers", "Needs", "Received", "Sent", "Timer", "Undecodable"]

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Timer:
    """Work that fell due."""

    kind: str
    key: str
    due_at: datetime
    payload: Mapping[str, Any]
    correlation_id: str = ""

    @property
    def cause(self) -> Cause:
        own = f"timer:{self.kind}/{self.key}"
        return Cause(self.correlation_id or own, own)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one try to let the outside see something.

    `state`: done · failed (for good) · ready (a passing failure, tried again) · unknown (the answer was lost).
    """

    kind: str
    key: str
    payload: Mapping[str, Any]
    state: str
    reference: str | None
    cause: str | None
    answer: Mapping[str, Any]
    attempts: int


Handler = Callable[[Received[E], Unit], None]
Needs = Callable[[E, Unit], Iterable[Ref]]
TimerHandler = Callable[[Timer, Unit], None]
FailureHandler = Callable[[Timer, str, Unit], None]
SentHandler = Callable[[Sent, Unit], None]
Forgetter = Callable[[str, Unit], None]
T = TypeVar("T")


class Undecodable(Invalid):
    """A value does not fit its type: its key is parked, for order matters."""

    code = "undecodable"


class Handlers:
    """One synchronous function per event type: all it needs is loaded, and what can't await can't do I/O."""

    def __init__(self, main: type[Aggregate]) -> None:
        self.main = main
        self.events: dict[str, type[Event]] = {}
        self._steps: dict[str, Callable[[Heard], Step[None]]] = {}
        self._forgets: dict[str, Callable[[Heard], Step[None]]] = {}
        self._due: dict[str, Callable[[Timer], Step[None]]] = {}
        self._failed: dict[str, Callable[[Timer, str], Step[None]]] = {}
        self._sent: dict[str, Callable[[Sent, Cause], Step[None]]] = {}

    def on(self, event: type[E], *, needs: Needs[E] | None = None) -> Callable[[Handler[E]], Handler[E]]:
        """Register the handler of `event`; without `needs` it gets the main aggregate under the event's key."""

        def register(handle: Handler[E]) -> Handler[E]:
            def step(heard: Heard) -> Step[None]:
                fact = _decode(event, heard)
                wanted = partial(needs, fact) if needs else self._main(heard.key)
                return Step(wanted, partial(handle, received(heard, fact)), heard.cause)

            self._once(self._steps, event.ce_type, step)
            self.events[event.ce_type] = event
            return handle

        return register

    def forgotten(
        self, event: type[Event], *, needs: Callable[[str, Unit], Iterable[Ref]] | None = None
    ) -> Callable[[Forgetter], Forgetter]:
        """Register what a tombstone of a compacted topic does."""

        def register(forget: Forgetter) -> Forgetter:
            def step(heard: Heard) -> Step[None]:
                wanted = partial(needs, heard.key) if needs else self._main(heard.key)
                return Step(wanted, partial(forget, heard.key), heard.cause)

            self._once(self._forgets, event.ce_type, step)
            self.events[event.ce_type] = event
            return forget

        return register

    def due(
        self, kind: str, *, needs: Callable[[Timer, Unit], Iterable[Ref]] | None = None
    ) -> Callable[[TimerHandler], TimerHandler]:
        """Register what a timer of this kind does; by default its key names the main aggregate."""

        def register(handle: TimerHandler) -> TimerHandler:
            def step(timer: Timer) -> Step[None]:
                wanted = partial(needs, timer) if needs else self._main(timer.key)
                return Step(wanted, partial(handle, timer), timer.cause)

            self._once(self._due, kind, step)
            return handle

        return register

    def failed(
        self, kind: str, *, needs: Callable[[Timer, Unit], Iterable[Ref]]
    ) -> Callable[[FailureHandler], FailureHandler]:
        """Register what is done, instead of parking it, about a timer that could not be; it is told what was wrong."""

        def register(handle: FailureHandler) -> FailureHandler:
            def step(timer: Timer, why: str) -> Step[None]:
                return Step(partial(needs, timer), partial(handle, timer, why), timer.cause)

            self._once(self._failed, kind, step)
            return handle

        return register

    def sent(
        self, kind: str, *, needs: Callable[[Sent, Unit], Iterable[Ref]] | None = None
    ) -> Callable[[SentHandler], SentHandler]:
        """Register what the outcome of each try of an effect of this kind does."""

        def register(handle: SentHandler) -> SentHandler:
            def step(outcome: Sent, cause: Cause) -> Step[None]:
                wanted = partial(needs, outcome) if needs else self._main(outcome.key)
                return Step(wanted, partial(handle, outcome), cause)

            self._once(self._sent, kind, step)
            return handle

        return register

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that must be read."""
        return tuple(sorted({event.topic for event in self.events.values()}))

    def handles(self, heard: Heard) -> bool:
        """Whether the record's type is handled here; of a tombstone, whether somebody forgets."""
        return heard.type in (self._forgets if heard.record.value is None else self._steps)

    def step(self, heard: Heard) -> Step[None]:
        """Decode the value and bind it to its handler; raises Undecodable."""
        return (self._forgets if heard.record.value is None else self._steps)[heard.type](heard)

    def timer(self, timer: Timer) -> Step[None]:
        return self._due[timer.kind](timer)

    def timer_failed(self, timer: Timer, why: str) -> Step[None] | None:
        """The step for a timer that could not be done; None where it is parked."""
        made = self._failed.get(timer.kind)
        return made(timer, why) if made else None

    def outcome(self, outcome: Sent, cause: Cause) -> Step[None] | None:
        """The step for an outcome; None where nobody wants to know."""
        made = self._sent.get(outcome.kind)
        return made(outcome, cause) if made else None

    @property
    def timer_kinds(self) -> tuple[str, ...]:
        return tuple(self._due)

    def _main(self, key: str) -> Callable[[Unit], Iterable[Ref]]:
        return lambda _: [(self.main, key)]

    @staticmethod
    def _once(table: dict[str, T], name: str, step: T) -> None:
        if table.setdefault(name, step) is not step:
            raise TypeError(f"{name} has two handlers")


def _decode(event: type[E], heard: Heard) -> E:
    try:
        return event.from_json(heard.record.value or b"")
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        places = ["/".join(map(str, each["loc"])) or "/" for each in found]
        raise Undecodable(f"{heard.type}: {', '.join(places)}") from None
