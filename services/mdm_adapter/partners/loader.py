"""How profiles are read from YAML files, checked, and found again by the partner's id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services.mdm_adapter.errors import BadProfile
from services.mdm_adapter.partners.profile import Profile


@dataclass(frozen=True, slots=True)
class ProfileFinding:
    """What is wrong with a profile, and in which line of its file."""

    line: int
    place: str
    detail: str


def check_profile(text: str) -> tuple[Profile | None, list[ProfileFinding]]:
    """Judge the text of one profile file, without any effect: the profile, or everything that is wrong with it."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return None, [ProfileFinding((mark.line if mark else 0) + 1, "", f"not YAML: {getattr(error, 'problem', '')}")]
    try:
        return Profile.model_validate(values), []
    except ValidationError as error:
        return None, [
            ProfileFinding(_line(node, found["loc"]), ".".join(map(str, found["loc"])), found["msg"])
            for found in error.errors(include_url=False, include_input=False)
        ]


def _line(node: yaml.Node | None, place: Iterable[Any]) -> int:
    """The line of the innermost node on the way to a place."""
    line = node.start_mark.line if node else 0
    for step in place:
        children: Mapping[Any, tuple[yaml.Node, yaml.Node]] = {}
        if isinstance(node, yaml.MappingNode):
            children = {key.value: (key, value) for key, value in node.value}
        elif isinstance(node, yaml.SequenceNode):
            children = {number: (value, value) for number, value in enumerate(node.value)}
        if step not in children:
            continue  # a tag of a union, or a key that is missing
        at, node = children[step]
        line = at.start_mark.line
    return line + 1


class Partners:
    """All profiles that are in force. A profile that appears later is found when somebody looks again."""

    def __init__(self, profiles: Iterable[Profile], directory: Path | None = None) -> None:
        self._directory = directory
        self._profiles = {profile.id: profile for profile in profiles}
        refuse_shared_names(list(self._profiles.values()))

    @classmethod
    def load(cls, directory: Path | None = None) -> "Partners":
        """The profiles that come with the service, and those of a directory of the operator, which win."""
        shipped = resources.files(__package__).joinpath("profiles").iterdir()
        ours = [_read(file.name, file.read_text("utf-8")) for file in shipped if file.name.endswith(".yaml")]
        return cls([*ours, *_of_directory(directory)], directory)

    def find(self, partner: str) -> Profile | None:
        """The profile of a partner, if there is one."""
        return self._profiles.get(partner)

    def all(self) -> list[Profile]:
        """All profiles, by id."""
        return [self._profiles[partner] for partner in sorted(self._profiles)]

    def look_again(self) -> None:
        """Take over what stands in the operator's directory now. Raises BadProfile, and then changes nothing."""
        profiles = {profile.id: profile for profile in _of_directory(self._directory)}
        merged = self._profiles | profiles
        refuse_shared_names(list(merged.values()))
        self._profiles = merged


def _of_directory(directory: Path | None) -> list[Profile]:
    if directory is None or not directory.is_dir():
        return []
    return [_read(path.name, path.read_text("utf-8")) for path in sorted(directory.glob("*.yaml"))]


def _read(name: str, text: str) -> Profile:
    profile, findings = check_profile(text)
    if profile is None:
        raise BadProfile(name, [f"line {found.line}: {found.place}: {found.detail}" for found in findings])
    return profile


def refuse_shared_names(profiles: Sequence[Profile]) -> None:
    """Two partners must not be called the same, or a message could be either's. Raises BadProfile."""
    holder: dict[tuple[str, str], str] = {}
    for profile in profiles:
        for identity in profile.identity:
            first = holder.setdefault((identity.scheme, identity.value), profile.id)
            if first != profile.id:
                raise BadProfile(profile.id, [f"identity {identity.value} is that of {first}"])
