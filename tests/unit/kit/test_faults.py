"""Crash points: nothing unless a fault is planted, and then exactly at its hit."""

import subprocess
import sys
from pathlib import Path

import pytest

from kit import faults
from kit.settings import Misconfigured, Settings

ROOT = Path(__file__).resolve().parents[3]
PASSES = "from kit import faults; [faults.point('relay.acked') for _ in range(3)]; print('alive')"


def run(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_points_are_those_of_this_page_each_once() -> None:
    assert len(set(faults.POINTS)) == len(faults.POINTS) == 34


def test_a_point_does_nothing_when_no_fault_is_planted() -> None:
    assert {faults.point(each) for each in faults.POINTS} == {None}


def test_a_simulation_may_break_a_process_at_a_point_of_its_choice() -> None:
    passed: list[str] = []

    def at_second(name: str) -> None:
        passed.append(name)
        if passed.count("relay.acked") == 2:
            raise faults.Crashed

    with faults.armed(at_second):
        faults.point("relay.acked")
        faults.point("relay.moved")
        with pytest.raises(faults.Crashed):
            faults.point("relay.acked")
    faults.point("relay.acked")
    assert passed == ["relay.acked", "relay.moved", "relay.acked"]


def test_a_simulated_kill_is_caught_by_no_error_handling() -> None:
    assert not issubclass(faults.Crashed, Exception)


@pytest.mark.parametrize(("hit", "code", "said"), [(1, faults.KILLED, ""), (3, faults.KILLED, ""), (4, 0, "alive\n")])
def test_a_planted_crash_kills_at_its_hit(hit: int, code: int, said: str) -> None:
    ended = run(PASSES, HUB_CRASH=f"relay.acked:{hit}")
    assert (ended.returncode, ended.stdout) == (code, said)


def test_a_planted_pause_stands_still_and_goes_on() -> None:
    timed = f"import time; t = time.monotonic(); {PASSES}; print(time.monotonic() - t >= 0.2)"
    assert run(timed, HUB_PAUSE="relay.acked:2:0.2").stdout == "alive\nTrue\n"


@pytest.mark.parametrize(
    "planted",
    [
        {"HUB_CRASH": "relay.nowhere:1"},
        {"HUB_CRASH": "relay.acked"},
        {"HUB_CRASH": "relay.acked:0"},
        {"HUB_CRASH": "relay.acked:1:2"},
        {"HUB_PAUSE": "relay.acked:1"},
        {"HUB_PAUSE": "relay.acked:1:soon"},
    ],
)
def test_a_fault_that_cannot_be_planted_ends_the_process_at_its_start(planted: dict[str, str]) -> None:
    ended = run(PASSES, **planted)
    assert ended.returncode == 2
    assert next(iter(planted.values())) in ended.stderr


TESTS_ONLY = [{"crash": "relay.acked:1"}, {"pause": "relay.acked:1:1"}, {"clock": Path("clock")}]


@pytest.mark.parametrize("planted", TESTS_ONLY)
@pytest.mark.parametrize(
    "exposed",
    [{"host": "::"}, {"host": "192.0.2.7"}, {"host": "hub.local"}, {"public_url": "https://hub.example"}],
)
def test_faults_and_test_clocks_are_refused_where_anybody_is_served(
    planted: dict[str, object], exposed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured) as caught:
        faults.refuse_outside_tests(Settings(**planted, **exposed))
    assert caught.value.code == 2
    assert f"HUB_{next(iter(planted)).upper()}" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.0.1"])
def test_on_loopback_they_are_welcome(host: str) -> None:
    settings = Settings(crash="relay.acked:1", clock=Path("clock"), host=host, public_url="http://127.0.0.1:8080")
    faults.refuse_outside_tests(settings)
    assert settings.crash == "relay.acked:1"
