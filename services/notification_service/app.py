"""The only wiring of notification_service."""

import time
from collections.abc import Callable
from uuid import UUID

import httpx

from kit.auth import Scope
from kit.blobs import Folder
from kit.clock import Clock
from kit.service import Service, open_store
from kit.store import Store
from kit.webhooks import Seven, Standard
from services.notification_service import api, metrics, printing, sending, store, tables
from services.notification_service.channels.print_shop import (
    Claim,
    LetterPort,
    PrintRunPort,
    PullPort,
    Run,
    ShredPort,
)
from services.notification_service.channels.print_shop import Release as ReleaseLetter
from services.notification_service.channels.sms import Message, Release, SmsPort
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.letters import Batch, LetterState, Paper
from services.notification_service.domain.notices import NoticeState
from services.notification_service.domain.operators import Operators
from services.notification_service.domain.templates import Templates
from services.notification_service.handlers import hear
from services.notification_service.settings import Settings
from services.notification_service.texts import TEXTS
from services.notification_service.texts.letters import LETTERS

NAME = "notification_service"
GAUGE_SECONDS = 15.0


def build(
    settings: Settings,
    clock: Clock | None = None,
    new_id: Callable[[], UUID] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Service:
    """Put the service together; nothing is opened or started yet. `transport` takes the vendor's place in tests."""
    desk = Desk(
        operators=Operators(settings.operators),
        templates=Templates(TEXTS),
        letters=Templates(LETTERS, letters=True),
        code_keys=settings.code_keys(),
        pepper=settings.pepper(),
    )
    kept = open_store(NAME, settings, store.REPOSITORIES, clock, new_id)
    key = settings.sms_api_key.get_secret_value()
    archive, folder = Folder(settings.letters_path), settings.print_path
    return Service(
        NAME,
        settings,
        kept,
        hear(desk),
        tables.metadata,
        api.router(
            desk, settings.sms_callback_url, Seven(settings.signing_keys), Standard(settings.receipt_secrets), archive
        ),
        tells=("rollout.notices", "rollout.messages"),
        ports={
            sending.EFFECT: SmsPort(settings.sms_url, key, releasing(kept, desk), transport),
            sending.LETTER: LetterPort(releasing_letters(kept, desk), archive),
            printing.RUN: PrintRunPort(claiming(kept), archive, folder),
            printing.PULL: PullPort(folder),
            printing.SHRED: ShredPort(archive, folder),
        },
        polls={"gauges": Gauges(kept)},
    )


def releasing(kept: Store, desk: Desk) -> Release:
    """How the port gets a text: in a transaction of its own, right before it is sent."""

    async def release(case_id: UUID, notice_id: UUID, reference: str) -> Message | None:
        return await kept.run(
            kept.actor,
            lambda unit: sending.release(unit, desk, case_id, notice_id, reference),
            needs=lambda unit: sending.needs_of(unit, str(case_id), str(notice_id)),
        )

    return release


def releasing_letters(kept: Store, desk: Desk) -> ReleaseLetter:
    """How the port gets what a letter says: in a transaction of its own, right before it is written."""

    async def release(case_id: UUID, notice_id: UUID, reference: str) -> Paper | None:
        return await kept.run(
            kept.actor,
            lambda unit: printing.release(unit, desk, case_id, notice_id, reference),
            needs=lambda unit: sending.needs_of(unit, str(case_id), str(notice_id)),
        )

    return release


def claiming(kept: Store) -> Claim:
    """How a print run gets its letters: those that it had taken, or else those that wait."""

    async def claim(reference: str, operator: str) -> Run:
        batch_id = printing.batch_id_of(reference)
        taken = await kept.read(lambda db: store.in_batch(db, batch_id))
        waiting = await kept.read(lambda db: store.to_print(db, operator, printing.MOST_LETTERS + 1))
        found = taken or waiting[: printing.MOST_LETTERS]
        more = len(waiting) > (0 if taken else printing.MOST_LETTERS)
        return await kept.run(
            kept.actor,
            lambda unit: printing.claim(unit, batch_id, operator, found, more=more),
            needs=[(Batch, str(batch_id)), *((Correspondence, str(case_id)) for _, case_id in found)],
        )

    return claim


class Gauges:
    """What is held, unknown or waiting for a person, looked at from time to time."""

    def __init__(self, kept: Store) -> None:
        self.store, self.next_look = kept, 0.0

    async def __call__(self) -> bool:
        """Never finds work: it only looks."""
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + GAUGE_SECONDS
            everything = Scope.everything("counts name nobody")
            by_state = await self.store.read(lambda db: store.counts(db, everything))
            oldest = await self.store.read(lambda db: store.queue_since(db, everything))
            now = self.store.clock.now()
            metrics.UNKNOWN.set(sum(n for (state, _), n in by_state.items() if state == NoticeState.UNKNOWN))
            for gate in ("quiet_hours", "budget"):
                metrics.HELD.labels(gate).set(by_state.get((NoticeState.HELD.value, gate), 0))
            metrics.QUEUE_OLDEST.set((now - oldest).total_seconds() if oldest else 0)
            letters = await self.store.read(store.letter_counts)
            for letter_state in LetterState:
                metrics.LETTERS.labels(letter_state).set(letters.get(letter_state, 0))
            handed_over = await self.store.read(store.handed_over_since)
            metrics.RECEIPT_AGE.set((now - handed_over).total_seconds() if handed_over else 0)
        return False
