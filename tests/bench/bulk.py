"""A planner's single moves while ten thousand work orders are moved in bulk, beside the same moves before: embedded."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from contracts.parts import Contact
from contracts.roles import Role
from kit import tables
from kit.auth import Signer
from kit.bus import Abandon, Record
from kit.http import web
from kit.local import LocalBus
from kit.processing import Processor
from kit.serve import listening, settle
from kit.service import Runtime, Service
from kit.testing import wire
from services.case_service import tables as own
from services.case_service.app import TELLS, build
from services.case_service.settings import Settings
from tests.bench import child
from tests.bench.latency import paced
from tests.unit.case_service.builders import an_order

RATE = 20
"""Single moves a second: some planners at work."""
CUSTOMER = Contact(name="A. Kunde", phone="+4915112345678", language="de", sms_allowed=True)


def orders(size: int) -> Iterator[Record]:
    """A partner's orders, as their topic delivers them."""
    for number in range(size):
        point = f"DE0001230010100000000000000{number:06d}"
        order = an_order(order_key=f"erp-a:{number}", order_no=str(number), metering_point_id=point, contact=CUSTOMER)
        yield wire(order, uuid4(), order.received_at, 1, number)


async def measured(items: int, seconds: float) -> child.Measured:
    """Open the cases, measure single moves idle, then again from the start of the bulk move."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        settings = Settings(data_dir=folder, port=0, drain_seconds=0)
        signer = Signer.new(settings.issuer)
        signer.write_jwks(settings.jwks_path)
        service = build(settings)
        single = int(RATE * seconds)
        await opened(service, items + 2 * single)
        ids = await service.store.read(lambda db: [str(each) for each in db.scalars(BY_AGE)])
        runtime = Runtime(service, LocalBus(dict.fromkeys(TELLS, service.store.db)))
        async with listening(settings, web(service, runtime.health)) as server:
            await runtime.start()
            await told(service)
            settle()
            port = server.servers[0].sockets[0].getsockname()[1]
            token = signer.person("local:bench", (Role.DISPATCHER,), None, service.store.clock.now(), 3600)
            ask = Asker(folder / "orders.json", port, token, seconds)
            idle = await ask.moves(ids[:single])
            busy, took = await ask.while_bulk(ids[single : 2 * single], ids[2 * single :])
        await runtime.stop()
    return {
        "idle_p95_ms": idle,
        "busy_p95_ms": busy,
        "ratio_idle": busy / idle,
        "items": items,
        "items_per_s": items / took,
    }


BY_AGE = sa.select(own.work_orders.c.work_order_id).order_by(own.work_orders.c.work_order_id)


async def opened(service: Service, size: int) -> None:
    """So many cases."""
    await service.store.db.transact(service.metadata.create_all)
    processor = Processor(service.name, service.store, service.handlers)
    records = list(orders(size))
    for at in range(0, size, 500):
        await processor.deliver(records[at : at + 500], Abandon())


async def told(service: Service) -> None:
    """Until nothing is left to tell of them."""
    unsent = sa.select(tables.outbox.c.id).limit(1)
    while await service.store.read(lambda db: db.scalar(unsent)) is not None:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.05)


class Asker:
    """Planners in a process of their own, and the bulk move beside them."""

    def __init__(self, file: Path, port: int, token: str, seconds: float) -> None:
        self.file, self.port, self.token, self.seconds = file, port, token, seconds

    async def moves(self, ids: Sequence[str]) -> float:
        """The 95th percentile of single moves in milliseconds."""
        self.file.write_text(json.dumps(ids), "ascii")
        given = {"run": "planners", "port": self.port, "token": self.token, "file": str(self.file)}
        measured = await asyncio.to_thread(child.measure, "bulk", **given)
        return measured["p95_ms"]

    async def while_bulk(self, ids: Sequence[str], others: Sequence[str]) -> tuple[float, float]:
        """The same while a bulk move of these others runs, and the seconds that one took."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers) as http:
            asked = {"move": "start_planning", "ids": others}
            batch = (await http.post("/v1/bulk-moves", json=asked)).json()["batch_id"]
            await state(http, batch, "planned")
            began = time.monotonic()
            await http.post(f"/v1/bulk-moves/{batch}/run")
            busy = await self.moves(ids)
            shown = (await http.get(f"/v1/bulk-moves/{batch}")).json()
            assert shown["state"] == "running", "the bulk move was over before the planners were"
            shown = await state(http, batch, "done")
            assert shown["counts"]["moved"] == len(others), shown["counts"]
            return busy, time.monotonic() - began


async def state(http: httpx.AsyncClient, batch: str, wanted: str) -> Any:
    """Look at the batch until it is so far."""
    while True:
        shown = (await http.get(f"/v1/bulk-moves/{batch}", params={"limit": 1})).json()
        if shown["state"] == wanted:
            return shown
        await asyncio.sleep(0.25)


async def planners(port: int, token: str, file: str) -> child.Measured:
    """Ask for one move after the other at a steady rate; each is timed from when it was due."""
    taken: list[float] = []
    asking = set()
    ids = json.loads(await asyncio.to_thread(Path(file).read_text, "ascii"))
    async for number in paced(RATE, len(ids) / RATE):
        asking.add(asyncio.create_task(move(port, token, ids[number], time.monotonic(), taken)))
    await asyncio.gather(*asking)
    return {"p95_ms": sorted(taken)[len(taken) * 95 // 100] * 1e3}


async def move(port: int, token: str, order_id: str, due: float, taken: list[float]) -> None:
    """One move, on a connection of its own, written by hand: a client library would cost as much as the hub."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"move": "start_planning", "expected_version": 1})
    writer.write(
        f"POST /v1/work-orders/{order_id}/moves HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Idempotency-Key: bench-{order_id}\r\nConnection: close\r\n\r\n{body}".encode()
    )
    answer = (await reader.read()).decode()
    taken.append(time.monotonic() - due)
    assert answer.startswith("HTTP/1.1 200"), answer[:300]
    writer.close()


async def main(run: str, **arguments: Any) -> child.Measured:
    """The measurement, or the other side of it."""
    return await (measured if run == "measured" else planners)(**arguments)


if __name__ == "__main__":
    child.main(main)
