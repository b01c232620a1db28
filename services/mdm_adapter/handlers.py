"""What mdm_adapter hears: one small function per event, timer and outcome."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from contracts.cases import (
    CaseAbandoned,
    CaseAmended,
    CaseCancelled,
    CaseCompleted,
    CaseOpened,
    CasePurged,
    CaseReopened,
    ExceptionApproved,
    HandoverRequested,
    OrderAnswered,
)
from contracts.codes import ExceptionType, Fact, FailureCause, Level, PurgeScope
from contracts.visits import VisitReported
from kit.handlers import Handlers, Sent, Timer
from kit.inbox import Received
from kit.store import Ref, Unit
from services.mdm_adapter import outcomes, owing, processing
from services.mdm_adapter.desk import FILE, REST, TOPIC, WEBHOOK, Desk
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import RowState, Signal
from services.mdm_adapter.domain.messages import Endpoint
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.handing_over import (
    ACK_DUE,
    FACT_MISSING,
    RESEND,
    dispatch,
    hand_over,
    needs_rows,
    release_held,
)
from services.mdm_adapter.metrics import RESENDS
from services.mdm_adapter.partners.profile import WebhookOut
from services.mdm_adapter.receiving import PROCESS
from services.mdm_adapter.transports.webhook import GONE

STANDS_IN = frozenset(
    {
        ExceptionType.HANDOVER_REJECTED,
        ExceptionType.HANDOVER_FAILED,
        ExceptionType.HANDOVER_SILENT,
        ExceptionType.FOREIGN_METER,
    }
)
"""Approved exceptions that stand in for a partner's answer."""


def listening(desk: Desk) -> Handlers:
    """The handlers of the service, at this desk."""
    handlers = Handlers(main=Dossier)
    handlers.on(CaseOpened, needs=lambda fact, _: with_orders(fact.key(), fact.orders))(know_case)
    handlers.on(CaseAmended, needs=lambda fact, _: with_orders(fact.key(), fact.orders or ()))(amend_case)
    handlers.on(CaseCancelled)(drop_what_is_held)
    handlers.on(CaseCompleted)(end_case)
    handlers.on(CaseAbandoned)(end_case)
    handlers.on(CaseReopened)(reopen_case)
    handlers.on(CasePurged, needs=needs_purge)(purge_case)
    handlers.on(HandoverRequested, needs=needs_request)(partial(tell_partners, desk))
    handlers.on(VisitReported, needs=lambda fact, unit: needs_rows(fact.key(), [], unit))(partial(keep_visit, desk))
    handlers.on(ExceptionApproved)(accept_by_exception)
    handlers.on(OrderAnswered, needs=lambda fact, unit: owing.needs_answer(fact.order_key, unit))(
        partial(owing.answer_order, desk)
    )
    handlers.due(PROCESS, needs=partial(processing.needs_processing, desk))(partial(processing.process, desk))
    handlers.failed(PROCESS, needs=processing.needs_message)(processing.fail)
    handlers.due(FACT_MISSING, needs=lambda timer, _: [(Dossier, timer.payload["case_id"])])(end_wait)
    handlers.due(RESEND, needs=lambda timer, unit: needs_rows(timer.payload["case_id"], [], unit))(
        partial(resend, desk)
    )
    handlers.due(ACK_DUE, needs=lambda timer, _: [(Dossier, timer.payload["case_id"])])(outcomes.miss_receipt)
    handlers.due(outcomes.SILENCE, needs=lambda timer, _: [(Dossier, timer.payload["case_id"])])(hear_silence)
    handlers.sent(WEBHOOK, needs=needs_webhook)(partial(hear_webhook, desk))
    for kind in (REST, FILE, TOPIC):
        handlers.sent(kind, needs=outcomes.needs_outcome)(partial(outcomes.record, desk))
    return handlers


def needs_webhook(sent: Sent, unit: Unit) -> Iterator[Ref]:
    """What every outcome needs, and what is known of the address."""
    yield from outcomes.needs_outcome(sent, unit)
    yield Endpoint, sent.payload["partner"]


def hear_webhook(desk: Desk, sent: Sent, unit: Unit) -> None:
    """An address that is gone is not called any more."""
    outcomes.record(desk, sent, unit)
    profile = desk.partners.find(sent.payload["partner"])
    if sent.cause == GONE and profile and isinstance(profile.out, WebhookOut):
        endpoint = unit.find(Endpoint, profile.id)
        if endpoint is None:
            endpoint = Endpoint(partner=profile.id, url=profile.out.url, disabled_at=unit.now)
            unit.add(endpoint)
        endpoint.url, endpoint.disabled_at = profile.out.url, unit.now
        unit.anomaly("endpoint_gone", f"partner/{profile.id}")


