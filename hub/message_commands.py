"""Commands of `hub messages`: the adapter's messages and its quarantine, as those who look after them work on both."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.asking import NO, AsJson, Data, Failure, Services, TokenFile, Url, Why, say, show
from hub.printing import table, words

messages = typer.Typer(help="The adapter's messages and its quarantine.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID")]
Edits = Annotated[
    list[str] | None, typer.Option("--edit", metavar="PLACE=VALUE", help="As `show` names it; may be given again.")
]
HEAD = ("at", "way", "partner", "document", "state", "id")
WIDTH, GAP = 76, "  │ "


@messages.command("list")
def list_messages(
    partner: Annotated[str | None, typer.Option("--partner")] = None,
    direction: Annotated[str | None, typer.Option("--direction", help="in or out.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="QUARANTINED lists what waits, with its age.")] = None,
    case: Annotated[str | None, typer.Option("--case", help="Id of a case.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Key or number of an order.")] = None,
    query: Annotated[str | None, typer.Option("--q", help="An id, an order number, the begin of a hash.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Messages in and out, newest first; below them what lies open in quarantine."""
    at = Services.found(url, token_file, data)
    asked = {"partner": partner, "direction": direction, "state": state, "case": case, "order": order, "q": query}
    found = at.get("mdm", "/v1/messages", **asked, limit=limit)["items"]
    waiting = at.get("mdm", "/v1/quarantine", state="OPEN", partner=partner)
    if as_json:
        show({"messages": found, "quarantine": waiting}, as_json=True)
        return
    rows = [(_short(m["at"]), m["direction"], m["partner"], m["document"], m["state"], m["id"]) for m in found]
    table("messages", HEAD, rows)
    if waiting:
        head = ("age", "partner", "cause", "detail", "asked to discard", "id", "message")
        table("quarantine", head, [_waiting(each) for each in waiting])


