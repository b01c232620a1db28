"""`hub case`: cases and their work orders by HTTP, what objects to a move, and the lifecycle's tables."""

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.asking import NO, AsJson, Data, Failure, Services, TokenFile, Url, say, show
from hub.printing import markdown, table

case = typer.Typer(
    help="Cases: list, look, move, ask why something is not possible, and the lifecycle's tables.",
    no_args_is_help=True,
)
Named = Annotated[str, typer.Argument(metavar="ID", help="Case id, order key or metering point.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=500)]
UUID_LENGTH = 36


class Format(StrEnum):
    """How the lifecycle is printed."""

    TABLE = "table"
    MD = "md"
    JSON = "json"


@case.command("list")
def list_cases(
    phase: Annotated[list[str] | None, typer.Option("--phase", help="May be given several times.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Order key: partner:number.")] = None,
    point: Annotated[str | None, typer.Option("--point", help="Metering point.")] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help="filter=value, as GET /v1/cases has them.")] = None,
    sort: Annotated[str | None, typer.Option("--sort", help="Default: -priority,due.")] = None,
    limit: Limit = 100,
    after: Annotated[str | None, typer.Option("--after", help="Where the page before ended.")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Cases, most urgent first."""
    asked: dict[str, Any] = {"phase": phase or None, "order_key": order, "metering_point_id": point}
    asked |= {"sort": sort, "limit": limit, "after": after}
    for name, value in (_words(each) for each in where or []):
        asked[name] = [*(asked.get(name) or []), value]
    page = Services.found(url, token_file, data).get("case", "/v1/cases", **asked)
    if as_json:
        show(page["items"], as_json=True)
    else:
        head = ("case_id", "phase", "priority", "due_by", "metering_point_id", "case_type", "origin", "flags")
        _rows("Cases", page["items"], head)
    if page["next"]:
        say(f"more: --after {page['next']}")


@case.command("show")
def show_case(
    id_: Named, url: Url = None, token_file: TokenFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """One case with its work orders, orders and exceptions."""
    at = Services.found(url, token_file, data)
    found = at.get("case", f"/v1/cases/{case_id_of(at, id_)}")
    if as_json:
        show(found, as_json=True)
        return
    parts = {name: found.pop(name) for name in ("work_orders", "orders", "exceptions", "handovers", "devices")}
    table("Case", ("field", "value"), found.items())
    head = ("work_order_id", "sequence", "kind", "state", "result", "responsible", "start", "due_on", "version")
    _rows("Work orders", parts["work_orders"], head)
    _rows("Orders", parts["orders"], ("order_key", "partner", "order_version", "cancelled_version", "answered"))
    _rows("Exceptions", parts["exceptions"], ("exception_id", "type", "state", "owner", "due_on", "work_order_id"))
    _rows("Handovers", parts["handovers"], ("fact", "attempt", "state", "requested_at"))
    _rows("Devices", parts["devices"], ("role", "serial", "device_type", "place"))


@case.command("history")
def case_history(
    id_: Named, url: Url = None, token_file: TokenFile = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Everything that happened to a case."""
    at = Services.found(url, token_file, data)
    lines = at.get("case", f"/v1/cases/{case_id_of(at, id_)}/history")["lines"]
    if as_json:
        show(lines, as_json=True)
    else:
        _rows("History", lines, ("at", "kind", "code", "from_state", "to_state", "actor", "reason", "text", "params"))


@case.command("move")
def move_case(
    id_: Annotated[str, typer.Argument(metavar="WORK_ORDER")],
    move: str,
    arg: Annotated[list[str] | None, typer.Option("--arg", help="name=value, as the move's request has it.")] = None,
    reason: Annotated[str | None, typer.Option("--reason")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make one move of the lifecycle; refused, it prints every objection."""
    at = Services.found(url, token_file, data)
    body: dict[str, Any] = {"move": move, **dict(_pair(each) for each in arg or [])}
    body |= {"reason": reason} if reason else {}
    seen = at.get("case", f"/v1/work-orders/{id_}")
    body.setdefault("expected_version", seen["version"])
    if "flag" in body:
        body.setdefault("expected_edition", seen["edition"])
    found = at.post("case", f"/v1/work-orders/{id_}/moves", body)
    if as_json:
        show(found, as_json=True)
    else:
        _rows("Work order", [found], ("work_order_id", "state", "version", "offer_pending", "responsible", "start"))


@case.command("why")
def why(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Work order, case, order key or metering point.")],
    url: Url = None,
    token_file: TokenFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """What objects to each move of a work order; of a case also what keeps its gate closed."""
    at = Services.found(url, token_file, data)
    found = _why_of_order(at, id_) if _is_id(id_) else None
    found = found or _why_of_case(at, case_id_of(at, id_))
    if as_json:
        show(found, as_json=True)
        return
    if "gate" in found:
        gate = found["gate"]
        lights = [
            (
                light["item"],
                light["passed"],
                light["missing"],
                light["event_ids"],
                (light["exception"] or {}).get("type"),
            )
            for light in gate["lights"]
        ]
        note = "passed" if gate["passed"] else f"closed: {'; '.join(gate['failing'])}"
        table("Definition of done", ("item", "passes", "missing", "proof", "exception"), lights, note)
    for order in found["work_orders"]:
        moves = [
            (move, "; ".join(f"{each['code']}: {each['detail']}" for each in against) or "nothing objects")
            for move, against in order["moves"].items()
        ]
        table(f"Work order {order['work_order_id']} in {order['state']}", ("move", "what objects"), moves)


@case.command("lifecycle")
def lifecycle(
    as_json: AsJson = False,
    format_: Annotated[Format, typer.Option("--format", help="table, md or json.")] = Format.TABLE,
) -> None:
    """The tables of the lifecycle as the code has them; needs no running hub."""
    from services.case_service.domain.lifecycle import as_data, tables

    if as_json or format_ is Format.JSON:
        show(as_data(), as_json=True)
    elif format_ is Format.MD:
        typer.echo("\n\n".join(markdown(*_parts(each)) for each in tables()))
    else:
        for each in tables():
            table(*_parts(each))


def _parts(each: Any) -> tuple[str, Sequence[str], Iterable[Sequence[Any]], str]:
    return each.title, each.head, each.rows, each.note


def _rows(title: str, rows: Iterable[dict[str, Any]], head: Sequence[str]) -> None:
    table(title, head, ([row.get(name) for name in head] for row in rows))


def _why_of_order(at: Services, work_order_id: str) -> dict[str, Any] | None:
    try:
        found = at.get("case", f"/v1/work-orders/{work_order_id}/moves")
    except Failure as failure:
        if failure.code != NO:
            raise
        return None  # it may be the id of a case
    return {"work_orders": [{"work_order_id": work_order_id, **found}]}


def _why_of_case(at: Services, case_id: str) -> dict[str, Any]:
    gate = at.get("case", f"/v1/cases/{case_id}/gate")
    orders = at.get("case", f"/v1/cases/{case_id}")["work_orders"]
    moves = [
        {"work_order_id": each["work_order_id"], **at.get("case", f"/v1/work-orders/{each['work_order_id']}/moves")}
        for each in orders
        if each["state"] != "CLOSED"
    ]
    return {"case_id": case_id, "gate": gate, "work_orders": moves}


def _is_id(named: str) -> bool:
    return len(named) == UUID_LENGTH and named.count("-") == 4


def case_id_of(at: Services, named: str) -> str:
    """The id of the case that an id, an order key or a metering point names; ambiguous: all are listed."""
    if _is_id(named):
        return named
    query = {"order_key": named} if set(named) & {"/", ":"} else {"metering_point_id": named}
    found = at.get("case", "/v1/cases", **query)["items"]
    if len(found) != 1:
        ids = ", ".join(row["case_id"] for row in found)
        raise Failure(NO, f"{named} names {len(found)} cases: {ids}" if found else f"there is no case {named}")
    return str(found[0]["case_id"])


def _words(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text}: expected name=value")
    return name, value


def _pair(text: str) -> tuple[str, Any]:
    name, value = _words(text)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
