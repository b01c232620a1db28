"""The only wiring of asset_service."""

import csv
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.codes import DeviceRole
from contracts.ids import LocationId
from kit.auth import Scope
from kit.clock import Clock
from kit.service import Service, open_store
from kit.store import Ref, Store, Unit
from services.asset_service import metrics, store, tables
from services.asset_service.api import routes
from services.asset_service.domain.device_types import DeviceType
from services.asset_service.domain.ledger import LEDGER, Ledger
from services.asset_service.domain.places import ALWAYS, Location
from services.asset_service.handlers import hear
from services.asset_service.settings import Settings

NAME = "asset_service"
GAUGE_SECONDS = 15.0
REPLAY_SECONDS = 3_600.0


def build(settings: Settings, clock: Clock | None = None, new_id: Callable[[], UUID] | None = None) -> Service:
    """Put the service together; nothing is opened or started yet."""
    kept = open_store(NAME, settings, store.REPOSITORIES, clock, new_id)
    return Service(
        NAME,
        settings,
        kept,
        hear(ZoneInfo(settings.asset_zone)),
        tables.metadata,
        routes(settings.asset_import_bytes),
        tells=("rollout.assets",),
        polls={"gauges": Gauges(kept)},
        seed=seed,
        seed_needs=wants_seed,
    )


def seeded_types() -> Iterator[DeviceType]:
    """The device types of the contracts' table; its market characteristics are the adapter's."""
    text = (files("contracts") / "device_types.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        yield DeviceType(
            code=row["code"],
            role=DeviceRole(row["role"]),
            phases=int(row["phases"]) if row["phases"] else None,
            connection=row["connection"] or None,
            serialised=row["serialised"] == "true",
            calibration_class=row["calibration_class"] or None,
            digits=int(row["digits"]) if row["digits"] else None,
            decimals=int(row["decimals"]) if row["decimals"] else None,
        )


def wants_seed(_: Unit) -> Iterator[Ref]:
    """Everything that the seed looks for."""
    yield Ledger, LEDGER
    yield from ((Location, place) for place, _kind in ALWAYS)
    yield from ((DeviceType, each.code) for each in seeded_types())


def seed(unit: Unit) -> None:
    """The ledger, the places that are always there, and the device types; what exists is left alone."""
    if unit.find(Ledger, LEDGER) is None:
        unit.add(Ledger())
    for place, kind in ALWAYS:
        if unit.find(Location, place) is None:
            unit.add(Location(location_id=LocationId(unit.new_id()), kind=kind, place=place, name=place))
    for each in seeded_types():
        if unit.find(DeviceType, each.code) is None:
            unit.add(each)


class Gauges:
    """Stock by state, and what work orders wait for, looked at from time to time."""

    def __init__(self, kept: Store) -> None:
        self.store, self.next_look, self.next_replay = kept, 0.0, 0.0

    async def __call__(self) -> bool:
        """Never finds work: it only looks."""
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + GAUGE_SECONDS
            everything = Scope.everything("counts name nobody")
            stock, missing = await self.store.read(lambda db: store.counts(db, everything))
            metrics.DEVICES.clear()
            for state, kind, number in stock:
                metrics.DEVICES.labels(state, kind).set(number)
            metrics.MISSING_LINES.clear()
            for device_type, number in missing:
                metrics.MISSING_LINES.labels(device_type).set(number)
        if time.monotonic() >= self.next_replay:
            self.next_replay = time.monotonic() + REPLAY_SECONDS
            everything = Scope.everything("the ledger is checked as a whole")
            differing = await self.store.read(lambda db: store.ledger_differences(db, everything))
            metrics.LEDGER_DIFFERENCES.set(len(differing))
        return False
