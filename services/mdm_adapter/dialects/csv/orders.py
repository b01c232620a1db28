"""A row of orders: it orders, amends (by a higher version) or cancels; the README lists the columns."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from contracts.codes import DeviceRole, Scheme
from kit.csvs import CellRefused, Row
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.identifiers import content_findings, is_warning, order_findings, scheme_of
from services.mdm_adapter.dialects.items import Item
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.partners.profile import StrictIds

NAME = "csv"
REQUIRED = ("order_no", "version")
# fmt: off
FIELDS: Mapping[str, str] = MappingProxyType({
    "kind": "kind", "plan": "plan", "device_type": "device_type", "priority": "priority", "origin": "origin",
    "legal_basis": "legal_basis",
    "language": "language", "sms_allowed": "sms_allowed", "voltage": "voltage", "customer_class": "customer_class",
    "window_from": "window_from", "window_to": "window_to", "fixed_on": "fixed_on", "planned_on": "planned_on",
    "due_on": "due_on",
    "name": "customer.name", "phone": "customer.phone", "email": "customer.email",
    "street": "location.street", "number": "location.number", "addition": "location.addition",
    "postcode": "location.postcode", "city": "location.city", "country": "location.country",
    "municipality": "location.municipality", "stage": "location.stage",
})
# fmt: on
OTHER_COLUMNS = (
    *("action", "reason", "metering_point_id", "scheme", "old_serial", "old_role"),
    *("party_nb", "party_lf", "party_wmsb", "party_msb_old"),
)
COLUMNS = (*REQUIRED, *OTHER_COLUMNS, *FIELDS)
CANCEL, ORDER = "cancel", "order"


def order_no(cell: str) -> str:
    """The rule of the column: something must be said."""
    if not cell.strip():
        raise CellRefused("csv/order-no", "an order number is required")
    return cell.strip()


def version(cell: str) -> str:
    """The rule of the column: a number from 1."""
    found = cell.strip()
    if not (found.isascii() and found.isdigit() and 0 < int(found) < 10**9):
        raise CellRefused("csv/version", "a version is a number from 1")
    return found


def item_of(row: Row, partner: str, strict: StrictIds) -> Item:
    """One row as an order; number and version have passed their rules."""
    said = {name: value.strip() for name, value in row.values.items() if value.strip()}
    number, revision = said["order_no"], int(said["version"])
    if said.get("action", ORDER) == CANCEL:
        reason = said.get("reason")
        cancelled = WorkOrderCancelled(order_no=number, order_version=revision, reason=reason)
        return Item(number, cancelled, _lined(order_findings(partner, number), row), row=row.number)
    found, document = list[Finding](), None
    if said.get("action", ORDER) != ORDER:
        found.append(Finding("csv/action", "action", "order or cancel"))
    try:
        document = WorkOrderRequested.model_validate(_values(said) | {"order_no": number, "order_version": revision})
        found += content_findings(partner, document, strict)
    except ValidationError as error:
        found += [
            Finding("csv/value", _column(each["loc"]), "is missing, or not one of the values allowed")
            for each in error.errors(include_input=False, include_url=False)
        ]
    wrong = _lined((each for each in found if not is_warning(each)), row)
    return Item(number, document, wrong, [each for each in found if is_warning(each)], row.number)


def _lined(findings: Any, row: Row) -> list[Finding]:
    return [Finding(each.code, each.position, each.detail, row.line, each.rule) for each in findings]


def _column(place: tuple[int | str, ...]) -> str:
    path = ".".join(map(str, place))
    return next((column for column, field in FIELDS.items() if field == path), path)


def _values(said: Mapping[str, str]) -> dict[str, Any]:
    values = dict[str, Any]()
    for column, field in FIELDS.items():
        if column in said:
            name, _, member = field.partition(".")
            if member:
                values.setdefault(name, {})[member] = said[column]
            else:
                values[name] = said[column]
    if point := said.get("metering_point_id"):
        scheme = said.get("scheme", "").lower()
        values["metering_point"] = {
            "id": point,
            "scheme": Scheme(scheme) if scheme in set(Scheme) else scheme_of(point),
        }
    if serial := said.get("old_serial"):
        role = said.get("old_role", DeviceRole.METER)
        values["old_devices"] = ({"serial": serial.upper(), "role": role},)
    if parties := [
        {"role": name.removeprefix("party_"), "id": value} for name, value in said.items() if name.startswith("party_")
    ]:
        values["parties"] = tuple(parties)
    return values
