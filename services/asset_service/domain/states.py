"""The states of a device, where it may be in each, and the movements of the ledger, as tables."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class DeviceState(StrEnum):
    """What may be done with a device next; together with its place a replay of its movements."""

    ORDERED = "ORDERED"
    RECEIVED = "RECEIVED"
    IN_STOCK = "IN_STOCK"
    RESERVED = "RESERVED"
    PICKED = "PICKED"
    IN_TRANSIT = "IN_TRANSIT"
    REJECTED_IN = "REJECTED_IN"
    INSTALLED = "INSTALLED"
    COMMISSIONED = "COMMISSIONED"
    REMOVED = "REMOVED"
    RETURNED = "RETURNED"
    LAB = "LAB"
    DEFECT = "DEFECT"
    MISSING = "MISSING"
    SCRAPPED = "SCRAPPED"
    DISPUTED = "DISPUTED"


class LocationKind(StrEnum):
    """What a location is; the last five are virtual, they keep the ledger's two sides equal."""

    CENTRAL = "central"
    SMALL_STORE = "small_store"
    VAN = "van"
    LAB = "lab"
    SITE = "site"
    TRANSIT = "transit"
    SUPPLIER = "supplier"
    FIELD_BEFORE = "field_before"
    SCRAP = "scrap"
    LOST = "lost"


class MovementKind(StrEnum):
    """Why a line stands in the ledger."""

    RECEIVE = "receive"
    PUT_AWAY = "put_away"
    RESERVE = "reserve"
    RELEASE = "release"
    PICK = "pick"
    UNPICK = "unpick"
    RETURN = "return"
    TAKE_IN = "take_in"
    """The device was on site before the hub knew the place (M7)."""
    INSTALL = "install"
    COMMISSION = "commission"
    REMOVE = "remove"
    CORRECT = "correct"
    """Reality was reported, and the ledger follows it (M1, M2, M11)."""
    DISPUTE = "dispute"
    SETTLE = "settle"
    REVERSE = "reverse"
    """The mirror of an earlier movement."""


_S, _L, _K = DeviceState, LocationKind, MovementKind

STORES = frozenset({_L.CENTRAL, _L.SMALL_STORE})
IN_PLACE = frozenset({_S.INSTALLED, _S.COMMISSIONED})
HELD = frozenset({_S.RESERVED, _S.PICKED})
GONE = frozenset({_S.SCRAPPED, _S.MISSING, _S.LAB})
"""Where nobody expects a device to come back from; a visit that reports one is rule M11."""

# fmt: off
PLACES: Mapping[DeviceState, frozenset[LocationKind]] = MappingProxyType({
    _S.ORDERED:      frozenset({_L.SUPPLIER}),
    _S.RECEIVED:     STORES,
    _S.IN_STOCK:     STORES | {_L.VAN},
    _S.RESERVED:     STORES | {_L.VAN},
    _S.PICKED:       frozenset({_L.VAN}),
    _S.IN_TRANSIT:   frozenset({_L.TRANSIT}),
    _S.REJECTED_IN:  STORES,
    _S.INSTALLED:    frozenset({_L.SITE, _L.FIELD_BEFORE}),
    _S.COMMISSIONED: frozenset({_L.SITE}),
    _S.REMOVED:      frozenset({_L.VAN}),
    _S.RETURNED:     STORES,
    _S.LAB:          frozenset({_L.LAB}),
    _S.DEFECT:       STORES | {_L.VAN, _L.SUPPLIER},
    _S.MISSING:      frozenset({_L.LOST}),
    _S.SCRAPPED:     frozenset({_L.SCRAP}),
    _S.DISPUTED:     frozenset(_L),
})

