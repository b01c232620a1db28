"""A partner accepts what it was told, and corrects data that it owns."""

from pydantic import JsonValue

from services.mdm_adapter.documents.values import Value


class CorrectedField(Value):
    """One value of the system of record."""

    field: str
    old: JsonValue = None
    """Absent where the sender did not say it."""
    new: JsonValue = None


class Corrected(Value):
    """Message 14, in. The document that it answers stays accepted."""

    order_no: str
    order_version: int | None = None
    """Present if the correction is a state of the order of its own."""
    changes: tuple[CorrectedField, ...]
