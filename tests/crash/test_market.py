"""A real SIGKILL at every point of an interchange on its way in or out: a partner over HTTP sees one effect of each."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.orders import OrderReceived
from kit import faults, tables
from kit.clock import FileClock
from kit.keys import KeyFile
from kit.serve import listening
from kit.settings import Settings
from kit.testing import MONDAY_MORNING
from services.mdm_adapter.tables import metadata
from simulators import facts
from simulators.edifact.party import EdifactParty
from simulators.facts import OrderFacts
from simulators.marketplace import EDIFACT, Speech, profile_of
from tests.crash import counting
from tests.crash.process import FileGateway
from tests.crash.report import say
from tests.crash.rig import LIMIT, Rig, left_to_do
from tests.servers.processes import free_ports

NB, HUB = "nb-nord", "hub"
POINTS = [point for group in ("http", "inbound", "timer", "effect") for point in faults.GROUPS[group]]
ELSEWHERE = {"in.receipt_sent"}
"""A file has a receipt beside it; over HTTP that is the answer, `http.answered`."""
INTERCHANGES = (1, 2, 3, 4)
"""Each order brings four in (itself, receipts for what it is answered with) and four out, and dies at each of them."""
BETWEEN = [point for group in ("relay", "consume") for point in faults.GROUPS[group]]
ON_KAFKA = {"relay.sent_some", "consume.offset_committed"}
CRASHES = [
    *(f"{point}:{hit}" for hit in INTERCHANGES for point in POINTS if point not in ELSEWHERE),
    *(f"{point}:1" for point in BETWEEN if point not in ON_KAFKA),
]
ANSWERS = {("received", "312"), ("accepted", "A02")}
DOCUMENTS = 3
"""Facts of one order that the grid operator takes over: the devices, and a reading of each of the two."""
TICK = timedelta(seconds=0.1)


class GridRig(Rig):
    """The adapter's process, with a grid operator at this address."""

    module = "tests.crash.market_process"

    def __init__(self, folder: Path, clock: FileClock, address: str) -> None:
        super().__init__(folder, {})
        (folder / "partners").mkdir()
        (folder / "partners" / f"{NB}.yaml").write_text(profile_of(NB, Speech(EDIFACT)))
        self.more = {
            "HUB_CLOCK": str(clock.path),
            "HUB_PARTNERS_DIR": str(folder / "partners"),
            "HUB_PARTNER_URLS": json.dumps({NB: address}),
            "HUB_MARKET_ID": facts.HUB_CODE,
        }


class GridOperator:
    """It takes what is posted to it, and repeats what it has to say until that is accepted: it knows of no kill."""

    def __init__(self, clock: FileClock, http: httpx.AsyncClient) -> None:
        self.clock, self.http = clock, http
        self.party = EdifactParty(clock, NB, "nb")
        self.orders: dict[str, bytes] = {}
        self.accepted = Counter[str]()
        """2xx by the digest of what was sent."""
        self.refused: list[str] = []

    async def take(self, request: Request) -> Response:
        status, _ = self.party.take(await request.body())
        return Response(status_code=status)

    def orders_work(self, number: int) -> None:
        order_no = facts.number_at(NB, number)
        self.orders[order_no] = self.party.order(OrderFacts(number), order_no)
        self.party.send_later(timedelta(), self.orders[order_no])

    def answers(self) -> dict[str, Counter[tuple[str, str]]]:
        """What each order was answered, and how often."""
        return {order_no: Counter(self.party.log(order_no).answers) for order_no in self.orders}

    async def speaks(self) -> None:
        while True:
            await self.party.act(self._send)
            await self._time_goes_by()

    async def _send(self, _: str, message: bytes) -> None:
        while not await self._is_accepted(message):
            await self._time_goes_by()
        self.accepted[sha256(message).hexdigest()] += 1

    async def _is_accepted(self, message: bytes) -> bool:
        try:
            answer = await self.http.post(f"/v1/in/{NB}", content=message)
        except httpx.HTTPError:
            return False
        self.refused += [] if answer.status_code in {202, 503} else [f"{answer.status_code} {answer.text}"]
        return answer.is_success

    async def _time_goes_by(self) -> None:
        self.clock.set(self.clock.now() + TICK)
        await asyncio.sleep(0.02)


