"""SIGKILL at any moment, again and again, under load: nothing lost, nothing twice, nothing out of order."""

from pathlib import Path
from random import Random

import pytest

from tests.crash.report import say, summary
from tests.crash.rig import Rig, embedded, until
from tests.servers.kafka import Kafka, kafka_cluster
from tests.servers.postgres import Postgres, postgres_cluster

BOTH = "adapter+counting"


def test_embedded_ten_kills_under_load(tmp_path: Path) -> None:
    events, kills, random = 3_000, 10, Random(20260302)
    with Rig(tmp_path, embedded(tmp_path)) as rig:
        rig.start("adapter", "counting")
        rig.asks(100, most=events)
        for kill in range(1, kills + 1):
            reached(rig, events * kill // (kills + 1) + random.randrange(100))
            rig.kill(BOTH)
            rig.start("adapter", "counting")
        rig.finish()
        verdict = rig.verdict()
        say(summary("embedded storm", rig.history, verdict, kills=rig.kills))
        assert rig.history.count("accept") == events
        assert verdict.clean


def test_the_database_is_killed_five_times_and_no_client_sees_a_defect(tmp_path: Path) -> None:
    """PostgreSQL under the local bus: refused connections are 503, and a reader outlives them."""
    events, kills = 1_500, 5
    with postgres_cluster() as postgres:
        urls = {role: postgres.create_database(f"storm_{role}") for role in ("adapter", "counting")}
        with Rig(tmp_path, urls) as rig:
            rig.start("adapter", "counting")
            rig.asks(100, most=events)
            for kill in range(1, kills + 1):
                reached(rig, events * kill // (kills + 1))
                postgres.kill()
                postgres.restart()
            rig.finish()
            verdict = rig.verdict()
            say(summary("database storm", rig.history, verdict, kills=kills, restarts=rig.restarts))
            assert rig.history.count("accept") == events
            assert verdict.clean


@pytest.mark.slow
def test_two_hundred_kills_over_services_broker_and_database(tmp_path: Path) -> None:
    events, random = 30_000, Random(20260302)
    victims = ["adapter"] * 70 + ["counting"] * 90 + ["broker"] * 20 + ["database"] * 20
    random.shuffle(victims)
    with kafka_cluster() as kafka, postgres_cluster() as postgres:
        urls = {role: postgres.create_database(f"storm_{role}") for role in ("adapter", "counting")}
        with Rig(tmp_path, urls, kafka.bootstrap) as rig:
            rig.start("adapter")
            rig.start("counting")
            rig.asks(300, clients=4, most=events)
            for kill, victim in enumerate(victims, 1):
                reached(rig, events * kill // (len(victims) + 1))
                strike(rig, victim, kafka, postgres)
            rig.finish()
            rig.supervise()
            verdict = rig.verdict(240)
            say(summary("Kafka, PostgreSQL", rig.history, verdict, kills=len(victims), restarts=rig.restarts))
            assert rig.history.count("accept") == events
            assert verdict.clean


def strike(rig: Rig, victim: str, kafka: Kafka, postgres: Postgres) -> None:
    """SIGKILL one, and start it again."""
    if victim == "broker":
        kafka.kill()
        kafka.restart()
    elif victim == "database":
        postgres.kill()
        postgres.restart()
    else:
        rig.kill(victim)
        rig.start(victim)


def reached(rig: Rig, accepted: int) -> None:
    def there() -> bool:
        rig.supervise()
        return rig.accepted() >= accepted

    until(there, f"{accepted} facts to be accepted")
