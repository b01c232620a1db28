"""How mdm_adapter is put together: the only wiring."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from kit import faults
from kit.clock import Clock
from kit.outward import Outward
from kit.service import Service, open_store
from kit.store import Store
from services.mdm_adapter.api import routes
from services.mdm_adapter.desk import FILE, REST, RESULT, TOPIC, WEBHOOK, Desk
from services.mdm_adapter.dialects.reading import records
from services.mdm_adapter.domain.imports import JOB
from services.mdm_adapter.handlers import listening
from services.mdm_adapter.importing import ImportJob
from services.mdm_adapter.measuring import Gauges
from services.mdm_adapter.partners.loader import Partners
from services.mdm_adapter.partners.secrets import Secrets
from services.mdm_adapter.receiving import Arriving, Receipt, needs_receiving, receive
from services.mdm_adapter.refreshing import Refreshing
from services.mdm_adapter.sealing import DailyEnds, folder_of
from services.mdm_adapter.settings import Settings
from services.mdm_adapter.store import KINDS
from services.mdm_adapter.tables import metadata
from services.mdm_adapter.transports.file_drop import DropFolders
from services.mdm_adapter.transports.file_out import FilePort, ResultPort
from services.mdm_adapter.transports.rest import RestPort
from services.mdm_adapter.transports.topic import TopicPort, Topics, refuse_unknown_clusters
from services.mdm_adapter.transports.webhook import WebhookPort

NAME = "mdm_adapter"


def build(settings: Settings, clock: Clock | None = None, new_id: Callable[[], UUID] | None = None) -> Service:
    """Put the service together; nothing is opened or started yet. Raises BadProfile."""
    store = open_store(NAME, settings, KINDS, clock, new_id)
    desk = Desk(
        partners=Partners.load(settings.partners_dir),
        source=settings.message_source,
        fact_wait=timedelta(minutes=settings.fact_wait_minutes),
        urls=settings.partner_urls,
        secrets=Secrets(settings.secrets_path),
        market_id=settings.market_id,
    )
    refuse_unknown_clusters(desk.partners.all(), settings.partner_clusters)
    taking = partial(take_in, store)
    refreshing = Refreshing(store, desk, settings.partners_dir)
    ends = DailyEnds(store, folder_of(settings))
    instance = settings.instance or "main"
    folders = DropFolders(
        settings.drop_path,
        instance,
        desk,
        taking,
        settings.drop_settle_seconds,
        lambda partner, content: records(content, desk.partners.find(partner), store.clock.now()),
    )
    topics = Topics(settings.partner_clusters, desk, taking)
    return Service(
        NAME,
        settings,
        store,
        listening(desk),
        metadata,
        routes(desk, refreshing),
        tells=("rollout.orders", "rollout.handovers"),
        ports={
            REST: RestPort(store, desk, taking, settings.partner_timeout_seconds),
            FILE: FilePort(store, desk, settings.drop_path),
            WEBHOOK: WebhookPort(store, desk, Outward(settings.webhook_ports)),
            TOPIC: TopicPort(store, desk, settings.partner_clusters, topics),
            RESULT: ResultPort(store, settings.drop_path),
        },
        jobs={JOB: ImportJob(desk)},
        polls={
            "drop": folders.poll,
            "topics": topics.poll,
            "agreements": refreshing.poll,
            "archive": ends.poll,
            "gauges": Gauges(store),
        },
        prepare=refreshing.look,
    )


async def take_in(store: Store, arriving: Arriving) -> Receipt:
    """Store what came on a way without a request: a file, or the body of an answer."""
    receipt = await store.run(store.actor, lambda unit: receive(unit, arriving), needs=needs_receiving(arriving))
    faults.point("in.archived")
    return receipt
