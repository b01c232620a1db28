"""How two persons settle where a disputed device really is."""

from contracts.assets import DeviceInstalled, DeviceRemoved
from contracts.ids import LocationId
from services.asset_service.domain.devices import Claim, Device, Settlement
from services.asset_service.domain.ledger import Journal
from services.asset_service.domain.places import Location
from services.asset_service.domain.states import REALITY, DeviceState, LocationKind, MovementKind
from services.asset_service.errors import FourEyes, NothingToSettle, WrongLocation

SETTLED = "settled"


def propose(device: Device, to: Location, reason: str, by: str) -> None:
    """The first person says where the device is; a later proposal replaces an earlier one."""
    _check(device, to)
    device.settlement = Settlement(is_at=to.location_id, reason=reason, by=by)


def agree(device: Device, to: Location, by: str, journal: Journal) -> None:
    """Another person agrees: the ledger follows, and what a visit had claimed in vain becomes a fact."""
    _check(device, to)
    proposal = device.settlement
    if proposal is None or proposal.agreed_by is not None or proposal.is_at != to.location_id:
        raise NothingToSettle(f"nobody proposed that {device.printed} is there")
    if proposal.by == by:
        raise FourEyes("the person who proposed a settlement cannot agree to it")
    device.settlement = proposal.model_copy(update={"agreed_by": by})
    movement = journal.follow(device, MovementKind.SETTLE, to, reason=SETTLED)
    claim, device.claim, device.disputed = device.claim, None, False
    here = device.in_place
    if here is not None and (to.kind is not LocationKind.SITE or here.location_id != to.location_id):
        visit = (claim.case_id, claim.visit_id) if claim is not None else (None, None)
        device.take(movement.movement_id, movement.at, *visit)
    if claim is not None:
        _grant(device, claim, to.location_id, movement.movement_id, journal)


def _check(device: Device, to: Location) -> None:
    if not device.disputed and device.state is not DeviceState.DISPUTED:
        raise NothingToSettle(f"{device.printed} is not disputed")
    if (MovementKind.SETTLE, to.kind) not in REALITY:
        raise WrongLocation(f"a {to.kind} is no place for a settled device")


def _grant(device: Device, claim: Claim, is_at: LocationId, movement_id: int, journal: Journal) -> None:
    """The visit was right: tell what it reported."""
    work = {"case_id": claim.case_id, "work_order_id": claim.work_order_id, "sequence": claim.sequence}
    visited = {
        "role": claim.role,
        "at": claim.at,
        "visit_id": claim.visit_id,
        "visit_version": claim.visit_version,
        "provisional": device.provisional,
    }
    if claim.installed and is_at == claim.location_id:
        device.put(movement_id, claim.at, claim.role, work)
        journal.told.append(DeviceInstalled(**device.named, **work, **visited))
    elif not claim.installed and device.state is DeviceState.REMOVED:
        journal.told.append(DeviceRemoved(**device.named, **work, **visited))
