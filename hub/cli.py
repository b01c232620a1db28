"""The `hub` command: services by HTTP or by their databases. Heavy imports wait until they are needed."""

import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from hub import (
    audit_commands,
    case_commands,
    desk_commands,
    import_commands,
    message_commands,
    partner_commands,
    token_commands,
)
from hub.asking import NO, PARTLY, WRONG, AsJson, Data, Failure, data_dir, say, show

if TYPE_CHECKING:
    from hub.archive_proof import ArchiveProof
    from hub.verify import Report

DEFECT = 70


class Commands(TyperGroup):
    """The group of all commands: what a command cannot do becomes words on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            say(str(failure))
            raise typer.Exit(failure.code) from None


app = typer.Typer(
    cls=Commands,
    help="Integration hub for smart-meter rollouts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(desk_commands.parked, name="parked")
app.add_typer(case_commands.case, name="case")
app.add_typer(message_commands.messages, name="messages")
app.add_typer(token_commands.token, name="token")
app.add_typer(audit_commands.audit, name="audit")
app.command("import")(import_commands.import_file)
app.add_typer(partner_commands.partner, name="partner")


@app.command()
def up(
    host: Annotated[str | None, typer.Option("--host", help="Default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Default 8080; 0 takes a free one.")] = None,
    services: Annotated[str | None, typer.Option("--services", help="Comma-separated; default: all.")] = None,
    data: Data = None,
) -> None:
    """Run the hub embedded, all services in one process, until Ctrl-C."""
    import uvloop

    from hub import up as roof
    from hub.house import SERVICES
    from kit.settings import Settings

    given = {"host": host, "port": port, "data_dir": data}
    options = {name: value for name, value in given.items() if value is not None}
    wanted = tuple(services.split(",")) if services else SERVICES
    if unknown := set(wanted) - set(SERVICES):
        raise typer.BadParameter(f"no such service: {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
    uvloop.run(roof.up(Settings.load(**options), options, wanted))


@app.command()
def demo(
    cases: Annotated[int, typer.Option("--cases", min=1)] = 200,
    seed: Annotated[int, typer.Option("--seed")] = 18,
    until_done: Annotated[bool, typer.Option("--until-done", help="End when every case has ended.")] = False,
    as_json: AsJson = False,
    data: Annotated[Path | None, typer.Option("--data", help="Keep the databases here.")] = None,
) -> None:
    """Run a whole rollout with simulated partners and people; 1 when something is not accounted for."""
    from hub.demo import run

    raise typer.Exit(run(cases=cases, seed=seed, until_done=until_done, as_json=as_json, data=data))


PROOFS = ("invariants", "archive")


@app.command()
def verify(
    what: Annotated[list[str] | None, typer.Argument(help=f"{' or '.join(PROOFS)}; default: both.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Prove what is stored, over all databases and topics; 1 with what breaks a rule, 3 where there is nothing to see.

    invariants: the rules of reliability. archive: the chain of all messages, up to the ends that were noted each day.
    """
    import asyncio

    wanted = what or list(PROOFS)
    if unknown := [each for each in wanted if each not in PROOFS]:
        raise typer.BadParameter(f"{unknown[0]}: {' or '.join(PROOFS)}")
    report, proof = asyncio.run(_verified(data_dir(data), wanted))
    if as_json:
        archive = {"archive": proof.as_dict()} if proof else {}
        show({**(report.as_dict() if report else {}), **archive}, as_json=True)
    else:
        for line in [check.line() for check in report.checks] if report else []:
            typer.echo(line)
        if proof:
            typer.echo(proof.line())
    for check in report.checks if report else ():
        for row in check.offending:
            say(f"{check.id}: {dict(row)}")
    for broken in proof.broken if proof else ():
        say(f"archive: message {broken.number} {broken.message_id or ''}: {broken.what}")
    if (report and report.violations) or (proof and proof.broken):
        raise typer.Exit(NO)
    if (report and report.empty) or (proof and not proof.messages):
        raise typer.Exit(PARTLY)


async def _verified(folder: Path, wanted: list[str]) -> "tuple[Report | None, ArchiveProof | None]":
    from hub.archive_proof import prove_archive
    from hub.databases import opened, settings_of
    from hub.verify import verify as check_all
    from kit.clock import clock_of
    from kit.settings import Settings

    settings, report, proof = Settings.load(data_dir=folder), None, None
    async with opened(folder) as databases:
        if "invariants" in wanted:
            kafka = settings if settings.bus == "kafka" else None
            report = await check_all(databases, clock_of(settings.clock), kafka)
        if "archive" in wanted and "mdm_adapter" in databases:
            proof = await prove_archive(databases["mdm_adapter"], settings_of("mdm_adapter", folder))
    return report, proof


@app.command()
def rebuild(service: Annotated[str, typer.Argument(help="cockpit_service")], data: Data = None) -> None:
    """Empty a read model; at its next start the service reads every topic again. Stop it first."""
    import asyncio

    if service != "cockpit_service":
        raise typer.BadParameter(f"{service} keeps state of its own; only cockpit_service can be made anew")
    asyncio.run(_rebuilt(data_dir(data)))
    say("emptied; start the service: it reads everything again")


async def _rebuilt(folder: Path) -> None:
    from hub.house import alone, build
    from services.cockpit_service.rebuilding import rebuild as make_anew

    async with alone(folder):
        store = build("cockpit_service", {"data_dir": folder}).store
        try:
            await make_anew(store)
        finally:
            await store.db.close()


