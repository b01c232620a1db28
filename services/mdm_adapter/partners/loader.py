"""How profiles are read from YAML files, checked, and found again by the partner's id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services.mdm_adapter.errors import BadMapping, BadProfile
from services.mdm_adapter.partners.codes import CodeMap, read_codes
from services.mdm_adapter.partners.mapping import read_map
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

    def __init__(
        self, profiles: Iterable[Profile], directory: Path | None = None, codes: Mapping[str, CodeMap] | None = None
    ) -> None:
        self._directory = directory
        self._profiles = {profile.id: profile for profile in profiles}
        self._codes = dict(codes or {})
        refuse_shared_names(list(self._profiles.values()))

    @classmethod
    def load(cls, directory: Path | None = None) -> "Partners":
        """The profiles that come with the service, and those of a directory of the operator, which win."""
        shipped, codes = _of_folder(resources.files(__package__).joinpath("profiles"))
        own, own_codes = _of_folder(directory)
        return cls([*shipped, *own], directory, codes | own_codes)

    def find(self, partner: str) -> Profile | None:
        """The profile of a partner, if there is one."""
        return self._profiles.get(partner)

    def called(self, name: str, on: date) -> Profile | None:
        """The partner of the market that had this code on that day."""
        held = (each for each in self.all() if each.contract == "market" and each.identity)
        return next((each for each in held if each.is_named(name, on)), None)

    def codes(self, partner: str) -> CodeMap:
        """What the codes of a partner mean."""
        return self._codes.get(partner, AGREED)

    def all(self) -> list[Profile]:
        """All profiles, by id."""
        return [self._profiles[partner] for partner in sorted(self._profiles)]

    def look_again(self) -> None:
        """Take over what stands in the operator's directory now. Raises BadProfile, and then changes nothing."""
        found, codes = _of_folder(self._directory)
        merged = self._profiles | {profile.id: profile for profile in found}
        refuse_shared_names(list(merged.values()))
        self._profiles, self._codes = merged, self._codes | codes


AGREED = CodeMap()
"""The codes of a partner without a map of its own."""


def _of_folder(folder: Traversable | None) -> tuple[list[Profile], dict[str, CodeMap]]:
    """The profiles of a folder, with the maps that they name. Raises BadProfile."""
    if folder is None or not folder.is_dir():
        return [], {}
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    read = (_read(file.name, file.read_text("utf-8")) for file in files if _is_profile(file.name))
    profiles = [_mapped(folder, profile) for profile in read]
    return profiles, {each.id: _codes(folder, each.code_map) for each in profiles if each.code_map}


def _is_profile(name: str) -> bool:
    """Mappings lie beside profiles: `<name>.map.yaml`."""
    return name.endswith(".yaml") and not name.endswith(".map.yaml")


def _mapped(folder: Traversable, profile: Profile) -> Profile:
    """The profile with what its mapping file says. Raises BadProfile."""
    name = profile.csv.mapping
    if not isinstance(name, str):
        return profile
    file = folder.joinpath(name)
    if not file.is_file():
        raise BadProfile(name, ["the file of columns is missing"])
    try:
        mapping = read_map(file.read_text("utf-8"))
    except BadMapping as error:
        raise BadProfile(name, error.errors) from None
    return profile.model_copy(update={"csv": profile.csv.model_copy(update={"mapping": mapping})})


def _codes(folder: Traversable, name: str) -> CodeMap:
    file = folder.joinpath(name)
    if not file.is_file():
        raise BadProfile(name, ["the file of codes is missing"])
    codes, wrong = read_codes(file.read_text("utf-8"))
    if codes is None:
        raise BadProfile(name, wrong)
    return codes


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
