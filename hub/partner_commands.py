"""Commands of `hub partner`: profiles are judged without a hub; what codes of a partner are unknown, a hub says."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.asking import NO, WRONG, AsJson, Data, Failure, Services, TokenFile, Url, data_dir, say, show
from hub.printing import table

if TYPE_CHECKING:
    from services.mdm_adapter.partners.checking import ProfileFinding
    from services.mdm_adapter.partners.loader import Partners
    from services.mdm_adapter.partners.profile import Profile

partner = typer.Typer(help="Profiles of partners.", no_args_is_help=True)


@partner.command("list")
def list_partners(data: Data = None, as_json: AsJson = False) -> None:
    """Every profile that comes with the hub or lies in the operator's folder."""
    found = in_force(data).all()
    if as_json:
        show([{"id": each.id, "name": each.name, "role": str(each.role)} for each in found], as_json=True)
        return
    spoken = {each.id: [dialect.dialect for dialect in each.dialects] for each in found}
    rows = [(each.id, each.name, each.role, each.contract, spoken[each.id]) for each in found]
    table("partners", ("id", "name", "role", "contract", "dialects"), rows)


@partner.command("show")
def show_partner(name: Annotated[str, typer.Argument(metavar="P")], data: Data = None, as_json: AsJson = False) -> None:
    """One profile with all that is left to the defaults."""
    profile = in_force(data).find(name)
    if profile is None:
        raise Failure(NO, f"there is no profile of {name}; `hub partner list` shows all")
    said = profile.model_dump(mode="json", by_alias=True)
    if as_json:
        show(said, as_json=True)
        return
    table(name, ("member", "value"), list(said.items()))