NEXT: Mapping[DeviceState, frozenset[DeviceState]] = MappingProxyType({
    _S.ORDERED:      frozenset({_S.RECEIVED}),
    _S.RECEIVED:     frozenset({_S.IN_STOCK, _S.DEFECT, _S.REJECTED_IN}),
    _S.IN_STOCK:     frozenset({_S.RESERVED, _S.PICKED, _S.IN_TRANSIT, _S.LAB, _S.DEFECT, _S.SCRAPPED, _S.MISSING}),
    _S.RESERVED:     frozenset({_S.PICKED, _S.IN_STOCK}),
    _S.PICKED:       frozenset({_S.INSTALLED, _S.IN_STOCK, _S.IN_TRANSIT, _S.DEFECT, _S.MISSING}),
    _S.IN_TRANSIT:   frozenset({_S.IN_STOCK, _S.REJECTED_IN, _S.MISSING}),
    _S.REJECTED_IN:  frozenset({_S.IN_STOCK, _S.DEFECT, _S.SCRAPPED}),
    _S.INSTALLED:    frozenset({_S.COMMISSIONED, _S.REMOVED}),
    _S.COMMISSIONED: frozenset({_S.REMOVED}),
    _S.REMOVED:      frozenset({_S.RETURNED, _S.MISSING, _S.INSTALLED}),  # INSTALLED: orders of kind reversal only
    _S.RETURNED:     frozenset({_S.IN_STOCK, _S.LAB, _S.SCRAPPED}),
    _S.LAB:          frozenset({_S.IN_STOCK, _S.SCRAPPED}),
    _S.DEFECT:       frozenset({_S.RETURNED, _S.LAB, _S.SCRAPPED}),
    _S.MISSING:      frozenset({_S.IN_STOCK}),
    _S.SCRAPPED:     frozenset(),
    _S.DISPUTED:     frozenset({_S.INSTALLED, _S.REMOVED, _S.IN_STOCK}),
})
"""The state after a state. Only corrections, disputes and reversals, which follow reality, go past it."""

STEPS: Mapping[tuple[MovementKind, DeviceState], DeviceState] = MappingProxyType({
    (_K.RECEIVE,    _S.ORDERED):      _S.RECEIVED,
    (_K.PUT_AWAY,   _S.RECEIVED):     _S.IN_STOCK,
    (_K.RESERVE,    _S.IN_STOCK):     _S.RESERVED,
    (_K.RELEASE,    _S.RESERVED):     _S.IN_STOCK,
    (_K.PICK,       _S.RESERVED):     _S.PICKED,
    (_K.PICK,       _S.IN_STOCK):     _S.PICKED,
    (_K.UNPICK,     _S.PICKED):       _S.IN_STOCK,
    (_K.RETURN,     _S.REMOVED):      _S.RETURNED,
    (_K.RETURN,     _S.DEFECT):       _S.RETURNED,
    (_K.RETURN,     _S.IN_STOCK):     _S.IN_STOCK,    # spare stock of a van
    (_K.TAKE_IN,    _S.INSTALLED):    _S.INSTALLED,   # from field_before to its site
    (_K.INSTALL,    _S.PICKED):       _S.INSTALLED,
    (_K.INSTALL,    _S.REMOVED):      _S.INSTALLED,
    (_K.COMMISSION, _S.INSTALLED):    _S.COMMISSIONED,
    (_K.REMOVE,     _S.INSTALLED):    _S.REMOVED,
    (_K.REMOVE,     _S.COMMISSIONED): _S.REMOVED,
})
"""The state that a movement leads to; what is not here is refused."""

TARGETS: Mapping[MovementKind, frozenset[LocationKind]] = MappingProxyType({
    _K.RECEIVE:    STORES,
    _K.PUT_AWAY:   STORES,
    _K.RESERVE:    STORES | {_L.VAN},
    _K.RELEASE:    STORES | {_L.VAN},
    _K.PICK:       frozenset({_L.VAN}),
    _K.UNPICK:     STORES | {_L.VAN},
    _K.RETURN:     STORES,
    _K.TAKE_IN:    frozenset({_L.SITE}),
    _K.INSTALL:    frozenset({_L.SITE}),
    _K.COMMISSION: frozenset({_L.SITE}),
    _K.REMOVE:     frozenset({_L.VAN}),
})
"""Where an ordinary movement may end."""

REALITY: Mapping[tuple[MovementKind, LocationKind], DeviceState] = MappingProxyType({
    (_K.CORRECT, _L.VAN):         _S.PICKED,
    (_K.CORRECT, _L.SITE):        _S.INSTALLED,
    (_K.SETTLE,  _L.SITE):        _S.INSTALLED,
    (_K.SETTLE,  _L.VAN):         _S.REMOVED,
    (_K.SETTLE,  _L.CENTRAL):     _S.IN_STOCK,
    (_K.SETTLE,  _L.SMALL_STORE): _S.IN_STOCK,
})
"""What a device is where it was really found, whatever the ledger believed."""
# fmt: on
