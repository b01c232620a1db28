"""What is wrong with a profile, by line: its form, values that are secrets, names of others, gaps in its dialects."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml
from pydantic import ValidationError

from services.mdm_adapter.partners.profile import Profile

FILE_BYTES = 200_000
WRITTEN = frozenset({"cim_xml", "json_ce", "edifact_fv"})
"""Dialects that documents of ours can leave in."""
SECRET_NAMES = re.compile(r"secret|password|passwd|pwd|token|api_?key|private_?key|credential", re.IGNORECASE)
SECRET_VALUES = re.compile(
    r"hub_[a-z2-7]{12}_[a-z2-7]{52}_|whsec_|-----BEGIN|^(?:basic|bearer)\s|://[^/\s:@]+:[^/\s@]+@|^eyJ[\w-]+\.[\w-]+\.",
    re.IGNORECASE,
)
REFERENCE = "ref:"
Nodes = Mapping[Any, tuple[yaml.Node, yaml.Node]]


@dataclass(frozen=True, slots=True)
class ProfileFinding:
    """What is wrong with a profile, and in which line of its file."""

    line: int
    place: str
    detail: str


def check_profile(text: str) -> tuple[Profile | None, list[ProfileFinding]]:
    """Judge the text of one profile, without any effect: the profile, or everything that is wrong with it."""
    try:
        if len(text) > FILE_BYTES:
            return None, [ProfileFinding(1, "", f"a profile has at most {FILE_BYTES} characters")]
        if at := next((event for event in yaml.parse(text) if isinstance(event, yaml.AliasEvent)), None):
            return None, [
                ProfileFinding(
                    at.start_mark.line + 1 if at.start_mark else 1, "", "a profile names nothing by anchor and alias"
                )
            ]
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        wrong = [*_twice(node, ""), *_secrets(node, "")]
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return None, [ProfileFinding((mark.line if mark else 0) + 1, "", f"not YAML: {getattr(error, 'problem', '')}")]
    except (RecursionError, ValueError) as error:  # nested too deep, or a day that no calendar has
        return None, [ProfileFinding(1, "", f"not YAML that can be read: {type(error).__name__}")]
    try:
        profile = Profile.model_validate(values)
    except ValidationError as error:
        wrong += [
            ProfileFinding(line_of(node, found["loc"]), ".".join(map(str, found["loc"])), found["msg"])
            for found in error.errors(include_url=False, include_input=False)
        ]
        return None, sorted(wrong, key=lambda found: found.line)
    return (None, wrong) if wrong else (profile, [])


def gaps(profile: Profile, text: str, today: date) -> list[ProfileFinding]:
    """Days and directions in which nothing is agreed, though something is to be said."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line, found = line_of(node, ("dialects",)), list[ProfileFinding]()
    if not any(profile.speaks(each.dialect, today) for each in profile.dialects):
        first = min(each.valid_from for each in profile.dialects if each.valid_from)
        found.append(ProfileFinding(line, "dialects", f"until {first} no dialect is agreed"))
    written = [each for each in profile.dialects if each.dialect in WRITTEN]
    if not written:
        words = "nothing of ours can be written in these: add cim_xml, json_ce or edifact_fv"
        found.append(ProfileFinding(line, "dialects", words))
    elif profile.contract == "market" and not {each.dialect for each in written} & {"json_ce", "edifact_fv"}:
        words = "announcements of the market need json_ce or edifact_fv"
        found.append(ProfileFinding(line, "dialects", words))
    if profile.contract == "market" and not profile.identity:
        words = "a partner of the market is found by its code: name at least one identity"
        found.append(ProfileFinding(line_of(node, ("contract",)), "identity", words))
    return found


def clashes(profiles: Iterable[Profile]) -> dict[str, list[str]]:
    """Names that two partners share, as words, under the id of the later one."""
    holder, found = dict[tuple[str, str], str](), dict[str, list[str]]()
    for profile in profiles:
        for identity in profile.identity:
            first = holder.setdefault((identity.scheme, identity.value), profile.id)
            if first != profile.id:
                found.setdefault(profile.id, []).append(f"identity {identity.value} is that of {first}")
    return found


def _members(node: yaml.Node | None, place: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Every named value inside a node, with its place, its key and itself; a node that holds itself ends somewhere."""
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        pairs = [(str(number), value, value) for number, value in enumerate(node.value)]
    else:
        return
    for name, key, value in pairs:
        at = f"{place}.{name}" if place else name
        yield at, key, value
        yield from _members(value, at)


def _twice(node: yaml.Node | None, place: str) -> Iterator[ProfileFinding]:
    """YAML takes the last of two members of one name; which one was meant, nobody knows."""
    inside = [(place, node), *((at, value) for at, _, value in _members(node, place))]
    for at, each in inside:
        if not isinstance(each, yaml.MappingNode):
            continue
        seen = set[str]()
        for key, _ in each.value:
            if str(key.value) in seen:
                name = f"{at}.{key.value}" if at else str(key.value)
                yield ProfileFinding(key.start_mark.line + 1, name, "stands there twice")
            seen.add(str(key.value))


def _secrets(node: yaml.Node | None, place: str) -> Iterator[ProfileFinding]:
    """Profiles are read by many: what is secret stands elsewhere, here only its name (`ref:…`)."""
    for at, key, value in _members(node, place):
        if not isinstance(value, yaml.ScalarNode) or not value.value or str(value.value).startswith(REFERENCE):
            continue
        names = at.split(".")
        named = any(SECRET_NAMES.search(name) for name in names) and value.tag.endswith(":str")
        if named or SECRET_VALUES.search(str(value.value)):
            words = "a secret does not stand in a profile: keep it as a secret, and name it here as ref:…"
            yield ProfileFinding(key.start_mark.line + 1, at, words)


def line_of(node: yaml.Node | None, place: Iterable[Any]) -> int:
    """The line of the innermost node on the way to a place."""
    line = node.start_mark.line if node else 0
    for step in place:
        children: Nodes = {}
        if isinstance(node, yaml.MappingNode):
            children = {key.value: (key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
        elif isinstance(node, yaml.SequenceNode):
            children = {number: (value, value) for number, value in enumerate(node.value)}
        if step not in children:
            continue  # a tag of a union, or a key that is missing
        at, node = children[step]
        line = at.start_mark.line
    return line + 1


def line_at(text: str, place: Iterable[Any]) -> int:
    """The same, for the text of a profile that was found to be YAML."""
    return line_of(yaml.compose(text, Loader=yaml.SafeLoader), place)


def line_of_identity(text: str, words: str) -> int:
    """The line of the identity that a clash speaks of."""
    values = yaml.safe_load(text).get("identity") or ()
    at = next((number for number, each in enumerate(values) if f"identity {each.get('value')} " in words), None)
    return line_at(text, ("identity",) if at is None else ("identity", at))
