"""Commands about who may come in: sign-in links, keys of partners and other teams, what a token says."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.asking import NO, AsJson, Data, Failure, data_dir, show

token = typer.Typer(help="Sign-in links, keys, and what a token says.", no_args_is_help=True)
key = typer.Typer(help="Keys of partners and other teams.", no_args_is_help=True)
token.add_typer(key, name="key")


def _settings(data: Path | None) -> Any:
    from hub import house  # noqa: F401 -- it knows the settings of every service
    from kit.settings import Settings

    return Settings.load(data_dir=data_dir(data))


@token.command("sign-in")
def sign_in(
    person: Annotated[str | None, typer.Option("--person", help="Default: who runs this command.")] = None,
    role: Annotated[list[str] | None, typer.Option("--role", help="Default: every role of staff.")] = None,
    data: Data = None,
) -> None:
    """Print a link that signs one person in, once, within a quarter of an hour."""
    from contracts.roles import Role

    folder = data_dir(data)
    address = folder / "hub.address"
    if not (folder / "cockpit_service.db").exists():
        raise Failure(NO, f"{folder} holds no console: start the hub with `hub up`")
    unknown = set(role or ()) - set(Role)
    if unknown:
        raise typer.BadParameter(f"no such role: {', '.join(sorted(unknown))}")
    code = asyncio.run(_invite(folder, person, role))
    at = address.read_text("utf-8").strip() if address.exists() else "http://127.0.0.1:8080"
    sys.stdout.write(f"{at}/sign-in?code={code}\n")


async def _invite(folder: Path, person: str | None, roles: list[str] | None) -> str:
    from hub.house import build
    from hub.up import STAFF, shell_user
    from services.cockpit_service.signing_in import invite

    store = build("cockpit_service", {"data_dir": folder}).store
    who, named = f"person:local:{person or shell_user()}", roles or STAFF
    try:
        return await store.run(store.actor, lambda unit: invite(unit, who, named))
    finally:
        await store.db.close()


@key.command("create")
def create_key(
    owner: Annotated[str, typer.Option("--owner", help="Who asked for it, for people.")],
    action: Annotated[list[str], typer.Option("--action", help="What it is good for, by the matrix.")],
    partner: Annotated[str | None, typer.Option("--partner", help="Whose objects it reaches.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=365)] = 365,
    data: Data = None,
) -> None:
    """Make a key and show it, once."""
    from kit.clock import SystemClock
    from kit.keys import KeyFile

    try:
        made = KeyFile(_settings(data).keys_path).add(owner, action, SystemClock().now(), partner, days)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    sys.stdout.write(f"{made}\n")


@key.command("list")
def list_keys(data: Data = None, as_json: AsJson = False) -> None:
    """All keys, without their secrets."""
    from kit.keys import KeyFile

    kept = KeyFile(_settings(data).keys_path).keys().values()
    rows = [
        {"id": each.id, "owner": each.owner, "partner": each.partner, "expires_at": each.expires_at.isoformat()}
        | {"actions": sorted(each.actions)}
        for each in kept
    ]
    show(rows, as_json, "id", "owner", "partner", "expires_at", "actions")


@key.command("revoke")
def revoke_key(key_id: str, data: Data = None) -> None:
    """Take a key out of use, at once and everywhere."""
    from kit.keys import KeyFile

    if not KeyFile(_settings(data).keys_path).revoke(key_id):
        raise Failure(NO, f"there is no key {key_id}; `hub token key list` shows all")


@token.command("inspect")
def inspect(data: Data = None, as_json: AsJson = False) -> None:
    """Read a token from standard input and say what it is good for; it is sent nowhere."""
    from kit.auth import InvalidToken, Verifier
    from kit.clock import clock_of

    settings = _settings(data)
    try:
        who = Verifier.of(settings, clock_of(settings.clock)).verify(sys.stdin.read().strip())
    except InvalidToken as refused:
        show({"verdict": "refused", "reason": refused.reason}, as_json)
        raise typer.Exit(NO) from None
    scope = {"kind": who.scope.kind, "id": who.scope.id}
    found = {"verdict": "good", "id": who.id, "kind": who.kind, "roles": sorted(who.roles), "scope": scope}
    show(found | ({"actions": sorted(who.actions)} if who.actions is not None else {}), as_json)
