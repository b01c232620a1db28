"""Whom a fact of a case is told, and in which document: the matrix, read for this case."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from contracts.codes import AnnouncedPlan, Decision, Fact
from services.mdm_adapter.documents.matrix import MARKET, MATRIX, Accept, DocumentKind, Role, Rule
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import Party
from services.mdm_adapter.domain.dossier import Dossier
from services.mdm_adapter.domain.handover import Handover
from services.mdm_adapter.domain.orders import Order
from services.mdm_adapter.partners.profile import Profile


@dataclass(frozen=True, slots=True)
class Known:
    """What recipients are looked up in: the orders of the case, and the profiles by id and by market code."""

    orders: Mapping[str, Order]
    find: Callable[[str], Profile | None]
    called: Callable[[str, date], Profile | None]
    point: OrderContent | None = None
    """What is known of the point, for orders that do not say who holds a role there."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One row of a handover that is to be."""

    partner: str
    """A partner's id; the market code of a party that has no profile."""
    role: Role
    order_key: str
    document: DocumentKind
    accept: Accept


def recipients(dossier: Dossier, handover: Handover, known: Known, on: date) -> list[Recipient]:
    """Who ordered, and the parties of the point that are valid on the day of the fact; nobody the same thing twice.

    A party that ordered the work and withdrew it hears both: that it is cancelled, and the state that holds again.
    """
    ordering = list(_ordering(dossier, handover, known))
    told, market = {(each.partner, each.document) for each in ordering}, dict[str, Recipient]()
    for each in _market(dossier, handover, known, on):
        if (each.partner, each.document) not in told:
            market.setdefault(each.partner, each)
    return [*ordering, *market.values()]


def _ordering(dossier: Dossier, handover: Handover, known: Known) -> Iterator[Recipient]:
    """The partner of every order of the case that stands; of a cancellation, who asked for it."""
    rule = MATRIX.get((handover.fact, Role.ORDERING))
    if rule is None:
        return
    keys = [handover.order_key] if handover.fact is Fact.CANCELLED and handover.order_key else dossier.orders
    for key in keys:
        partner = key.partition(":")[0]
        profile, order = known.find(partner), known.orders.get(key)
        if _hears(dossier, handover, profile, order):
            yield Recipient(partner, Role.ORDERING, key, rule.document, rule.accept or _agreed(profile))


def _hears(dossier: Dossier, handover: Handover, profile: Profile | None, order: Order | None) -> bool:
    """Of a cancellation hears who asked for it; of the work, whose order stands, and of each failed visit who wants."""
    if handover.fact is Fact.CANCELLED:
        return order is not None and order.cancel_message_id is not None
    if order is not None and order.cancelled_version is not None and order.order_key in dossier.withdrawn:
        return False
    wants_each = profile is None or profile.options.report_failed_visits
    return handover.fact is not Fact.WORK_NOT_COMPLETED or handover.final or wants_each


def _agreed(profile: Profile | None) -> Accept:
    """Which answer of an ordering partner counts; roles of the market give a receipt, and object later if at all."""
    if profile is None:
        return Accept.BUSINESS
    return Accept.PROCESSABILITY if profile.contract == "market" else profile.accept


def _market(dossier: Dossier, handover: Handover, known: Known, on: date) -> Iterator[Recipient]:
    """The parties of the point, by role. Work that a role of the market ordered fails for whoever ordered it alone."""
    if handover.fact is Fact.WORK_NOT_COMPLETED and not (handover.final and _own_rollout(dossier, known)):
        return
    if handover.fact is Fact.CANCELLED and handover.decision is not Decision.STORNO:
        return
    for role in MARKET:
        rule = MATRIX.get((handover.fact, role))
        if rule is None or not _planned(rule, handover):
            continue
        for key, party in _parties(dossier, known, role, on):
            profile = known.called(party.id, on)
            partner = profile.id if profile else party.id
            if handover.fact is Fact.CANCELLED and not dossier.was_told(Fact.EXCHANGE_COMPLETED, partner):
                continue
            yield Recipient(partner, role, key, rule.document, rule.accept or Accept.BUSINESS)


def _own_rollout(dossier: Dossier, known: Known) -> bool:
    profiles = [known.find(key.partition(":")[0]) for key in dossier.orders]
    return not any(profile and profile.contract == "market" for profile in profiles)


def _planned(rule: Rule, handover: Handover) -> bool:
    """An announcement without a plan is one of an intelligent system: only that must be announced."""
    return (handover.plan or AnnouncedPlan.IMS) in rule.plans


def _parties(dossier: Dossier, known: Known, role: Role, on: date) -> Iterator[tuple[str, Party]]:
    """Who holds a role by each order of the case: the latest of those that are valid by then."""
    for key in dossier.orders:
        order, profile = known.orders.get(key), known.find(key.partition(":")[0])
        if order is None or order.content is None:
            continue
        below = [each for each in (known.point, profile.defaults.content() if profile else None) if each]
        full = order.content.filled(*below)
        held = [each for each in full.parties or () if each.role == role and (each.valid_from or date.min) <= on]
        if held:
            yield key, max(held, key=lambda each: each.valid_from or date.min)
