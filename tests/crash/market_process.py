"""The real adapter as a process that a test kills; beside it a case service that has every order done at once."""

import asyncio
from uuid import NAMESPACE_OID, uuid5

import sqlalchemy as sa
from fastapi import APIRouter

from contracts.orders import OrderReceived
from kit import faults, logs
from kit.aggregate import Aggregate
from kit.db import kernel
from kit.handlers import Handlers, Received
from kit.service import Service, open_store
from kit.store import Unit
from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from simulators.facts import new_serial, number_of
from tests.crash.process import serve
from tests.services.mdm_adapter.scenes import opened, requested, visited
from tests.services.mdm_adapter.streets import decided


def do_at_once(received: Received[OrderReceived], unit: Unit) -> None:
    """The order is accepted, the work done and to be handed over: all that a case tells the adapter on its way."""
    order, case_id = received.event, uuid5(NAMESPACE_OID, received.event.order_key)
    case = opened(order.order_key, case_id=case_id)
    unit.tell(
        case.model_copy(update={"metering_point_id": order.metering_point_id}),
        decided(order.order_key, "accepted", "A02", "E_0249").model_copy(update={"case_id": case_id}),
        visited(case_id=case_id, new=new_serial(number_of(order.metering_point_id))),
        requested(case_id=case_id),
    )


def case_service(settings: Settings) -> Service:
    """What stands in for the hub behind the adapter."""
    handlers, metadata = Handlers(main=Aggregate), sa.MetaData()
    kernel(metadata)
    handlers.on(OrderReceived, needs=lambda *_: ())(do_at_once)
    store, tells = open_store("case_service", settings, {}), ("rollout.cases", "rollout.visits")
    return Service("case_service", settings, store, handlers, metadata, APIRouter(), tells=tells)


def main() -> None:
    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_format)
    faults.refuse_outside_tests(settings)
    adapter = build(settings)
    asyncio.run(serve(settings, [adapter, case_service(settings)], adapter))


if __name__ == "__main__":
    main()
