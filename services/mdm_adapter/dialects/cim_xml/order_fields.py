"""Which element of a ServiceOrder says which field, and how all of them are found in one walk over the tree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from contracts.codes import DeviceRole, OrderKind, Scheme
from services.mdm_adapter.dialects.cim_xml.xml import ORDERS, day
from services.mdm_adapter.dialects.identifiers import scheme_of
from services.mdm_adapter.documents.values import MeteringPoint

# fmt: off
TASKS: Mapping[OrderKind, tuple[str, str | None]] = MappingProxyType({
    OrderKind.EXCHANGE:    ("exchange",    None),
    OrderKind.INSTALL:     ("install",     None),
    OrderKind.REMOVE:      ("remove",      None),
    OrderKind.REPAIR:      ("investigate", "repair"),
    OrderKind.TECH_CHANGE: ("investigate", "tech_change"),
})
# what is read: the same backwards; whatever else is investigated is a repair
KINDS: Mapping[tuple[str, str | None], OrderKind] = MappingProxyType({
    **{task: kind for kind, task in TASKS.items()}, ("investigate", None): OrderKind.REPAIR,
})
# field: path below ServiceOrder
TEXTS: Mapping[str, str] = MappingProxyType({
    "customer.name":         "Work/Customers/name",
    "customer.email":        "Work/Customers/electronicAddress/email1",
    "customer.phone":        "Work/Customers/phone/ituPhone",
    "location.number":       "Work/WorkLocation/mainAddress/streetDetail/number",
    "location.street":       "Work/WorkLocation/mainAddress/streetDetail/name",
    "location.addition":     "Work/WorkLocation/mainAddress/streetDetail/suiteNumber",
    "location.municipality": "Work/WorkLocation/mainAddress/townDetail/code",
    "location.stage":        "Work/WorkLocation/mainAddress/townDetail/section",
    "location.city":         "Work/WorkLocation/mainAddress/townDetail/name",
    "location.country":      "Work/WorkLocation/mainAddress/townDetail/country",
    "location.postcode":     "Work/WorkLocation/mainAddress/postalCode",
    "priority":              "priority",
})
# field: kind of schedule, side of its interval
DAYS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "window_from": ("earliest", "start"),
    "window_to":   ("latest",   "end"),
    "fixed_on":    ("request",  "start"),
    "planned_on":  ("estimate", "start"),
})
# fmt: on
_OURS = f"{{{ORDERS}}}"
_ORDER = (*TEXTS, *DAYS)
_DAYS = {(kind, _OURS + side): name for name, (kind, side) in DAYS.items()}
DEVICE_ROLES = {role.value: role for role in DeviceRole}
SCHEMES = {scheme.value: scheme for scheme in Scheme}


@dataclass(slots=True)
class Said:
    """What was found in an order so far."""

    zone: ZoneInfo
    order_no: str = ""
    version: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)
    """Fields that the order empties."""
    schedule: str = ""
    """The kind of the schedule that is being read."""
    task: str = ""
    subject: str | None = None


def read_fields(order: etree._Element, zone: ZoneInfo) -> Said:
    """The fields that a ServiceOrder says, and those that it empties; its schema has passed it."""
    found, taker_of = Said(zone), _TAKERS.get
    values = found.values
    for element in order.iter():
        take = taker_of(element.tag)
        if isinstance(take, dict):  # the name alone does not say it
            above = element.getparent()
            take = take.get(above.tag) if above is not None else None
        if take is None:
            continue
        text = (element.text or "").strip()
        if not isinstance(take, tuple):
            take(found, text, element)
        elif not text:
            found.cleared.append(".".join(filter(None, take)))
        elif member := take[1]:
            values.setdefault(take[0], {})[member] = text
        else:
            values[take[0]] = text
    if kind := KINDS.get((found.task, found.subject)) or KINDS.get((found.task, None)):
        found.values["kind"] = kind
    if len(found.cleared) > 1:
        found.cleared.sort(key=_ORDER.index)
    return found


_Taker = Callable[[Said, str, "etree._Element"], None]  # noqa: SLF001 -- the library's name of the type


def _degrees(member: str) -> _Taker:
    def take(found: Said, text: str, _: etree._Element) -> None:
        found.values.setdefault("location", {})[member] = Decimal(text) if text else None

    return take


def _take_number(found: Said, text: str, _: etree._Element) -> None:
    found.order_no = text


def _take_version(found: Said, text: str, _: etree._Element) -> None:
    found.version = text


def _take_schedule(found: Said, text: str, _: etree._Element) -> None:
    found.schedule = text


def _leave_schedule(found: Said, _: str, __: etree._Element) -> None:
    """What begins and ends from here on are appointments."""
    found.schedule = ""


def _take_day(found: Said, text: str, side: etree._Element) -> None:
    if name := _DAYS.get((found.schedule, side.tag)):
        if said := day(text, found.zone):
            found.values[name] = said
        else:
            found.cleared.append(name)


def _take_task(found: Said, text: str, _: etree._Element) -> None:
    found.task = text


def _take_subject(found: Said, text: str, _: etree._Element) -> None:
    found.subject = text


def _take_old_device(found: Said, _: str, __: etree._Element) -> None:
    found.values.setdefault("old_devices", []).append({"role": DeviceRole.METER, "serial": ""})


def _take_serial(found: Said, text: str, _: etree._Element) -> None:
    found.values["old_devices"][-1]["serial"] = text


def _take_role(found: Said, text: str, _: etree._Element) -> None:
    found.values["old_devices"][-1]["role"] = DEVICE_ROLES.get(text.lower(), DeviceRole.METER)


def _take_point(found: Said, text: str, _: etree._Element) -> None:
    if text:
        found.values["metering_point"] = MeteringPoint(id=text, scheme=scheme_of(text))


def _take_scheme(found: Said, text: str, name: etree._Element) -> None:
    """The scheme of the point, if this is the first name of a point and not one of the order."""
    _, names, above, *_ = name.iterancestors()
    before, point, scheme = names.getprevious(), found.values.get("metering_point"), SCHEMES.get(text.lower())
    is_first = above.tag == f"{_OURS}UsagePoint" and before is not None and before.tag == f"{_OURS}mRID"
    if point and scheme and is_first:
        found.values["metering_point"] = point.model_copy(update={"scheme": scheme})


def _takers() -> dict[str, Any]:
    """By tag what takes an element; by the tag above where several elements have one name.

    A pair is a field and its member, which take the text as it is.
    """
    ends: dict[str, _Taker | tuple[str, str]] = {path: name.partition(".")[::2] for name, path in TEXTS.items()}
    ends |= {
        "ServiceOrder/mRID": _take_number,
        "revisionNumber": _take_version,
        "Position/xPosition": _degrees("lon"),
        "Position/yPosition": _degrees("lat"),
        "TimeSchedules/kind": _take_schedule,
        "scheduleInterval/start": _take_day,
        "scheduleInterval/end": _take_day,
        "Work/Appointments": _leave_schedule,
        "taskKind": _take_task,
        "subject": _take_subject,
        "WorkTask/OldAsset": _take_old_device,
        "OldAsset/serialNumber": _take_serial,
        "OldAsset/type": _take_role,
        "UsagePoint/mRID": _take_point,
        "NameType/name": _take_scheme,
    }
    takers: dict[str, Any] = {}
    for path, taker in ends.items():
        *_, above, name = ("ServiceOrder", *path.split("/"))
        takers.setdefault(_OURS + name, {})[_OURS + above] = taker
    return {tag: next(iter(by.values())) if tag.removeprefix(_OURS) in UNIQUE else by for tag, by in takers.items()}


UNIQUE = frozenset(
    (
        *(
            "revisionNumber",
            "priority",
            "email1",
            "ituPhone",
            "suiteNumber",
            "code",
            "section",
            "country",
            "postalCode",
        ),
        *(
            "number",
            "xPosition",
            "yPosition",
            "Appointments",
            "kind",
            "start",
            "end",
            "taskKind",
            "subject",
            "OldAsset",
        ),
    )
)
"""Names that only one element of the schema has, or whose others change nothing."""
_TAKERS = _takers()
