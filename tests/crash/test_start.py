"""A process that starts while its broker is away serves, keeps what it accepts, and tells it later."""

from pathlib import Path

from tests.crash.report import say, summary
from tests.crash.rig import Rig, embedded, until
from tests.servers.kafka import kafka_cluster

ROLES = ("adapter", "counting")


def test_started_without_a_broker_it_accepts_and_tells_later(tmp_path: Path) -> None:
    with kafka_cluster() as kafka, Rig(tmp_path, embedded(tmp_path), kafka.bootstrap) as rig:
        kafka.kill()
        rig.start(*ROLES)
        rig.asks(20, most=200)
        until(lambda: rig.accepted() == 200, "200 facts to be accepted without a broker")
        kafka.restart()
        rig.finish()
        verdict = rig.verdict()
        say(summary("started without a broker", rig.history, verdict))
        assert rig.history.count("tell") >= 400
        assert rig.restarts == 0
        assert verdict.clean
