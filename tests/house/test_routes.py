"""Every route has an action of the matrix, or stands on the short list of open ones with its reason."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from fastapi import APIRouter

from contracts.roles import MATRIX
from hub.house import SERVICES, build
from kit.auth import open_route
from kit.http import Served, served, web

OPEN = {
    ("GET", "/health/live"): "balancers have no token",
    ("GET", "/health/startup"): "balancers have no token",
    ("GET", "/health/ready"): "balancers have no token",
    ("GET", "/sign-in"): "nobody is signed in yet",
    ("POST", "/sign-in"): "the code in the form is the proof",
    ("POST", "/sign-out"): "the session itself is the proof",
    ("POST", "/v1/sms/seven/in"): "the vendor's signature is the proof",
    ("POST", "/v1/hooks/{partner}"): "the partner's signature is the proof",
    ("POST", "/v1/batches/{batch_id}/receipt"): "the print shop's signature is the proof",
}
MOST_OPEN = 12


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Served]]:
    """Every route of every service."""
    folder: Path = tmp_path_factory.mktemp("data")
    made = {name: build(name, {"data_dir": folder}) for name in SERVICES}
    return {name: list(served(web(service, authenticate=service.authenticate))) for name, service in made.items()}


def faults(routes: Iterable[Served]) -> list[str]:
    """What is wrong with these routes."""
    found = []
    for route in routes:
        if route.action is None and (route.method, route.path) not in OPEN:
            found.append(f"{route.method} {route.path} is open, and not on the list")
        elif route.action is not None and route.action not in MATRIX:
            found.append(f"{route.method} {route.path} needs {route.action}, which no matrix has")
        elif route.action is None and len(route.reason or "") < 10:
            found.append(f"{route.method} {route.path} does not say why it is open")
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_has_an_action_of_the_matrix_or_a_reason_to_be_open(
    routes: Mapping[str, list[Served]], service: str
) -> None:
    assert (faults(routes[service]), len(routes[service]) > 10) == ([], True)


def test_the_list_of_open_routes_is_short_and_none_of_it_is_idle(routes: Mapping[str, list[Served]]) -> None:
    is_open = {(each.method, each.path) for found in routes.values() for each in found if each.action is None}
    assert (is_open, len(OPEN) <= MOST_OPEN) == (set(OPEN), True)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_desk_of_operations(routes: Mapping[str, list[Served]], service: str) -> None:
    actions = {(each.method, each.path): each.action for each in routes[service]}
    assert [actions.get(route) for route in DESK] == list(DESK.values())


DESK = {
    ("GET", "/v1/parked"): "parked:read",
    ("GET", "/v1/parked/{topic}/{key:path}"): "parked:read",
    ("POST", "/v1/parked/retry"): "parked:retry",
    ("POST", "/v1/parked/discard"): "parked:discard",
    ("GET", "/v1/anomalies"): "parked:read",
    ("GET", "/v1/dead-letters"): "parked:read",
    ("GET", "/v1/effects"): "parked:read",
    ("POST", "/v1/effects/{effect_id}/resolve"): "parked:retry",
}


def test_a_route_that_is_open_without_standing_on_the_list_is_found(tmp_path: Path) -> None:
    service = build("case_service", {"data_dir": tmp_path})
    hole = APIRouter()
    hole.get("/v1/hole", dependencies=[open_route_of("nobody thought of it")])(nothing)
    service.router.include_router(hole)
    found = faults(served(web(service)))
    assert found == ["GET /v1/hole is open, and not on the list"]


@pytest.mark.parametrize(
    ("route", "fault"),
    [
        (Served("GET", "/x", "case:eat", None), "GET /x needs case:eat, which no matrix has"),
        (Served("GET", "/health/live", None, ""), "GET /health/live does not say why it is open"),
    ],
)
def test_an_unknown_action_or_a_missing_reason_is_found(route: Served, fault: str) -> None:
    assert faults([route]) == [fault]


def test_a_route_without_a_gate_is_not_even_served(tmp_path: Path) -> None:
    service = build("case_service", {"data_dir": tmp_path})
    service.router.get("/v1/hole")(nothing)
    with pytest.raises(TypeError, match="exactly one"):
        web(service)


async def nothing() -> None:
    """Answers nothing."""


def open_route_of(reason: str) -> object:
    """The gate as a dependency."""
    from fastapi import Depends

    return Depends(open_route(reason))
