"""`hub import`: files of orders, points, areas, devices and technicians, handed in and followed to their end."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from hub.asking import NO, PARTLY, AsJson, Data, Services, TokenFile, Url, say, show

KINDS = {
    "devices": ("asset", "/v1/imports/devices"),
    "technicians": ("booking", "/v1/imports/technicians"),
}
ROWS = ("orders", "points", "areas")
"""Kinds whose columns are mapped first."""
LOOK_SECONDS = 0.5


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    kind: Annotated[str, typer.Option("--kind", help="orders, points, areas, devices or technicians.")],
    partner: Annotated[str | None, typer.Option("--partner", help="Whose orders; with --kind orders.")] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="Which column is what (YAML).", exists=True)] = None,
    as_proposed: Annotated[bool, typer.Option("--as-proposed", help="Take the columns as their names say.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of each row.")] = False,
    atomic: Annotated[bool, typer.Option("--atomic", help="All rows or none.")] = False,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Of an Excel file; default: the first one.")] = None,
    errors: Annotated[Path | None, typer.Option("--errors", help="Where the refused rows go (CSV).")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Hand a file in; 3 when some rows were refused or a mapping is to be confirmed, 1 when nothing was taken."""
    if kind not in (*KINDS, *ROWS):
        raise typer.BadParameter(f"--kind {kind}: {', '.join((*ROWS, *KINDS))}")
    if kind == "orders" and partner is None:
        raise typer.BadParameter("orders come from a partner: --partner")
    at, content = Services.found(url, token_file, data), file.read_bytes()
    if kind in KINDS:
        _hand_in(at, kind, content, as_json)
    elif file.suffix.lower() == ".xml":  # as the partner itself would hand it in
        show(at.send("mdm", f"/v1/in/{partner}", content, "application/xml"), as_json)
    else:
        body = {"dry_run": dry_run, "atomic": atomic}
        _take_rows(at, _proposal(at, kind, partner, sheet, content), mapping, as_proposed, body, errors, as_json)


def _hand_in(at: Services, kind: str, content: bytes, as_json: bool) -> None:
    service, path = KINDS[kind]
    found = at.send(service, path, content, "text/csv")
    show(found, as_json)
    for error in found["errors"]:
        say(f"row {error.get('row')}: {error}")
    _end(found["refused"], found["rows"])


def _proposal(at: Services, kind: str, partner: str | None, sheet: str | None, content: bytes) -> Any:
    query = {name: value for name, value in (("kind", kind), ("partner", partner), ("sheet", sheet)) if value}
    return at.send("mdm", f"/v1/imports?{urlencode(query)}", content, "application/octet-stream")


def _take_rows(
    at: Services,
    proposal: Any,
    mapping: Path | None,
    as_proposed: bool,
    body: dict[str, Any],
    errors: Path | None,
    as_json: bool,
) -> None:
    """Confirm how the file is read, follow it, and tell the rows that were refused."""
    columns = proposal["mapping"]["columns"]
    if mapping is not None:
        import yaml

        body["mapping"] = yaml.safe_load(mapping.read_text("utf-8"))
    elif not as_proposed and (proposal["unmapped"] or any(name != ours for name, ours in columns.items())):
        show({name: proposal[name] for name in ("import_id", "form", "mapping", "unmapped")}, as_json)
        say("nothing is taken yet: confirm with --as-proposed, or say which column is what with --mapping FILE")
        raise typer.Exit(PARTLY)
    path = f"/v1/imports/{proposal['import_id']}"
    found = _followed(at, path, at.post("mdm", f"{path}/run", body))
    show({name: value for name, value in found.items() if name != "mapping"}, as_json)
    for each in found["findings"]:
        say(f"row {each['row']}: {each['column']}: {each['message']} ({each['rule']})")
    if errors is not None and found["refused"]:
        errors.write_text(at.get("mdm", f"{path}/errors"), "utf-8")
    _end(found["refused"], found["rows"] if found["state"] != "refused" else found["refused"])


def _followed(at: Services, path: str, found: Any) -> Any:
    """The import as it ended; how far it is stands on standard error."""
    while found["state"] in ("queued", "running"):
        time.sleep(LOOK_SECONDS)
        found = at.get("mdm", path)
        done = sum(found[name] for name in ("accepted", "unchanged", "changed", "refused"))
        sys.stderr.write(f"\r{done} of {found['rows']} rows ")
    return found


def _end(refused: int, rows: int) -> None:
    if refused:
        raise typer.Exit(NO if refused == rows else PARTLY)
