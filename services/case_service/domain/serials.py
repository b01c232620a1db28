"""Serial numbers as they are compared: what people type and what a ledger holds may differ in dashes and case."""

from contracts.ids import Ref, comparable_serial


def plain(serial: Ref) -> str:
    """The form in which serials are compared (D-DEV-3)."""
    found = comparable_serial(serial)
    return found.form if found else serial
