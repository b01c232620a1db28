"""What a recipient is told about one point leaves in order, however many workers send; other points never wait."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from kit.effects import Done, Effects, Outcome, Transient
from kit.store import Unit
from tests.services.mdm_adapter.scenes import Scene

POINTS, WORKERS = 200, 8
STUCK = "point-7"


class Slow:
    """A recipient that takes each message after a while of its own, and never the first of one point."""

    repeatable = True
    retry = ()

    def __init__(self) -> None:
        self.came = defaultdict[str, list[str]](list)

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        for _ in range(hash(reference) % 7):
            await asyncio.sleep(0)
        point, _, what = payload["point"].partition(" ")
        if point == STUCK:
            return Transient("busy")
        self.came[point].append(what)
        return Done(reference)

    async def ask(self, _reference: str) -> Outcome | None:
        return None


async def test_X16_no_point_is_told_the_other_way_round_and_one_that_is_stuck_stops_no_other(scene: Scene) -> None:
    came = await sent_by_eight(scene)
    assert {tuple(each) for each in came.values()} == {("removed", "installed")}
    assert (len(came), STUCK in came) == (POINTS - 1, False)


async def sent_by_eight(scene: Scene) -> Mapping[str, list[str]]:
    port, store = Slow(), scene.store
    for what in ("removed", "installed"):
        for number in range(POINTS):
            payload = {"point": f"point-{number} {what}"}

            def decide(unit: Unit, payload: dict[str, str] = payload, number: int = number) -> None:
                unit.effect("told", str(unit.new_id()), payload, lane=f"erp-a/point-{number}")

            await store.run(store.actor, decide)
    workers = [Effects(store, scene.service.handlers, {"told": port}) for _ in range(WORKERS)]
    while any(await asyncio.gather(*(worker.send_due() for worker in workers))):
        pass
    return port.came
