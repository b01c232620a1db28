"""Answers of ours to orders of the market: ORDRSP 19005, 19006, 19015, 19016 and INSRPT 23003, 23004."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.mdm_adapter.dialects.edifact_fv import places
from services.mdm_adapter.dialects.edifact_fv.composing import (
    at,
    begin,
    day,
    ftx,
    interchange,
    nad,
    parties,
    rff,
    seg,
    window,
)
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.market_sending import Asked, CodeRefused, MarketSending, needed
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.dialects.edifact_fv.templates import decision
from services.mdm_adapter.documents.answer import Answer, ItemState, Reason
from services.mdm_adapter.documents.values import AnswerWanted

ANY = "*"
FAULT, CHANGE_OF_OPERATOR, TECHNIQUE = "23001", "17009", "17011"
WINDOW_CODE, SHEET_CODE = "A04", "A05"
OFFER = "Z93"
OFFER_LISTS = frozenset({"E_0279", "E_0283"})


@dataclass(frozen=True, slots=True)
class Codes:
    """Which answers an order may get."""

    accepted: str
    refused: str
    """PIDs."""
    list: str
    refusal_list: str
    accept: tuple[str, ...]
    refuse: tuple[str, ...]
    """The first one says that the day comes too soon, or that the window does not suit."""


def codes_for(asked: Asked, on: date) -> Codes | None:
    """The codes for an order, by its purpose and by whoever sent it; those that hold on that day."""
    for row in rows_at("order_answers.csv", on):
        fits = row["asked"] == asked.pid and row["role"] in {asked.role, ANY}
        if fits and (not asked.purpose or row["purpose"] == asked.purpose):
            refuse = tuple(code for code in row["refuse"].split() if _holds(row["refusal_list"], code, on))
            accept = tuple(row["accept"].split())
            return Codes(row["accepted"], row["refused"], row["list"], row["refusal_list"], accept, refuse)
    return None


def _holds(list_: str, code: str, on: date) -> bool:
    return not list_.startswith("E_") or decision(list_, code, on) is not None


def wanted(asked: Asked, on: date) -> AnswerWanted | None:
    """The answer that an order expects."""
    codes = codes_for(asked, on)
    if codes is None:
        return None
    first, *also = codes.accept
    return AnswerWanted(list=codes.refusal_list or None, accept=first, also=tuple(also) or None, refuse=codes.refuse)


def answered(answer: Answer, sending: MarketSending) -> bytes:
    """The answer to the order that `sending.asked` quotes."""
    asked, on = needed(sending.asked, "asked"), sending.at.astimezone(MARKET).date()
    codes = needed(codes_for(asked, on), "answer.code")
    accepted = answer.items[0].state is ItemState.ACCEPTED
    reason = _reason(answer, codes, accepted, on)
    if asked.pid == FAULT:
        body = list(_fault(asked, codes, accepted, reason, sending))
        return interchange(sending, "INSRPT", [body])
    pid = codes.accepted if accepted else codes.refused
    body = [*begin(sending, asked.purpose), *_days(answer, asked, reason), rff("ON", asked.document), rff("Z13", pid)]
    if reason.code == SHEET_CODE and reason.list in OFFER_LISTS:
        body.append(rff("ACW", needed(sending.facts.price_sheet, "price_sheet")))
    body.append(seg("AJT", reason.code, reason.list or ""))
    if reason.text and not accepted:
        body.append(ftx("AAP", reason.text))
    sender, receiver = parties(sending)
    body += [sender, *places.contact(sending.facts.contact), receiver, *_others(reason, sending), seg("UNS", "S")]
    return interchange(sending, "ORDRSP", [body])


def _reason(answer: Answer, codes: Codes, accepted: bool, on: date) -> Reason:
    """The code that is sent: as decided, else the only one there is. It must be of its list, and hold today."""
    given = answer.items[0].reasons
    possible = codes.accept if accepted else codes.refuse
    only = possible[0] if len(possible) == 1 else None
    code = needed(given[0].code if given else only, "answer.code")
    list_ = codes.list if accepted else codes.refusal_list
    if code not in possible:
        raise CodeRefused(code, list_, on)
    known = decision(list_, code, on)
    text = given[0].text if given else None
    if known is not None and known.needs_text:
        text = needed(text, "answer.text")
    return Reason(code=code, list=list_ or None, text=text)


def _days(answer: Answer, asked: Asked, reason: Reason) -> Iterator[Segment]:
    """The day of an order, the one that is confirmed if it is another; the window that is offered instead."""
    if asked.pid != TECHNIQUE:
        return
    if asked.purpose != OFFER:
        yield day("203", needed(answer.fixed_on or asked.fixed_on, "fixed_on"))
    elif reason.code == WINDOW_CODE:
        yield from window(answer.window_from, answer.window_to)


def _others(reason: Reason, sending: MarketSending) -> Iterator[Segment]:
    """Where old devices go, or who may order."""
    if reason.code == "ZB5":
        customer, location = needed(sending.facts.return_to, "return_to")
        yield places.nad("Z22", places.name(customer, "company"), places.address(location))
    elif reason.code == "Z07":
        yield nad("VY", needed(sending.facts.right_partner, "right_partner"))


def _fault(asked: Asked, codes: Codes, accepted: bool, reason: Reason, sending: MarketSending) -> Iterator[Segment]:
    """23004 says until when the fault will be mended, 23003 why it is not ours."""
    yield from (*begin(sending, "4"), *parties(sending, "MR"))
    yield seg("DOC", "22", sending.numbers.transaction)
    pid = codes.accepted if accepted else codes.refused
    yield from (rff("Z13", pid), rff("AAV", asked.transaction or asked.document), seg("LIN", "1"))
    if accepted:
        yield at("292", needed(sending.facts.work_ends_at, "work_ends_at"))
        yield seg("STS", "Z06", "Z10")
    yield seg("STS", "E01", "", reason.code)
    if reason.text and not accepted:
        yield ftx("ACB", reason.text)
    if asked.metering_point:
        yield from (seg("NAD", "DP"), seg("LOC", "172", asked.metering_point.id))
