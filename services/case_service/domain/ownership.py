"""Fields of a case that belong to the system of record: no person changes them, whatever the entrance (S0-01)."""

from typing import Annotated, Any

from pydantic.json_schema import SkipJsonSchema

from contracts.event import Part
from services.case_service.errors import MasterOwned

Foreign = Annotated[SkipJsonSchema[Any], "a field of the master"]


class Asked(Part):
    """What a person may send about a case. The master's fields are known here, so that their change is refused by name
    and not as an unknown member; a body that has a field of such a name for something else declares it itself."""

    metering_point_id: Foreign = None
    metering_point_scheme: Foreign = None
    operator: Foreign = None
    case_type: Foreign = None
    origin: Foreign = None
    legal_basis: Foreign = None
    area: Foreign = None
    stage: Foreign = None
    priority: Foreign = None
    window: Foreign = None
    fixed_on: Foreign = None
    planned_on: Foreign = None
    due_on: Foreign = None
    device_plan: Foreign = None
    permits: Foreign = None
    other_party_attends: Foreign = None
    registers: Foreign = None
    site: Foreign = None
    orders: Foreign = None
    order_no: Foreign = None
    name: Foreign = None
    address: Foreign = None


def refuse_foreign(asked: Asked) -> None:
    """Raises MasterOwned where the body names a field that only the master changes."""
    own = type(asked).__annotations__
    if named := sorted(asked.model_fields_set & Asked.model_fields.keys() - own.keys()):
        raise MasterOwned(f"Only the system of record changes {', '.join(named)}.", fields=named)
