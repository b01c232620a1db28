"""IFTSTA of ours: work is announced (21029), or was given up or failed (21025, 21027)."""

from datetime import date

from contracts.codes import AnnouncedPlan
from services.mdm_adapter.dialects.edifact_fv.composing import begin, ftx, interchange, parties, rff, seg, window
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.market_sending import CodeRefused, MarketSending, MissingFact, needed
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.dialects.edifact_fv.templates import decision
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import MeteringPoint
from services.mdm_adapter.documents.work_not_completed import WorkNotCompleted
from services.mdm_adapter.documents.work_status import WorkStatus

FAILED_LIST, PLAIN = "E_0286", frozenset({"Z74", "Z75"})
ANY = "*"


def announced(document: WorkStatus, sending: MarketSending) -> bytes:
    """21029: the planned day of an intelligent system, or the window of a modern meter."""
    body = _status(sending, document.metering_point)
    to_supplier = _to_supplier(sending) if sending.role is Role.LF else []
    if needed(document.plan, "plan") is AnnouncedPlan.IMS:
        planned = needed(document.planned_on, "planned_on")
        if planned <= sending.at.astimezone(MARKET).date():
            raise MissingFact("planned_on")
        body += [seg("STS", "Z19", "Z17"), rff("Z13", "21029"), *to_supplier]
        body.append(seg("DTM", ("76", f"{planned:%Y%m%d}", "102")))
    else:
        point = to_supplier or [rff("AVE", needed(sending.facts.malo, "malo"))]
        body += [seg("STS", "Z24", "Z17"), rff("Z13", "21029"), *point]
        body += window(document.window_from, document.window_to)
    return interchange(sending, "IFTSTA", [body])


def not_completed(document: WorkNotCompleted, sending: MarketSending) -> bytes:
    """21025 to a supplier, 21027 to everybody else."""
    pid = "21025" if sending.role is Role.LF else "21027"
    code, list_, text = failure(document, sending)
    body = _status(sending, document.metering_point)
    body += [seg("STS", "Z15", "Z13", (code, list_)), rff("Z13", pid)]
    if text:
        body += [seg("GID", "1"), ftx("ACB", text)]
    return interchange(sending, "IFTSTA", [body])


def failure(document: WorkNotCompleted, sending: MarketSending) -> tuple[str, str, str]:
    """Code, its list, and the text that it demands. A code that does not hold any more must be chosen anew."""
    on, facts = sending.at.astimezone(MARKET).date(), sending.facts
    row = _failure_row(document, on)
    chosen = facts.failure_code
    code = chosen or needed(row["ordered" if sending.ordered else "own"], "failure_code")
    list_ = FAILED_LIST if sending.ordered else ""
    known = decision(list_, code, on) if list_ else None
    if (list_ and (known is None or known.positive)) or (not list_ and code not in PLAIN):
        raise CodeRefused(code, list_, on)
    needs_text = (known is not None and known.needs_text) or (chosen is None and row["needs_text"] == "yes")
    text = facts.failure_text or document.text
    return code, list_, needed(text, "failure_text") if needs_text else ""


def _failure_row(document: WorkNotCompleted, on: date) -> dict[str, str]:
    """The row of the sub-reason, else of the reason, else the one for everything else."""
    rows = {row["reason"]: row for row in rows_at("failure_codes.csv", on)}
    names = ((document.sub_reason or "").lower(), document.reason.lower(), ANY)
    return next(rows[name] for name in names if name in rows)


def _status(sending: MarketSending, point: MeteringPoint) -> list[Segment]:
    return [*begin(sending, "Z09"), *parties(sending, "MR"), seg("CNI", "1"), seg("LOC", "172", point.id)]


def _to_supplier(sending: MarketSending) -> list[Segment]:
    """A supplier thinks in market locations and prices."""
    facts = sending.facts
    point = rff("AVE", needed(facts.malo, "malo"))
    if facts.price_key is None and facts.price_article:
        return [point, rff("Z45", facts.price_article)]
    return [point, rff("Z17", needed(facts.price_key, "price_key"))]