def _waiting(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    row = f"row {entry['row']}: " if entry["row"] else ""
    return (
        age(entry["age_seconds"]),
        entry["partner"],
        entry["cause"],
        f"{row}{entry['detail']}",
        entry["discard_asked_by"],
        entry["id"],
        entry["message_id"],
    )


def age(seconds: int) -> str:
    """A time for people: days and hours, hours and minutes, or minutes."""
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _short(at: str) -> str:
    return at[:19].replace("T", " ")


@messages.command("show")
def show_message(
    id_: Id,
    raw: Annotated[bool, typer.Option("--raw", help="Only the bytes, as they came or left.")] = False,
    decoded: Annotated[bool, typer.Option("--decoded", help="Only what it says, beside its bytes.")] = False,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """One message: what it is, its lines beside what they say with every finding at its place, and its chain."""
    at = Services.found(url, token_file, data)
    message = _message_of(at, id_)
    if raw:
        typer.echo(at.content("mdm", f"/v1/messages/{message}/raw"), nl=False)
        return
    laid = at.get("mdm", f"/v1/messages/{message}/decoded")
    if decoded:
        show(laid, as_json) if as_json else _laid_out(laid)
        return
    found, chain = at.get("mdm", f"/v1/messages/{message}"), at.get("mdm", f"/v1/messages/{message}/answers")
    if as_json:
        show({**found, "decoded": laid, "chain": chain}, as_json=True)
        return
    _told(found)
    _laid_out(laid)
    _edited(found["edits"])
    _chain(chain)


def _told(found: Mapping[str, Any]) -> None:
    one = found["inbound"] or found["outbound"]
    said = {name: value for name, value in one.items() if value and not isinstance(value, list | dict)}
    for name, value in said.items():
        typer.echo(f"{name + ':':<16} {words(value)}")


def _laid_out(laid: Mapping[str, Any]) -> None:
    """Lines left, fields right; below a line what is wrong with it, with its place marked."""
    what = " ".join(part for part in (laid["message"], laid["pid"], laid["version"]) if part)
    typer.echo(f"\n{laid['dialect']}{what and f' {what}'}: {laid['verdict']}\n")
    left, right = list(_left(laid["lines"])), list(_right(laid["fields"]))
    for number in range(max(len(left), len(right))):
        line = left[number] if number < len(left) else ""
        field = right[number] if number < len(right) else ""
        typer.echo(f"{line:<{WIDTH}}{GAP}{field}".rstrip())
    for finding in laid["elsewhere"]:
        typer.echo(f"! {finding['code']} {finding['position']} {finding['detail']}".rstrip())


def _left(lines: list[dict[str, Any]]) -> Iterator[str]:
    for line in lines:
        at = line["at"] if len(line["at"]) <= 12 else ""
        begin = f"{at or (line['number'] or ''):<10} {'  ' * min(line['depth'], 12)}"
        text = words(line["text"])
        yield from _folded(begin + text)
        if line["marks"]:
            first, last = line["marks"]
            yield from _folded(" " * (len(begin) + first) + "^" * max(last - first, 1))
        place = "" if at else f" at {line['at']}"
        for finding in line["findings"]:
            yield from _folded(f"{'!':<10} {words(finding)}{place}")


def _right(fields: list[dict[str, Any]]) -> Iterator[str]:
    document = ""
    for field in fields:
        if field["document"] != document:
            document = field["document"]
            yield f"[{document}]"
        yield f"{field['place']}: {words(field['value'])}"
        for finding in field["findings"]:
            yield f"! {words(finding)}"


def _folded(text: str) -> Iterator[str]:
    """A long text on several lines; nothing of it is cut off."""
    for begin in range(0, max(len(text), 1), WIDTH):
        if part := text[begin : begin + WIDTH].rstrip():
            yield part


def _edited(edits: list[dict[str, Any]]) -> None:
    head = ("at", "by", "why", "place", "before", "after")
    rows = [
        (_short(edit["at"]), edit["by"], edit["reason"], place, change.get("before"), change.get("after"))
        for edit in edits
        for place, change in (edit["changed"] or {"all of it": {}}).items()
    ]
    if rows:
        typer.echo()
        table("edits", head, rows)


def _chain(chain: Mapping[str, Any]) -> None:
    """Order -> sent -> answers."""
    typer.echo()
    for order in chain["orders"]:
        typer.echo(f"order {order['order_key']}, version {order['order_version']}, case {words(order['case_id'])}")
    rows = [(_short(s["at"]), s["what"], s["direction"], s["document"], s["state"], s["id"]) for s in chain["steps"]]
    table("chain", ("at", "what", "way", "document", "state", "id"), rows)


@messages.command("check")
def check_message(
    id_: Id, url: Url = None, token_file: TokenFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Judge the stored bytes again, by today's rules and profile; 1 when they would be refused."""
    at = Services.found(url, token_file, data)
    message = _message_of(at, id_)
    laid = at.get("mdm", f"/v1/messages/{message}/decoded")
    found = [
        *({"position": each["at"], "words": said} for each in laid["lines"] for said in each["findings"]),
        *({"position": each["place"], "words": said} for each in laid["fields"] for said in each["findings"]),
        *({"position": each["position"], "words": f"{each['code']} {each['detail']}"} for each in laid["elsewhere"]),
    ]
    named = ("dialect", "verdict", "accepted", "message", "pid", "version")
    if as_json:
        show({"id": message, **{name: laid[name] for name in named}, "findings": found}, as_json=True)
    else:
        what = f"{laid['message']} {laid['pid']}".strip()
        typer.echo(f"{message}: {laid['verdict']} ({', '.join(filter(None, (laid['dialect'], what)))})")
        for each in found:
            typer.echo(f"  {each['position']}: {words(each['words'])}")
    if not laid["accepted"]:
        raise typer.Exit(NO)


@messages.command("resend")
def resend(
    id_: Id,
    reason: Why,
    edit: Edits = None,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Build the document of a message, or of a handover row, anew and send it; with --edit as corrected, or not."""
    at = Services.found(url, token_file, data)
    _done(at.post("mdm", f"/v1/messages/{id_}/resend", {"reason": reason, "edit": _edits(edit)}), as_json)


@messages.command("retry")
def retry(
    id_: Id, reason: Why, url: Url = None, token_file: TokenFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Have what lies in quarantine processed again, or a message of ours sent again with the same bytes."""
    at = Services.found(url, token_file, data)
    entry = _open_entry(at, id_)
    path = f"/v1/quarantine/{entry}/retry" if entry else f"/v1/messages/{id_}/retry"
    _done(at.post("mdm", path, {"reason": reason}), as_json)


@messages.command("fix")
def fix(
    id_: Id,
    reason: Why,
    edit: Edits = None,
    file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="All of it anew, instead of --edit.")
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take a corrected copy in place of what lies in quarantine; nothing happens if that is wrong too."""
    if bool(edit) == bool(file):
        raise typer.BadParameter("name places with --edit, or give all of it with --file")
    at = Services.found(url, token_file, data)
    what: dict[str, Any] = {"edits": _edits(edit)} if edit else {"content": _lines(file)}
    _done(at.post("mdm", f"/v1/quarantine/{_entry(at, id_)}/fix", {"reason": reason, **what}), as_json)


@messages.command("discard")
def discard(
    id_: Id, reason: Why, url: Url = None, token_file: TokenFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Give a message in quarantine up; a second person confirms. The archive keeps it."""
    at = Services.found(url, token_file, data)
    found = at.post("mdm", f"/v1/quarantine/{_entry(at, id_)}/discard", {"reason": reason})
    _done(found, as_json)
    if found["state"] == "OPEN":
        say("asked for; somebody else confirms with the same command")


def _done(answer: Mapping[str, Any], as_json: bool) -> None:
    show(answer, as_json=True) if as_json else typer.echo(", ".join(f"{k}: {words(v)}" for k, v in answer.items()))


def _edits(given: list[str] | None) -> dict[str, Any]:
    """PLACE=VALUE; a value in JSON that is no text is taken as what it is."""
    found = dict[str, Any]()
    for each in given or ():
        place, equals, value = each.partition("=")
        if not (place and equals):
            raise typer.BadParameter(f"--edit {each}: PLACE=VALUE")
        try:
            read = json.loads(value) if value[:1] in {"{", "["} or value == "null" else value
        except ValueError:
            raise typer.BadParameter(f"--edit {place}: the value begins like JSON, and is none") from None
        found[place] = read
    return found


def _lines(file: Path | None) -> list[str]:
    try:
        return file.read_text("utf-8").split("\n") if file else []
    except UnicodeDecodeError:
        raise typer.BadParameter(f"--file {file}: is not UTF-8") from None


def _entry(at: Services, id_: str) -> str:
    entry = _open_entry(at, id_)
    if entry is None:
        raise Failure(NO, f"{id_} does not lie in quarantine; `hub messages list` shows what does")
    return entry


def _open_entry(at: Services, id_: str) -> str | None:
    """The open entry that an id means: its own, or that of its message."""
    bare = id_.removeprefix("in-")
    if not _is_id(bare):
        return None
    found = [each for each in at.get("mdm", "/v1/quarantine", message=bare) if each["state"] == "OPEN"]
    if len(found) > 1:
        named = ", ".join(f"{each['id']} (row {each['row']})" for each in found)
        raise Failure(NO, f"{id_} has several entries; name one of {named}")
    return str(found[0]["id"]) if found else None


def _message_of(at: Services, id_: str) -> str:
    """The message that an id means: its own, a receipt, that of a quarantine entry, or the newest of what it names."""
    bare = id_.removeprefix("in-")
    found = at.get("mdm", "/v1/messages", q=bare)["items"]
    if any(each["id"] == bare for each in found):
        return bare
    entries = at.get("mdm", "/v1/quarantine", message=bare) if _is_id(bare) else []
    if entries:
        return str(entries[0]["message_id"])
    if not found:
        raise Failure(NO, f"there is no message {id_}; `hub messages list` shows all")
    return str(found[0]["id"])


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