@asynccontextmanager
async def street(folder: Path) -> AsyncIterator[tuple[Rig, GridOperator]]:
    """The rig, and the grid operator at work."""
    clock, (port,) = FileClock.starting(folder / "clock", MONDAY_MORNING), free_ports(1)
    key = KeyFile(folder / "keys.json").add(NB, ["order:submit"], clock.now(), NB)
    with GridRig(folder, clock, f"http://127.0.0.1:{port}/in") as rig:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": EdifactParty.media_type}
        async with httpx.AsyncClient(base_url=rig.url, headers=headers) as http:
            operator = GridOperator(clock, http)
            app = Starlette(routes=[Route("/in", operator.take, methods=["POST"])])
            async with listening(Settings(data_dir=folder, port=port), app):
                speaking = asyncio.create_task(operator.speaks())
                yield rig, operator
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)


class Ledger:
    """What the databases of the killed process say."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(data_dir=folder)
        self.adapter = counting.build_adapter(settings)
        self.case = counting.build(settings, FileGateway(folder))

    async def rows(self, table: sa.Table) -> Sequence[Any]:
        return await self.adapter.store.read(lambda db: db.execute(sa.select(table)).all())

    async def ordered(self) -> Counter[str]:
        """How often each order was told to the hub."""
        told = await self.rows(tables.event_log)
        return Counter(row.key for row in told if row.headers["ce_type"] == OrderReceived.ce_type)

    async def is_settled(self) -> bool:
        return not await left_to_do(self.case, self.adapter)

    async def close(self) -> None:
        for store in (self.adapter.store, self.case.store):
            await store.db.close()


async def settled(rig: Rig, operator: GridOperator, ledger: Ledger, answers: Mapping[str, int]) -> None:
    """Wait until every order has its documents and so many answers, and nobody has anything left to do."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LIMIT
    while not (
        len(operator.party.effects) >= DOCUMENTS * len(operator.orders)
        and all(operator.answers()[order_no].total() >= count for order_no, count in answers.items())
        and operator.party.next_due() is None
        and await ledger.is_settled()
    ):
        assert loop.time() < end, f"not settled: {operator.party.journal[-9:]}\n{rig.tail()}"
        await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_E16_an_adapter_that_is_killed_anywhere_has_every_interchange_done_once(tmp_path: Path) -> None:
    async with street(tmp_path) as (rig, operator):
        for number, crash in enumerate(CRASHES, 1):
            operator.orders_work(number)
            rig.start(HUB, crash=crash)
            await asyncio.to_thread(rig.dies, HUB, crash)
        rig.start(HUB)
        ledger, party = Ledger(tmp_path), operator.party
        await settled(rig, operator, ledger, dict.fromkeys(operator.orders, len(ANSWERS)))
        first = operator.answers()
        for content in operator.orders.values():
            party.send_later(timedelta(), content)
        again = {order_no: answers + Counter(ANSWERS) for order_no, answers in first.items()}
        await settled(rig, operator, ledger, {order_no: answers.total() for order_no, answers in again.items()})
        came = await ledger.rows(metadata.tables["inbound_messages"])
        states = {row.state for row in await ledger.rows(metadata.tables["handover_rows"])}
        ordered = await ledger.ordered()
        await ledger.close()
    copies = sum(log.copies for log in party.logs.values())
    say(
        f"{rig.kills} kills, {operator.accepted.total()} interchanges accepted, {copies} sent twice, {len(came)} in all"
    )
    assert rig.kills == len(CRASHES)
    assert set(party.effects.values()) == {1}
    assert len(party.effects) == DOCUMENTS * len(operator.orders)
    assert all(answers.keys() == ANSWERS for answers in first.values())
    assert operator.answers() == again  # the same answers to a repetition, once per repetition
    assert ordered == dict.fromkeys((f"{NB}:{order_no}" for order_no in operator.orders), 1)
    assert {row.state for row in came} == {"PROCESSED"}
    assert operator.accepted.keys() <= {row.sha256 for row in came}
    assert states == {"TRANSFERRED"}
    assert operator.refused == [each for log in party.logs.values() for each in log.trouble] == []
