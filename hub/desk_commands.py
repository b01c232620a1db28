"""Commands of operators over HTTP: parked keys."""

from typing import Annotated, Any

import typer

from hub.asking import NO, PARTLY, SHORT_NAMES, AsJson, Data, Failure, Services, TokenFile, Url, Why, show

parked = typer.Typer(help="What waits with its key: list, look, try again, give up.", no_args_is_help=True)
Service = Annotated[str | None, typer.Option("--service", help=f"One of {', '.join(SHORT_NAMES)}; default: all.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=500)]


@parked.command("list")
def list_parked(
    service: Service = None,
    reason: Annotated[str | None, typer.Option("--reason", help="refused, waiting, undecodable or bug.")] = None,
    limit: Limit = 100,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Keys with count, oldest event, reason and error."""
    at = Services.found(url, token_file, data)
    rows = [
        {"service": name, **row}
        for name in _services(service)
        for row in at.get(name, "/v1/parked", reason=reason, limit=limit)
    ]
    show(rows, as_json, "service", "topic", "key", "events", "since", "reason", "error")


@parked.command("show")
def show_parked(
    key: str, url: Url = None, token_file: TokenFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """The events behind a key; values of restricted topics are masked."""
    at = Services.found(url, token_file, data)
    rows = [
        {"service": name, "topic": row["topic"], **event}
        for name, row in _with_key(at, key)
        for event in at.get(name, f"/v1/parked/{row['topic']}/{key}")
    ]
    show(rows, as_json, "service", "topic", "event_id", "sequence", "type", "parked_at", "value")


@parked.command("retry")
def retry_parked(
    keys: Annotated[list[str] | None, typer.Argument()] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="All that were parked for this reason.")] = None,
    service: Service = None,
    limit: Limit = 100,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Apply again what waits, in order; exit code 3 when some is still parked."""
    if not keys and not reason:
        raise typer.BadParameter("name keys, or --reason")
    at = Services.found(url, token_file, data)
    free = still = 0
    for name, body in _to_retry(at, keys or [], reason, service, limit):
        found = at.post(name, "/v1/parked/retry", body)
        free, still = free + found["free"], still + found["still_parked"]
    show({"free": free, "still_parked": still}, as_json)
    if still:
        raise typer.Exit(PARTLY)


@parked.command("discard")
def discard_parked(
    key: str,
    reason: Why,
    event: Annotated[str | None, typer.Option("--event", help="Default: the event that stops the key.")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Give one event up; for orders and handovers a second person says the same again."""
    at = Services.found(url, token_file, data)
    found = _with_key(at, key)
    if len(found) > 1:
        raise Failure(NO, f"{key} is parked at several places: {', '.join(name for name, _ in found)}")
    ((name, row),) = found
    body = {"topic": row["topic"], "key": key, "event_id": event or row["first_event_id"], "reason": reason}
    show(at.post(name, "/v1/parked/discard", body), as_json)


def _services(named: str | None) -> tuple[str, ...]:
    if named is not None and named not in SHORT_NAMES:
        raise typer.BadParameter(f"--service {named}: one of {', '.join(SHORT_NAMES)}")
    return (named,) if named else SHORT_NAMES


def _with_key(at: Services, key: str) -> list[tuple[str, dict[str, Any]]]:
    found = [(name, row) for name in SHORT_NAMES for row in at.get(name, "/v1/parked", limit=500) if row["key"] == key]
    if not found:
        raise Failure(NO, f"{key} is not parked; `hub parked list` shows what is")
    return found


def _to_retry(
    at: Services, keys: list[str], reason: str | None, service: str | None, limit: int
) -> list[tuple[str, dict[str, Any]]]:
    if keys:
        found = [pair for key in keys for pair in _with_key(at, key)]
        return [(name, {"topic": row["topic"], "key": row["key"]}) for name, row in found]
    return [(name, {"reason": reason, "limit": limit}) for name in _services(service)]
