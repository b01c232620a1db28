"""How long an event takes: through one service on Kafka, and from an HTTP request to the neighbour that applied it."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import sqlalchemy as sa
from aiokafka import AIOKafkaProducer
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from contracts.roles import Role
from contracts.topics import TOPICS
from kit import tables
from kit.auth import Principal, Signer, needs
from kit.bus import Abandon, Record
from kit.http import the_store, web
from kit.kafka import KafkaBus
from kit.local import LocalBus
from kit.serve import listening, settle
from kit.service import Runtime
from kit.settings import Settings
from kit.store import Store, Unit
from tests.bench import child, embedded, kernel, workload

WARM_SECONDS = 2.0
"""What is sent at first is not counted: connections, prepared statements and caches come into being."""


async def paced(rate: int, seconds: float) -> Any:
    """Numbers at a steady rate; who is late catches up."""
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        if (wait := began + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        yield number


async def send(kafka: str, rate: int, seconds: float) -> None:
    """Tell events at a steady rate; the correlation of each is the moment before it is sent."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=0) as producer:
        sending = []
        async for number in paced(rate, seconds):
            (record,) = workload.records([number])
            place = {"key": record.key, "partition": record.partition, "headers": record.headers}
            sending.append(await producer.send(workload.HEARD, record.value, **place))
        await asyncio.gather(*sending)


def quantiles(seconds: Sequence[float]) -> child.Measured:
    """Median and 99th percentile in milliseconds."""
    ordered = sorted(seconds)
    return {"p50_ms": ordered[len(ordered) // 2] * 1e3, "p99_ms": ordered[len(ordered) * 99 // 100] * 1e3}


async def on_kafka(database: str, kafka: str, rate: int, seconds: float) -> child.Measured:
    """From just before the record is sent until the outgoing event is acknowledged; another process sends."""
    service = workload.build(kernel.settings_on(database, kafka))
    await service.store.db.transact(workload.metadata.create_all)
    bus = KafkaBus(service.settings)
    await bus.provision([TOPICS["rollout.dead-letters"]])
    runtime = Runtime(service, bus)
    await runtime.start()
    settle()
    while not runtime.position():  # noqa: ASYNC110 - it has joined its group when it knows where it stands
        await asyncio.sleep(0.05)
    sender = await asyncio.to_thread(child.launch, "latency", run="sender", kafka=kafka, rate=rate, seconds=seconds)
    await asyncio.to_thread(sender.wait)
    await kernel.all_told(service, int(rate * seconds))
    taken = await service.store.read(_taken)
    await runtime.stop()
    await bus.stop()
    return quantiles(taken[int(rate * WARM_SECONDS) :])


def _taken(db: sa.Connection) -> list[float]:
    log = tables.event_log
    found = db.execute(sa.select(log.c.told_at, log.c.headers).order_by(log.c.position))
    return [row.told_at.timestamp() - int(row.headers["ce_correlationid"]) / 1e9 for row in found]


class Asked(BaseModel):
    """Which event to tell, and when that was asked for, in microseconds."""

    number: int
    at: int


def door() -> APIRouter:
    """The neighbour's door: one request, one event."""
    made = APIRouter()

    @made.post("/v1/facts", status_code=201)
    async def accept(
        asked: Asked,
        principal: Annotated[Principal, Depends(needs("work_order:plan"))],
        store: Annotated[Store, Depends(the_store)],
    ) -> Asked:
        def command(unit: Unit) -> Asked:
            unit.tell(workload.rejected(asked.number).model_copy(update={"message_ref": f"at:{asked.at}"}))
            return asked

        return await store.run(principal, command)

    return made


async def over_http(rate: int, seconds: float) -> child.Measured:
    """From just before the POST until the neighbour's commit returned; another process asks."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        settings = Settings(data_dir=folder, port=0)
        signer = Signer.new("rollout-hub")
        signer.write_jwks(folder / "jwks.json")
        adapter, service = embedded.teller(settings, door()), workload.build(settings)
        for each in (adapter, service):
            await each.store.db.transact(each.metadata.create_all)
        bus = LocalBus({workload.HEARD: adapter.store.db, workload.TOLD: service.store.db})
        runtimes = [Runtime(adapter, bus), Runtime(service, bus)]
        applied = Applied(runtimes[1])
        for runtime in runtimes:
            await runtime.start()
        settle()
        async with listening(settings, web(adapter, runtimes[0].health)) as server:
            port = server.servers[0].sockets[0].getsockname()[1]
            token = signer.person("local:bench", (Role.DISPATCHER,), None, adapter.store.clock.now(), 3600)
            asked = {"port": port, "token": token, "rate": rate, "seconds": seconds}
            asker = await asyncio.to_thread(child.launch, "latency", run="asker", **asked)
            await asyncio.to_thread(asker.wait)
            while len(applied.taken) < int(rate * seconds):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        for runtime in runtimes:
            await runtime.stop()
    return quantiles(applied.taken[int(rate * WARM_SECONDS) :])


class Applied:
    """Notes for each event how old it was when it was durably applied."""

    def __init__(self, runtime: Runtime) -> None:
        self.taken: list[float] = []
        self._deliver = runtime.processor.deliver
        runtime.processor.deliver = self.deliver  # type: ignore[method-assign]

    async def deliver(self, records: Sequence[Record], abandon: Abandon) -> None:
        await self._deliver(records, abandon)
        now = time.time_ns() // 1_000
        for record in records:
            asked_at = int(json.loads(record.value or b"")["message_ref"].removeprefix("at:"))
            self.taken.append((now - asked_at) / 1e6)


CONNECTIONS = 16


async def ask(port: int, token: str, rate: int, seconds: float) -> None:
    """POST at a steady rate over kept connections, written by hand: a client library would cost as much as the hub."""
    due: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
    clients = [asyncio.create_task(_client(port, token, due)) for _ in range(CONNECTIONS)]
    async for number in paced(rate, seconds):
        due.put_nowait((number, time.time_ns() // 1_000))
    answered = asyncio.create_task(due.join())
    await asyncio.wait([answered, *clients], return_when=asyncio.FIRST_COMPLETED)
    assert answered.done(), "a request was refused"
    for client in clients:
        client.cancel()


async def _client(port: int, token: str, due: "asyncio.Queue[tuple[int, int]]") -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        number, at = await due.get()
        body = json.dumps({"number": number, "at": at})
        writer.write(
            f"POST /v1/facts HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Idempotency-Key: bench-{number}-{at}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 201"), head
        await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
        due.task_done()


async def main(run: str, **arguments: Any) -> child.Measured:
    """One of the two measurements, or the other side of one."""
    if run == "sender":
        await send(**arguments)
    elif run == "asker":
        await ask(**arguments)
    else:
        return await (on_kafka if run == "kafka" else over_http)(**arguments)
    return {}


if __name__ == "__main__":
    child.main(main)
