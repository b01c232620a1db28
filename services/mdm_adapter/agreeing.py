"""Profiles, code maps and device types are changed at the desk: judged before, in versions, by two where it matters."""

from collections.abc import Iterable
from datetime import date

from kit.store import Ref, Unit
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.agreements import DEVICE_TYPES, Agreement, codes_of, profile_of
from services.mdm_adapter.errors import BadProfile
from services.mdm_adapter.partners import device_types
from services.mdm_adapter.partners.checking import check_profile, clashes, gaps
from services.mdm_adapter.partners.codes import CodeRow, read_codes, write_codes
from services.mdm_adapter.partners.device_types import DeviceTypeRow
from services.mdm_adapter.partners.profile import Profile

IN_FORCE, PROPOSED = "in_force", "proposed"


def judged_profile(desk: Desk, partner: str, text: str, today: date) -> Profile:
    """The profile of a text that is to be put in force. Raises BadProfile with every line that is wrong."""
    profile, findings = check_profile(text)
    if profile is None:
        raise BadProfile(partner, [f"line {each.line}: {each.place}: {each.detail}" for each in findings])
    wrong = [f"line {each.line}: {each.place}: {each.detail}" for each in gaps(profile, text, today)]
    if profile.id != partner:
        wrong.append(f"id: the path says {partner}")
    if isinstance(profile.csv.mapping, str):
        wrong.append("csv.mapping: there is no file beside it here: say the columns themselves")
    shared = clashes(desk.partners.with_one(profile))
    wrong += [words for names in shared.values() for words in names]
    if wrong:
        raise BadProfile(partner, wrong)
    return profile


def takes_two(desk: Desk, profile: Profile) -> bool:
    """Who somebody is, and where messages go, is never changed by one person alone."""
    before = desk.partners.find(profile.id)
    return before is None or (before.identity, before.transports) != (profile.identity, profile.transports)


def judged_codes(partner: str, rows: Iterable[CodeRow]) -> str:
    """The text of a map that is to be put in force. Raises BadProfile with every line that is wrong."""
    text = write_codes(rows)
    codes, wrong = read_codes(text)
    if codes is None:
        raise BadProfile(codes_of(partner), wrong)
    return text


def judged_device_types(rows: tuple[DeviceTypeRow, ...]) -> str:
    """The text of the operator's own rows. Raises BadProfile with every row that is wrong."""
    if wrong := device_types.faults(rows):
        raise BadProfile(DEVICE_TYPES, wrong)
    return device_types.written(rows)


def needs_agreement(name: str) -> list[Ref]:
    """The text as it is kept."""
    return [(Agreement, name)]


def put(unit: Unit, name: str, text: str, reason: str, *, two_persons: bool) -> tuple[str, int]:
    """Change a text, or propose it; returns in_force or proposed, and the number of the version in force (0: none)."""
    agreement = unit.find(Agreement, name)
    if agreement is None:
        agreement = Agreement(name=name)
        unit.add(agreement)
    done = agreement.put(text, unit.principal.id, reason, unit.now, two_persons=two_persons)
    number = agreement.current.number if agreement.current else 0
    action = "setting:edit" if name.startswith(profile_of("")) else "code_map:edit"
    unit.audit(action, f"agreement/{name}", in_force=done, number=number, why=reason)
    return (IN_FORCE if done else PROPOSED), number
