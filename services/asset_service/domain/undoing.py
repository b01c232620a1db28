"""How an older version of a visit is taken back: by counter-movements, the newest first."""

from collections.abc import Callable

from contracts.ids import DeviceId
from services.asset_service.domain.devices import Device
from services.asset_service.domain.ledger import Journal
from services.asset_service.domain.material import ReservationState, Storeroom, WorkOrder
from services.asset_service.domain.states import HELD, DeviceState
from services.asset_service.domain.visits import Visit


def undo(
    visit: Visit, order: WorkOrder, journal: Journal, room: Storeroom, device_of: Callable[[DeviceId], Device]
) -> list[Device]:
    """Reverse what stands of the visit. Returns the devices that moved on since and can't be taken back."""
    standing = visit.standing
    newest = {each.device_id: each.movement_id for each in standing}
    devices = {device_id: device_of(device_id) for device_id in newest}
    overtaken = [each for device_id, each in devices.items() if each.last_movement != newest[device_id]]
    for movement in reversed(standing):
        device = devices[movement.device_id]
        if device not in overtaken:
            journal.reverse(device, movement)
            device.undo(movement.movement_id)
            device.disputed = device.state is DeviceState.DISPUTED
    for device in devices.values():
        if device not in overtaken and device.state in HELD:
            _hold_again(device, order, room)
    for device_id in {finding.device_id for finding in visit.findings}:
        device = device_of(device_id)
        if device.claim is not None and device.claim.visit_id == visit.visit_id:
            device.claim, device.disputed = None, device.state is DeviceState.DISPUTED
    return overtaken


def _hold_again(device: Device, order: WorkOrder, room: Storeroom) -> None:
    """What the older version used or gave back is set aside again, until the newer one has spoken."""
    mine = next((each for each in order.reservations if each.device_id == device.device_id), None)
    if mine is None:
        room.let_go(device)
        return
    mine.state = ReservationState.PICKED if device.state is DeviceState.PICKED else ReservationState.RESERVED
    device.held_for = order.work_order_id