def know_case(received: Received[CaseOpened], unit: Unit) -> None:
    """From here on documents know the point and the orders of the case."""
    fact = received.event
    dossier = unit.find(Dossier, fact.key())
    if dossier is None:
        dossier = Dossier(case_id=fact.case_id)
        unit.add(dossier)
    if fact.version > dossier.case_version:
        dossier.opened(fact)
        _refer(unit, dossier)


def amend_case(received: Received[CaseAmended], unit: Unit) -> None:
    """References and point may have changed."""
    dossier = unit.get(Dossier, received.event.key())
    dossier.amended(received.event)
    if received.event.orders is not None:
        _refer(unit, dossier)


def drop_what_is_held(received: Received[CaseCancelled], unit: Unit) -> None:
    """What has not left yet does not leave any more."""
    dossier = unit.get(Dossier, received.event.key())
    dossier.ended = True
    for row in dossier.rows:
        if row.held and row.fact is not Fact.CANCELLED and row.meets(Signal.REPLACED):
            row.held = None
            unit.never(FACT_MISSING, str(row.row_id))


def end_case(received: Received[Any], unit: Unit) -> None:
    """The case is over; answers that are still owed come all the same."""
    unit.get(Dossier, received.event.key()).ended = True


def reopen_case(received: Received[CaseReopened], unit: Unit) -> None:
    """A late refusal made it open again."""
    unit.get(Dossier, received.event.key()).ended = False


def needs_purge(fact: CasePurged, unit: Unit) -> Iterator[Ref]:
    """The case and its orders."""
    yield Dossier, fact.key()
    dossier = unit.find(Dossier, fact.key())
    for key in dossier.orders if dossier else ():
        yield Order, key


def purge_case(received: Received[CasePurged], unit: Unit) -> None:
    """A granted erasure takes readings and customers; the archive has its own retention."""
    dossier = unit.find(Dossier, received.event.key())
    if dossier is None or received.event.scope is not PurgeScope.ALL:
        return
    dossier.visits = []
    for key in dossier.orders:
        order = unit.find(Order, key)
        if order and order.content:
            order.content = order.content.model_copy(update={"customer": None, "location": None})


def with_orders(case_id: str, order_keys: Iterable[str]) -> list[Ref]:
    """A case and these orders."""
    return [(Dossier, case_id), *((Order, key) for key in order_keys)]


def _refer(unit: Unit, dossier: Dossier) -> None:
    """Orders know their case, so that what is quarantined about them names it."""
    for key in dossier.orders:
        if order := unit.find(Order, key):
            order.case_id = dossier.case_id


def needs_request(fact: HandoverRequested, unit: Unit) -> Iterator[Ref]:
    """All that documents of the case may need."""
    yield from needs_rows(fact.key(), [fact.order_key] if fact.order_key else [], unit)


def tell_partners(desk: Desk, received: Received[HandoverRequested], unit: Unit) -> None:
    """A fact is to be handed over."""
    hand_over(unit, desk, unit.get(Dossier, received.event.key()), received.event)


def keep_visit(desk: Desk, received: Received[VisitReported], unit: Unit) -> None:
    """Keep what documents need; one that waited for it leaves now. A visit may be heard of before its case."""
    fact = received.event
    dossier = unit.find(Dossier, fact.key())
    if dossier is None:
        dossier = Dossier(case_id=fact.case_id)
        unit.add(dossier)
    if dossier.visited(fact):
        release_held(unit, desk, dossier)


def accept_by_exception(received: Received[ExceptionApproved], unit: Unit) -> None:
    """Somebody decided that the answers of this attempt are not waited for."""
    fact = received.event
    if fact.type in STANDS_IN:
        unit.get(Dossier, fact.key()).except_(fact.fact or Fact.EXCHANGE_COMPLETED, fact.attempt)


def end_wait(timer: Timer, unit: Unit) -> None:
    """The fact did not come in time: a person must look."""
    dossier = unit.get(Dossier, timer.payload["case_id"])
    row = dossier.row(timer.key)
    if row and row.held:
        dossier.broken(row, FailureCause.FACT_MISSING, Level.PROCESSABILITY)


def hear_silence(timer: Timer, unit: Unit) -> None:
    """The time to object is over."""
    dossier = unit.get(Dossier, timer.payload["case_id"])
    if row := dossier.row(timer.key):
        dossier.agreed_by_silence(row)


def resend(desk: Desk, timer: Timer, unit: Unit) -> None:
    """The partner was busy, or the last message cannot be used any more: once more."""
    dossier = unit.get(Dossier, timer.payload["case_id"])
    row = dossier.row(timer.key)
    if row is None:
        return
    if row.state is RowState.ERROR_TECH and row.meets(Signal.RESENT):
        row.tries += 1
    elif row.state is not RowState.QUEUED:
        return
    RESENDS.labels("automatic").inc()
    dispatch(unit, desk, dossier, row)
