"""Pure parts of the roof: the fold behind I12, what a check says of itself, which addresses are safe."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from hub.asking import Services
from hub.job_invariants import fold
from hub.up import refuse_unsafe_bind
from hub.verify import INVARIANTS, Check, Report
from kit.settings import Misconfigured, Settings


def told(kind: str, sequence: int, **fact: Any) -> Any:
    headers = {"ce_type": f"rollout.case.{kind}.v1"}
    return SimpleNamespace(key="c", sequence=sequence, headers=headers, value=orjson.dumps(fact))


STORY = [
    told("opened", 1),
    told("work_order_opened", 2, work_order_id="w", state="OPEN"),
    told("phase_changed", 3, to_phase="PLANNING", on_hold=False),
    told("work_order_moved", 4, work_order_id="w", to_state="ON_HOLD"),
    told("phase_changed", 5, to_phase="PLANNING", on_hold=True),
]


@pytest.mark.parametrize(
    ("upto", "seen"),
    [
        (None, {"phase": "PLANNING", "on_hold": True, "orders": {"w": "ON_HOLD"}}),
        ({"c": 3}, {"phase": "PLANNING", "on_hold": False, "orders": {"w": "OPEN"}}),
        ({"c": 1}, {"phase": None, "on_hold": False, "orders": {}}),
    ],
    ids=["all of it", "up to what was heard", "only the beginning"],
)
def test_I12_the_fold_says_what_somebody_must_see_who_heard_so_much(upto: Any, seen: dict[str, Any]) -> None:
    assert fold(STORY, upto) == {"c": seen}


def test_I12_a_case_of_which_nothing_was_heard_is_not_there() -> None:
    assert fold(STORY, {}) == {}


def test_every_rule_says_its_number_and_what_it_is() -> None:
    words = {name: (invariant.__doc__ or "") for name, invariant in INVARIANTS.items()}
    assert [name for name, said in words.items() if not said.startswith(f"{name}: ")] == []


@pytest.mark.parametrize(
    ("rows", "offending", "words"),
    [(3, [], "holds"), (3, [{"a": "1"}], "1 BROKEN"), (0, [], "nothing to look at")],
)
def test_a_check_says_how_many_rows_it_looked_at(rows: int, offending: list[dict[str, str]], words: str) -> None:
    report = Report([Check("I5", "a rule", rows, offending)])
    assert (words in report.checks[0].line(), report.empty) == (True, [] if rows or offending else ["I5"])


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/case/v1/cases"),
        ("https://{service}.hub.example", "https://case.hub.example/v1/cases"),
    ],
)
def test_services_are_found_behind_one_address_or_each_at_its_own(url: str, address: str) -> None:
    assert Services(url, "t").at("case", "/v1/cases") == address


@pytest.mark.rule("SEC-SES-03")
@pytest.mark.parametrize("beside", [{}, {"public_url": "http://hub.example"}, {"public_url": "https://hub.example"}])
def test_beyond_loopback_nothing_is_served_without_https_and_a_proxy(beside: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="HUB_TRUSTED_PROXIES"):
        refuse_unsafe_bind(Settings(host="0.0.0.0", **beside))  # noqa: S104 - what is refused here
    safe = Settings(host="0.0.0.0", public_url="https://hub.example", trusted_proxies="10.0.0.1")  # noqa: S104
    refuse_unsafe_bind(safe)
