"""Whether a report may stand: its result, its form, its devices (G15–G17)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from contracts.codes import DeviceRole, Outcome, Result
from contracts.parts import DevicePlan, InstalledDevice
from services.case_service import errors
from services.case_service.domain.entries import FormVersion
from services.case_service.domain.flow import SubReasons, sub_reasons_of
from services.case_service.domain.requests import Report
from services.case_service.domain.serials import plain
from services.case_service.domain.work_order import BuiltIn

WORK_DONE = frozenset({Result.OK, Result.COMMS_PENDING})
"""Results for which form and devices must be complete."""


def check_result(report: Report | None, kept: SubReasons | None = None) -> errors.Objection | None:
    """G15: one result, a sub-reason of the operator's list where the visit failed, words with `other` (S3-41)."""
    if report is None:
        return errors.ResultInvalid("A report is needed.", fields=["report"])
    if report.finished_at < report.arrived_at:
        return errors.ResultInvalid("The visit ended before it began.", fields=["finished_at"])
    known = sub_reasons_of(kept, report.result)
    if report.result.outcome is not Outcome.FAILED and report.sub_reason is not None:
        return errors.ResultInvalid(f"{report.result} has no sub-reason.", fields=["sub_reason"])
    if report.result.outcome is Outcome.FAILED and report.sub_reason not in known:
        return errors.ResultInvalid(f"{report.result} needs one of: {', '.join(sorted(known))}.", fields=["sub_reason"])
    if report.sub_reason == "other" and not (report.sub_reason_text or "").strip():
        return errors.ResultInvalid("`other` needs words.", fields=["sub_reason_text"])
    if report.result is Result.DOCS_INCOMPLETE and not report.missing:
        return errors.ResultInvalid("Name what is missing.", fields=["missing"])
    return None


def check_needs(report: Report | None, on_site: Iterable[BuiltIn]) -> errors.Objection | None:
    """What a result must name beside its sub-reason (§1.3): the silent gateway and why, or the role that was missing.

    A repair need not put in the gateway that an earlier visit did. The type of what was missing is the plan's.
    """
    if report is None:
        return None
    if report.result is Result.MATERIAL_MISSING and not set(report.missing) & set(DeviceRole):
        return errors.ResultInvalid("Name the roles whose device was missing.", fields=["missing"])
    if report.result is Result.COMMS_PENDING:
        new = [device for device in report.installed if device.role is DeviceRole.SMGW]
        if not new and all(device.role is not DeviceRole.SMGW for device in on_site):
            return errors.ResultInvalid("Name the gateway that does not communicate.", fields=["installed"])
        if new and all(device.comms_cause is None for device in new):
            return errors.ResultInvalid("Why does the gateway not communicate?", fields=["comms_cause"])
    return None


def check_form(report: Report | None, form: FormVersion | None) -> errors.Objection | None:
    """G16: mandatory answers are there and valid. A version that we do not know is qa_service's finding (Q02)."""
    if report is None or report.result not in WORK_DONE:
        return None
    if report.form_id is None:
        return errors.FormIncomplete("The report names no form.", fields=["form_key", "form_version"])
    fields = wrong_answers(form.answers, report.answers) if form else []
    return errors.FormIncomplete(f"Missing or wrong: {', '.join(fields)}.", fields=fields) if fields else None


def wrong_answers(schema: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """The fields whose answers are missing or do not fit the schema."""
    from jsonschema import Draft202012Validator  # slow to import; only reports need it

    found = set()
    for error in Draft202012Validator(dict(schema)).iter_errors(dict(answers)):
        if error.validator in {"required", "dependentRequired"} and isinstance(error.instance, Mapping):
            wanted = error.validator_value
            names = wanted if isinstance(wanted, list) else [name for group in wanted.values() for name in group]
            found |= {name for name in names if name not in error.instance}
        else:
            found.add("/".join(map(str, error.absolute_path)) or "/")
    return sorted(found)


def check_devices(report: Report | None, plan: DevicePlan) -> errors.Objection | None:
    """G17: every planned role has its serials, each serial once, types as planned; a stated deviation is never lost."""
    if report is None or report.result not in WORK_DONE:
        return None
    twice = [
        serial for serial, count in Counter(plain(device.serial) for device in report.installed).items() if count > 1
    ]
    if twice:
        return errors.SerialTwice(f"Serial {twice[0]} is reported twice.", serials=twice)
    roles = Counter(device.role for device in report.installed)
    missing = [str(item.role) for item in plan.install if roles[item.role] < item.quantity]
    if missing:
        return errors.RoleMissingInReport(f"No device for: {', '.join(missing)}.", roles=missing)
    for device in report.installed:
        if objection := _wrong_type(device, plan) or _too_many_digits(device):
            return objection
    return None


def _wrong_type(device: InstalledDevice, plan: DevicePlan) -> errors.Objection | None:
    items = [item for item in plan.install if item.role is device.role and item.device_type is not None]
    types = {kind for item in items for kind in (item.device_type, *item.alternatives)}
    if not types or device.device_type is None or device.device_type in types or device.deviation is not None:
        return None
    return errors.WrongDeviceType(f"Expected {items[0].device_type}.", expected=sorted(filter(None, types)))


def _too_many_digits(device: InstalledDevice) -> errors.Objection | None:
    """R8: a reading has no more digits than its register shows."""
    for register in device.registers:
        whole, _, fraction = format(abs(Decimal(register.reading)), "f").partition(".")
        too_long = register.digits is not None and len(whole.lstrip("0")) > register.digits
        too_fine = register.decimals is not None and len(fraction.rstrip("0")) > register.decimals
        if too_long or too_fine:
            return errors.ResultInvalid(f"The reading of {register.obis} has too many digits.", fields=[register.obis])
    return None
