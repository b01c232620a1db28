"""How profiles are read from YAML files and from what the desk edited, and found again by the partner's id."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from services.mdm_adapter.errors import BadMapping, BadProfile
from services.mdm_adapter.partners.checking import ProfileFinding, check_profile, clashes
from services.mdm_adapter.partners.codes import CodeMap, read_codes
from services.mdm_adapter.partners.mapping import read_map
from services.mdm_adapter.partners.profile import Profile

__all__ = ["AGREED", "Partners", "ProfileFinding", "check_profile", "refuse_shared_names"]


class Partners:
    """All profiles that are in force. A profile that appears later is found when somebody looks again.

    What was edited at the desk wins over the operator's files, and those over what comes with the hub.
    """

    def __init__(
        self, profiles: Iterable[Profile], directory: Path | None = None, codes: Mapping[str, CodeMap] | None = None
    ) -> None:
        self._directory = directory
        self._files = {profile.id: profile for profile in profiles}
        self._file_codes = dict(codes or {})
        self._edited: Mapping[str, Profile] = {}
        self._edited_codes: Mapping[str, CodeMap] = {}
        self._profiles = dict(self._files)
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
        return self._edited_codes.get(partner) or self._file_codes.get(partner, AGREED)

    def all(self) -> list[Profile]:
        """All profiles, by id."""
        return [self._profiles[partner] for partner in sorted(self._profiles)]

    def look_again(self) -> None:
        """Take over what stands in the operator's directory now. Raises BadProfile, and then changes nothing."""
        found, codes = _of_folder(self._directory)
        files = self._files | {profile.id: profile for profile in found}
        self._take(files, self._file_codes | codes, self._edited, self._edited_codes)

    def take_edited(self, profiles: Mapping[str, Profile], codes: Mapping[str, CodeMap]) -> None:
        """Take over all that was edited at the desk. Raises BadProfile, and then changes nothing."""
        self._take(self._files, self._file_codes, dict(profiles), dict(codes))

    def with_one(self, profile: Profile) -> list[Profile]:
        """All profiles as they would be with this one."""
        return list((self._profiles | {profile.id: profile}).values())

    def _take(
        self,
        files: dict[str, Profile],
        file_codes: dict[str, CodeMap],
        edited: Mapping[str, Profile],
        edited_codes: Mapping[str, CodeMap],
    ) -> None:
        merged = files | dict(edited)
        refuse_shared_names(list(merged.values()))
        self._files, self._file_codes, self._profiles = files, file_codes, merged
        self._edited, self._edited_codes = edited, edited_codes


AGREED = CodeMap()
"""The codes of a partner without a map of its own."""


def _of_folder(folder: Traversable | None) -> tuple[list[Profile], dict[str, CodeMap]]:
    """The profiles of a folder, with the maps that they name. Raises BadProfile."""
    if folder is None or not folder.is_dir():
        return [], {}
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    profiles = [_mapped(folder, _read(file)) for file in files if _is_profile(file.name)]
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
    codes, wrong = read_codes(_text(file))
    if codes is None:
        raise BadProfile(name, wrong)
    return codes


def _read(file: Traversable) -> Profile:
    profile, findings = check_profile(_text(file))
    if profile is None:
        raise BadProfile(file.name, [f"line {found.line}: {found.place}: {found.detail}" for found in findings])
    return profile


def _text(file: Traversable) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadProfile(file.name, ["it is not UTF-8"]) from None


def refuse_shared_names(profiles: Sequence[Profile]) -> None:
    """Two partners must not be called the same, or a message could be either's. Raises BadProfile."""
    for partner, wrong in clashes(profiles).items():
        raise BadProfile(partner, wrong)
