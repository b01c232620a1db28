"""What asset_service refuses, and why; the codes are those of the catalogue of events, section 4."""

from collections.abc import Sequence

from kit.errors import Forbidden, Invalid, NotFound, Refused


class BadSerial(Invalid):
    """The text is no device label; names the first rule that it breaks."""

    code = "bad-serial"


class UnknownDevice(NotFound):
    """No device has this id or serial; a return or a pick never creates one (D-DEV-6)."""

    code = "unknown-device"

    def __init__(self, *serials: str) -> None:
        super().__init__(f"no device is known as {', '.join(serials)}")
        self.serials = serials


class ImpossibleMovement(Refused):
    """The device's state or the target does not allow this movement. Names every objection."""

    code = "not-in-stock"

    def __init__(self, kind: str, serial: str, objections: Sequence[str]) -> None:
        super().__init__(f"{kind} of {serial} is not possible: {'; '.join(objections)}")
        self.serial, self.objections = serial, tuple(objections)


class NotPicked(Refused):
    """The device is in nobody's hands, so it cannot come back."""

    code = "not-picked"

    def __init__(self, serial: str, state: str) -> None:
        super().__init__(f"{serial} is {state}; only what lies in a van can be returned")
        self.serial, self.state = serial, state


class NotInStock(Refused):
    """The device cannot be picked: it is not in stock, or set aside for another work order."""

    code = "not-in-stock"

    def __init__(self, serial: str, why: str) -> None:
        super().__init__(f"{serial} cannot be picked: {why}")
        self.serial = serial


class WrongLocation(Refused):
    """The place named does not fit the movement."""

    code = "wrong-location"


class WrongDeviceType(Refused):
    """The work order needs another type. Names both."""

    code = "wrong-device-type"

    def __init__(self, serial: str, found: str, expected: Sequence[str]) -> None:
        wanted = ", ".join(expected) or "nothing more"
        super().__init__(f"{serial} is of type {found}; this work order needs {wanted}")
        self.serial, self.found, self.expected = serial, found, tuple(expected)


class NotInstalled(Refused):
    """No work order of the hub installed this device where it is, so it cannot be commissioned."""

    code = "wrong-location"

    def __init__(self, serial: str) -> None:
        super().__init__(f"{serial} was not installed by a work order")
        self.serial = serial


class NothingToSettle(Refused):
    """The device is not disputed."""

    code = "not-disputed"


class FourEyes(Forbidden):
    """A second person has to agree, and it must be another one."""

    code = "four-eyes"
