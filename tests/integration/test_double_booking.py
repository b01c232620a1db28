"""Nobody is booked twice: many dispatchers want the same day of one technician, on both databases."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest

from kit.testing import Stage
from services.booking_service.app import Settings, build
from services.booking_service.domain.grid import cells
from tests.services.booking_service.story import Office, work_order

ORDERS = [UUID(int=0xB00 + number) for number in range(50)]
TRIES_PER_ORDER = 4


@pytest.fixture(params=["sqlite", "postgresql"])
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    new_database: Callable[[], str] = request.getfixturevalue("new_database") if request.param != "sqlite" else str
    stage = await Stage.open(build, tmp_path, settings=Settings, database_url=new_database() or None)
    made = Office(stage)
    await made.opens()
    yield made
    await stage.close()


TRY_AGAIN = 503


async def test_200_tries_to_book_50_work_orders_on_one_day_never_share_a_cell(office: Office) -> None:
    stage = office.stage
    await stage.hears(*(work_order(order, 2 + number) for number, order in enumerate(ORDERS)))
    async with stage.http("dispatcher") as http:

        async def tries(number: int) -> tuple[int, str]:
            quarter = number * 7 % 32
            start = f"2026-03-09T{7 + quarter // 4:02}:{quarter % 4 * 15:02}:00Z"
            order = ORDERS[number % len(ORDERS)]
            body = {"work_order_id": str(order), "technician_id": office.people["Tilo"], "start": start}
            answer = await http.post("/v1/appointments", json=body)
            while answer.status_code == TRY_AGAIN:  # nothing was stored: the queue before it was longer than it waits
                answer = await http.post("/v1/appointments", json=body)
            return answer.status_code, answer.json().get("code", "")

        answers = Counter(await asyncio.gather(*(tries(number) for number in range(200))))
    made, blocks = await stage.rows("appointments"), await stage.rows("blocks")
    wanted = [(row.technician_id, cell) for row in made for cell in cells(row.block_start, row.block_minutes)]
    refused = {code for status, code in answers if status == 409}
    assert answers[201, ""] == len(made) > 0
    assert len(wanted) == len(set(wanted)) == len(blocks)
    assert {status for status, _ in answers} == {201, 409}
    assert refused <= {"slot-taken", "state-forbids", "outside-shift"}
    assert len({row.work_order_id for row in made}) == len(made)
