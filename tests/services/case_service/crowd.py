"""Many cases in a play: enough of them that nobody asks for their moves one by one."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import httpx

from contracts.event import Event
from contracts.parts import Contact
from kit.auth import Scope
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.domain.case import Case
from services.case_service.domain.work_order import WorkOrder
from services.case_service.settings import Settings
from tests.services.case_service.story import appointment, bookable, offered, proposed, text_sent
from tests.unit.case_service.builders import an_order

Line = Callable[[Case, WorkOrder], Event]
SILENT = Contact(name="B. Kunde", phone="+4915112345679", language="de", sms_allowed=False)
"""A customer who wants no text messages."""


class Crowd:
    """Given so many cases, what becomes of a bulk move?"""

    def __init__(self, stage: Stage, size: int) -> None:
        self.stage, self.keys = stage, [f"erp-a:{number}" for number in range(size)]

    @classmethod
    async def begin(cls, folder: Path, size: int, *, silent: int = 0, database_url: str | None = None) -> Self:
        """So many orders came; the first customers of them want no text messages."""
        crowd = cls(await Stage.open(build, folder, settings=Settings, database_url=database_url), size)
        await crowd.hears(*(_order(number, number < silent) for number in range(size)))
        await crowd.says(lambda case, _: bookable(case))
        return crowd

    async def cases(self) -> list[Case]:
        keys = self.keys
        found: list[Case] = await self.stage.run(
            lambda unit: [unit.get(Case, key) for key in keys], needs=[(Case, key) for key in keys]
        )
        return found

    async def orders(self) -> list[WorkOrder]:
        """The work order of every case."""
        return [case.current for case in await self.cases()]

    async def states(self) -> dict[str, int]:
        return Counter(str(order.state) for order in await self.orders())

    async def hears(self, *told: Event) -> None:
        await self.stage.hears(*told)
        assert await self.stage.parked() == []

    async def says(self, line: Line, of: Iterable[UUID] | None = None) -> None:
        """Another service tells a fact about every work order, or about these."""
        wanted = None if of is None else set(of)
        cases = await self.cases()
        await self.hears(
            *(line(each, each.current) for each in cases if wanted is None or each.current.work_order_id in wanted)
        )

    async def are_planned(self) -> None:
        """Planners began with all of them in one bulk move, booking_service set slots aside."""
        batch = await self.plans("start_planning")
        await self.runs(batch)
        await self.says(lambda case, order: proposed(case, order, appointment(order.work_order_id.int & 0xFFFF)))

    async def are_texted(self, of: Iterable[UUID]) -> None:
        """The customers of these get a text."""
        wanted = list(of)
        await self.says(offered, wanted)
        await self.says(text_sent, wanted)

    # asking

    def person(self, name: str = "anna", role: str = "dispatcher", company: UUID | None = None) -> httpx.AsyncClient:
        scope = Scope("company", str(company)) if company else None
        return self.stage.http(role, name=name, scope=scope)

    async def asks(self, path: str, body: Any = None, **who: Any) -> httpx.Response:
        """Somebody posts."""
        async with self.person(**who) as client:
            headers = {"Idempotency-Key": str(uuid4())}
            return await client.post(f"/v1/bulk-moves{path}", json=body, headers=headers)

    async def plans(self, move: str, **given: Any) -> str:
        """A planner selects, all of them unless told otherwise, and looks at the preview; answers the batch."""
        chosen = given if given.keys() & {"ids", "filter"} else given | {"filter": {}}
        answer = await self.asks("", {"move": move} | chosen)
        assert answer.status_code == 202, answer.text
        await self.stage.works()
        found: str = answer.json()["batch_id"]
        return found

    async def runs(self, batch: str, act: str = "run", body: Any = None) -> Any:
        """A planner has it run, to its end."""
        answer = await self.asks(f"/{batch}/{act}", body)
        assert answer.status_code == 202, answer.text
        await self.stage.works()
        return await self.shows(batch)

    async def shows(self, batch: str, **who: Any) -> Any:
        async with self.person(**who) as client:
            return (await client.get(f"/v1/bulk-moves/{batch}")).json()

    async def items(self, batch: str, **asked: Any) -> list[Any]:
        """Items of a batch, all pages of them."""
        found, query = [], dict(asked)
        async with self.person() as client:
            while True:
                page = (await client.get(f"/v1/bulk-moves/{batch}", params=query)).json()
                found += page["items"]
                if page["next"] is None:
                    return found
                query["after"] = page["next"]


def _order(number: int, silent: bool) -> Event:
    who = {"contact": SILENT} if silent else {}
    point = f"DE0001230010100000000000000{number:06d}"
    return an_order(order_key=f"erp-a:{number}", order_no=str(number), metering_point_id=point, **who)