@partner.command("check")
def check_partner(
    files: Annotated[list[str], typer.Argument(help="Files of profiles, or ids of partners.", metavar="FILE|P…")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Judge profiles, each by itself, together, and beside those in force; 1 with file and line of what is wrong."""
    wrong = list(_judged([_place_of(each, data) for each in files], data))
    if as_json:
        show([{"file": str(file), **finding} for file, finding in wrong], as_json=True)
    for file, finding in () if as_json else wrong:
        place = f"{finding['place']}: " if finding["place"] else ""
        typer.echo(f"{file}:{finding['line']}: {place}{finding['detail']}")
    if wrong:
        raise typer.Exit(NO)
    for each in files:
        (say if as_json else typer.echo)(f"{each}: well")


@partner.command("unmapped")
def unmapped(
    name: Annotated[str, typer.Argument(metavar="P")],
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Codes that a partner gave and that no map knows, the most frequent first."""
    rows = Services.found(url, token_file, data).get("mdm", f"/v1/partners/{name}/codes/unmapped")
    if as_json:
        show(rows, as_json=True)
        return
    head = ("code", "list", "times", "fact", "text", "last_seen")
    table(f"codes of {name} that nobody knows", head, [[row[column] for column in head] for row in rows])


def in_force(data: Path | None) -> "Partners":
    """The profiles of files; what was edited at the desk of a running hub is there, not here."""
    from hub.databases import settings_of
    from services.mdm_adapter.errors import BadProfile
    from services.mdm_adapter.partners.loader import Partners

    settings: Any = settings_of("mdm_adapter", data_dir(data))
    try:
        return Partners.load(settings.partners_dir)
    except BadProfile as refused:
        raise Failure(WRONG, f"profiles in force: {refused}") from None


def profile_of(name: str | None, file: Path | None, data: Path | None) -> "Profile | None":
    """The profile that a message is judged by: one in force, one of a file, or none."""
    from services.mdm_adapter.partners.checking import check_profile

    if file is not None:
        made, findings = check_profile(_text(file) or "")
        if made is None:
            raise Failure(WRONG, f"{file}:{findings[0].line}: {findings[0].place}: {findings[0].detail}")
        return made
    found = in_force(data).find(name) if name else None
    if name and found is None:
        raise Failure(WRONG, f"there is no profile of {name}; `hub partner list` shows all")
    return found


def _place_of(given: str, data: Path | None) -> Path:
    """A file, or where the profile of a partner lies."""
    if Path(given).is_file():
        return Path(given)
    from hub.databases import settings_of
    from services.mdm_adapter.partners import loader

    settings: Any = settings_of("mdm_adapter", data_dir(data))
    folders = [folder for folder in (settings.partners_dir, Path(loader.__file__).parent / "profiles") if folder]
    for folder in folders:
        for file in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
            if file.stem == given:
                return Path(file)
    raise Failure(WRONG, f"{given}: no file, and no profile of that name")


Finding = Mapping[str, Any]


def _judged(files: list[Path], data: Path | None) -> Iterator[tuple[Path, Finding]]:
    from services.mdm_adapter.partners.checking import check_profile, clashes, gaps, line_of_identity

    good: dict[Path, tuple[Profile, str]] = {}
    for file in files:
        text = _text(file)
        if text is None:
            yield file, {"line": 1, "place": "", "detail": "it is not UTF-8 text"}
            continue
        profile, findings = check_profile(text)
        yield from ((file, _said(each)) for each in findings)
        if profile is not None:
            good[file] = profile, text
            yield from ((file, _said(each)) for each in gaps(profile, text, datetime.now(UTC).date()))
            yield from _codes(file, profile, text)
            yield from _columns(file, profile, text)
    given = {profile.id for profile, _ in good.values()}
    known = [each for each in in_force(data).all() if each.id not in given] if good else []
    shared = clashes([*known, *(profile for profile, _ in good.values())])
    seen = dict[str, Path]()
    for file, (profile, text) in good.items():
        if profile.id in seen:
            yield file, {"line": 1, "place": "id", "detail": f"{profile.id} is that of {seen[profile.id]} too"}
        seen.setdefault(profile.id, file)
        for wrong in shared.get(profile.id, ()):
            yield file, {"line": line_of_identity(text, wrong), "place": "identity", "detail": wrong}


def _said(finding: "ProfileFinding") -> Finding:
    return {"line": finding.line, "place": finding.place, "detail": finding.detail}


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        return None
    except OSError as error:
        raise Failure(WRONG, f"{file}: {error.strerror}") from None


def _columns(file: Path, profile: "Profile", text: str) -> Iterator[tuple[Path, Finding]]:
    """The names of columns that a profile leaves to a file beside it."""
    from services.mdm_adapter.errors import BadMapping
    from services.mdm_adapter.partners.checking import line_at
    from services.mdm_adapter.partners.mapping import read_map

    name = profile.csv.mapping
    if not isinstance(name, str):
        return
    beside = file.parent / name
    content = _text(beside) if beside.is_file() else None
    if content is None:
        place, detail = ("csv", "mapping"), f"the file {name} is missing, or no UTF-8 text"
        yield file, {"line": line_at(text, place), "place": "csv.mapping", "detail": detail}
        return
    try:
        read_map(content)
    except BadMapping as refused:
        yield from ((beside, {"line": 1, "place": "", "detail": detail}) for detail in refused.errors)


def _codes(file: Path, profile: "Profile", text: str) -> Iterator[tuple[Path, Finding]]:
    """The map that a profile names lies beside it."""
    from services.mdm_adapter.partners.checking import line_at
    from services.mdm_adapter.partners.codes import read_codes

    if profile.code_map is None:
        return
    beside = file.parent / profile.code_map
    content = _text(beside) if beside.is_file() else None
    if content is None:
        detail = f"the file {profile.code_map} is missing, or no UTF-8 text"
        yield file, {"line": line_at(text, ("code_map",)), "place": "code_map", "detail": detail}
        return
    for wrong in read_codes(content)[1]:
        line, _, detail = wrong.removeprefix("line ").partition(": ")
        yield beside, {"line": int(line), "place": "", "detail": detail}
