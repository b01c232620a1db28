"""The process dies at every named point and starts again: nothing is lost, nothing happens twice or out of order."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from kit import faults
from tests.adapters.on_kafka import fresh
from tests.crash.checker import Verdict
from tests.crash.report import say, summary
from tests.crash.rig import Rig, embedded, until

ELSEWHERE = faults.GROUPS["inbound"] + faults.GROUPS["job"]
"""Those of the real adapter, which test_inbound.py kills, and of long work, which test_bulk.py kills."""
ON_KAFKA = ("relay.sent_some", "consume.offset_committed", "rebalance.revoked")
"""Points that only the Kafka bus passes."""
SHARED = [point for point in faults.POINTS if point not in (*ELSEWHERE, *ON_KAFKA)]
ONCE = ("rebalance.revoked", *(point for point in faults.POINTS if point.startswith("shutdown.")))
"""Points that a process passes once in its life."""
BOTH = ("adapter", "counting")


def pass_through(rig: Rig, points: list[str], hit: int) -> None:
    """One start per point, under steady requests; what dies at one point starts towards the next."""
    for point in points:
        crash = f"{point}:{1 if point in ONCE else hit}"
        rig.start(*BOTH, crash=crash)
        if point.startswith("shutdown"):
            before = rig.accepted()
            until(lambda before=before: rig.accepted() > before, "the process to be ready")  # type: ignore[misc]
            rig.running["+".join(BOTH)].terminate()
        rig.dies("+".join(BOTH), crash)
    rig.start(*BOTH)


def test_embedded_every_point_kills_once_and_nothing_is_lost(tmp_path: Path) -> None:
    with Rig(tmp_path, embedded(tmp_path)) as rig:
        rig.asks(40, pause=0.05)
        pass_through(rig, list(SHARED), 1)
        rig.finish()
        verdict = rig.verdict()
        say(summary(f"{len(SHARED)} points, embedded", rig.history, verdict, kills=rig.kills))
        assert rig.kills == len(SHARED)
        assert verdict.clean


@pytest.mark.slow
async def test_on_kafka_and_postgres_every_point_kills_three_times(
    tmp_path: Path, kafka_bootstrap: str, new_database: Callable[[], str]
) -> None:
    await fresh(kafka_bootstrap)
    urls = {role: new_database() for role in BOTH}
    kills, verdict = await asyncio.to_thread(three_rounds, tmp_path, urls, kafka_bootstrap)
    assert kills == 3 * (len(SHARED) + len(ON_KAFKA) + 1)
    assert verdict.clean


def three_rounds(folder: Path, urls: dict[str, str], kafka: str) -> tuple[int, Verdict]:
    points, random = [*SHARED, *ON_KAFKA], Random(20260302)
    with Rig(folder, urls, kafka) as rig:
        rig.asks(60, pause=0.05)
        for hit in (1, 2, 3):
            random.shuffle(points)
            pass_through(rig, points, hit)
            rig.kill("+".join(BOTH))
        rig.start(*BOTH)
        rig.finish()
        verdict = rig.verdict()
        say(summary(f"{len(points)} points, Kafka and PostgreSQL", rig.history, verdict, kills=rig.kills))
        return rig.kills, verdict
