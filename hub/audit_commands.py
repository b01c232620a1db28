"""Commands of `hub audit`: prove the chains of an installation or of an exported case, export a case."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.asking import NO, WRONG, AsJson, Data, Failure, Services, TokenFile, Url, data_dir, say, show
from hub.case_commands import case_id_of

audit = typer.Typer(
    help="The audit: prove that nobody changed it, export what it says of a case.", no_args_is_help=True
)
Out = Annotated[Path | None, typer.Option("--out", help="Write it here.")]


@audit.command("verify")
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export to check instead, offline.", exists=True)] = None,
    service: Annotated[str | None, typer.Option("--service", help="Only this one.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Believe what the anchor of this day covers.")] = None,
    anchors: Annotated[Path | None, typer.Option("--anchors", help="Another folder of anchors.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Compare rows, heads and anchors of every service; 1 with shard and seq of what was tampered with."""
    import asyncio

    began = time.monotonic()
    found = _of_file(file) if file else asyncio.run(_of_databases(data_dir(data), service, since, anchors))
    seconds = time.monotonic() - began
    if as_json:
        show({"services": found, "seconds": round(seconds, 3)}, as_json=True)
    for each in found:
        verdict = f"{len(each['breaks'])} BROKEN" if each["breaks"] else "holds"
        line = f"{each['service']:<22} {verdict:<10} {each['rows']} rows, {each['anchors']} anchors"
        (say if as_json else typer.echo)(line)
        for broken in each["breaks"]:
            where = "" if broken["shard"] is None else f"shard {broken['shard']} seq {broken['seq']}: "
            say(f"{each['service']}: {where}{broken['what']}")
    if any(each["breaks"] for each in found):
        raise typer.Exit(NO)


async def _of_databases(
    folder: Path, service: str | None, since: str | None, anchors: Path | None
) -> list[dict[str, Any]]:
    from dataclasses import asdict
    from datetime import date

    from hub.databases import opened, settings_of
    from hub.house import SERVICES
    from kit.proof import Break, Proof, prove

    if service is not None and service not in SERVICES:
        raise Failure(WRONG, f"--service {service}: one of {', '.join(SERVICES)}")
    try:
        day = date.fromisoformat(since) if since else None
    except ValueError:
        raise Failure(WRONG, f"--from {since}: a date such as 2026-11-27") from None
    found, asked = [], [service] if service else SERVICES
    async with opened(folder, asked) as databases:
        for name in asked:
            seals = anchors or settings_of(name, folder).anchors_path
            if db := databases.get(name):
                found.append({"service": name, **asdict(await prove(db, name, seals, day))})
            elif kept := len(list((seals / name).glob("*.jws"))):  # what was sealed was there, and has to be still
                gone = Break(None, None, "there are seals, but no database")
                found.append({"service": name, **asdict(Proof(anchors=kept, breaks=[gone]))})
    return found


def _of_file(file: Path) -> list[dict[str, Any]]:
    from kit.trail import Exported, misfits

    try:
        exported = Exported.model_validate_json(file.read_bytes())
    except ValueError as error:
        raise Failure(WRONG, f"{file} is no export of the audit: {error}") from None
    breaks = [{"shard": shard, "seq": seq, "what": "the row does not fit its hash"} for shard, seq in misfits(exported)]
    return [{"service": exported.service, "rows": len(exported.rows), "anchors": 0, "breaks": breaks}]


@audit.command("export")
def export(
    id_: Annotated[str, typer.Argument(metavar="CASE", help="Case id, order key or metering point.")],
    html: Annotated[bool, typer.Option("--html", help="A page for people instead of JSON.")] = False,
    out: Out = None,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """All that the audit says of a case: who, when, what, why."""
    import json

    at = Services.found(url, token_file, data)
    path = f"/v1/cases/{case_id_of(at, id_)}/audit"
    text = at.page("case", path) if html else f"{json.dumps(at.get('case', path), indent=1, ensure_ascii=False)}\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
