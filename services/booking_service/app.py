"""How booking_service is put together: the only wiring."""

from collections.abc import Callable
from uuid import UUID

from kit.clock import Clock
from kit.service import Service, open_store
from kit.store import Ref, Unit
from services.booking_service.api import router
from services.booking_service.domain.operators import DEFAULT, Operator
from services.booking_service.domain.technicians import SKILLS, Skill
from services.booking_service.handlers import handlers
from services.booking_service.settings import Settings
from services.booking_service.store import REPOSITORIES
from services.booking_service.tables import metadata

__all__ = ["Settings", "build"]


def build(settings: Settings, clock: Clock | None = None, new_id: Callable[[], UUID] | None = None) -> Service:
    """Put the service together; nothing is opened or started yet."""
    return Service(
        name="booking_service",
        settings=settings,
        store=open_store("booking_service", settings, REPOSITORIES, clock, new_id),
        handlers=handlers,
        metadata=metadata,
        router=router,
        tells=("rollout.bookings",),
        seed=_seed(settings),
        seed_needs=_seeded,
    )


def _seeded(_: Unit) -> list[Ref]:
    return [(Operator, DEFAULT), *((Skill, code) for code in SKILLS)]


def _seed(settings: Settings) -> Callable[[Unit], None]:
    def seed(unit: Unit) -> None:
        """The calendar of operators without a row of their own, and the usual skills; what is there stays."""
        if unit.find(Operator, DEFAULT) is None:
            unit.add(
                Operator(
                    operator=DEFAULT,
                    country=settings.booking_country,
                    subdivision=settings.booking_subdivision,
                    closures=settings.booking_closures,
                    zone=settings.timezone,
                    reply_mode=settings.reply_mode,
                    grid_minutes=settings.grid_minutes,
                )
            )
        for code, labels in SKILLS.items():
            if unit.find(Skill, code) is None:
                unit.add(Skill(code=code, labels=labels))

    return seed