@app.command()
def migrate(
    what: Annotated[str, typer.Argument(help="all, db or topics")] = "all",
    service: Annotated[str | None, typer.Option("--service", help="Only this one.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; 1 when something is pending.")] = False,
    data: Data = None,
) -> None:
    """Bring databases to their newest migration and make missing topics; nothing is ever deleted."""
    import asyncio

    from hub.migrating import migrate_databases, migrate_topics

    if what not in ("all", "db", "topics"):
        raise typer.BadParameter(f"{what}: all, db or topics")
    pending = list[str]()
    if what != "topics":
        pending += asyncio.run(migrate_databases(data_dir(data), service, check))
    if what != "db":
        pending += asyncio.run(migrate_topics(data_dir(data), check))
    for each in pending:
        typer.echo(f"{'pending' if check else 'done'}: {each}")
    if check and pending:
        raise typer.Exit(NO)


@app.command()
def doctor(
    which: Annotated[str, typer.Argument(help="all, config, database, kafka, clock, audit or invariants")] = "all",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Ask how everything is; 0 well, 3 with warnings, 1 when something fails. Each line names the fix."""
    from hub.doctor import CHECKS, ask

    if which not in ("all", *CHECKS):
        raise typer.BadParameter(f"{which}: all, {', '.join(CHECKS)}")
    lines = ask(which, data_dir(data))
    show([line._asdict() for line in lines], as_json, "verdict", "name", "words")
    verdicts = {line.verdict for line in lines}
    if verdicts - {"ok"}:
        raise typer.Exit(NO if "fail" in verdicts else PARTLY)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Files, or - for standard input.")],
    by: Annotated[str | None, typer.Option("--partner", help="Judge as if this partner had sent it.")] = None,
    profile_file: Annotated[
        Path | None,
        typer.Option("--profile", exists=True, dir_okay=False, help="The same, by a profile that is not in force."),
    ] = None,
    schemas: Annotated[Path | None, typer.Option("--schemas", help="Folder with schemas of other dialects.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="When they are received: a time in ISO 8601.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Judge message files; nothing is stored or sent. 0 accepted, also with warnings; 1 refused."""
    from services.mdm_adapter.checking import check as judge
    from services.mdm_adapter.dialects.cim_xml.schema_sets import SchemaRefused

    profile = partner_commands.profile_of(by, profile_file, data)
    received_at = _moment(as_of) if as_of else None
    codes = set()
    for file in files:
        try:
            verdict = judge(_bytes_of(file), profile, schemas, received_at, Path(file).parent)
        except SchemaRefused as refused:
            raise Failure(WRONG, f"--schemas {schemas}: {refused}") from refused
        codes.add(verdict.exit_code)
        if as_json:
            typer.echo(verdict.as_json(file))
            continue
        content = "reject" if verdict.core == "reject" else verdict.content
        what = f"{verdict.message} {verdict.pid}".strip() or f"{verdict.records} orders"
        typer.echo(f"{file}: {content} ({verdict.dialect}, {what})")
        for found in (*filter(None, [verdict.core_finding]), *verdict.findings, *verdict.warnings):
            typer.echo(f"  {found.code} {found.position} {found.detail}".rstrip())
    raise typer.Exit(NO if NO in codes else 0)


def _moment(text: str) -> datetime:
    """A time that a person gives; without an offset it is one in Germany."""
    from services.mdm_adapter.domain.calendar import MARKET

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(WRONG, f"{text} is no time in ISO 8601, such as 2026-11-24T12:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=MARKET)


def _bytes_of(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Failure(WRONG, f"{file}: {error.strerror}") from None


@app.command()
def asyncapi(
    out: Annotated[Path | None, typer.Option("--out", help="Write it here.")] = None,
    is_stale: Annotated[bool, typer.Option("--check", help="1 when the committed files are stale.")] = False,
) -> None:
    """The document of every topic and event, from the contracts."""
    import json

    if is_stale:
        from contracts.generate import main as generate

        raise typer.Exit(generate(["--check"]))
    from contracts.asyncapi import document

    _written(json.dumps(document(), indent=2, ensure_ascii=False), out)


@app.command()
def openapi(
    service: Annotated[str | None, typer.Argument(help="Default: all, by name.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write it here.")] = None,
) -> None:
    """The documents of the services' HTTP, from their routes."""
    import json

    from hub.describing import described
    from hub.house import SERVICES

    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"{service}: one of {', '.join(SERVICES)}")
    found = {name: described(name) for name in ([service] if service else SERVICES)}
    _written(json.dumps(found[service] if service else found, indent=2, ensure_ascii=False), out)


def _written(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text)
    else:
        out.write_text(f"{text}\n", "utf-8")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(ctx: typer.Context) -> None:
    """Measure, each figure beside its anchors; arguments go to hub/bench.py."""
    from importlib import import_module

    raise typer.Exit(import_module("hub.bench").main(ctx.args))


def _defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody foresaw: the trace, and the exit code of a defect."""
    traceback.print_exception(kind, error, trace)
    say("this is a defect of the hub; please report it with the lines above")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(DEFECT)


def main() -> None:
    """The console script."""
    sys.excepthook = _defect
    typer.main.get_command(app)()
