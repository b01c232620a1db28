"""Principals: which roles a subject keeps, how far it reaches, what it may do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.roles import Role
from kit.auth import (
    InvalidToken,
    Needs,
    Principal,
    RoleMissing,
    Scope,
    Signer,
    Verifier,
    customer,
    needs,
    open_route,
    subject_roles,
    system,
    webhook,
)
from kit.clock import FrozenClock
from kit.tokens import Issuer, Jwks, key_set

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SIGNER = Signer.new("rollout-hub")


def verifier(at: datetime = NOW) -> Verifier:
    clock = FrozenClock(at)
    keys = Jwks(lambda: key_set([SIGNER.key]), clock)
    return Verifier([Issuer(SIGNER.issuer, keys, SIGNER.audience, hub=True)], clock)


def seen(roles: list[str], scope: Scope | None = None, company: str | None = None) -> Principal:
    """The principal that services see when a person with these roles comes."""
    return verifier().verify(SIGNER.person("person:local:anna", roles, scope, NOW, company=company))


@pytest.mark.rule("SEC-ID-03")
@pytest.mark.parametrize(
    ("claimed", "company", "kept"),
    [
        (["dispatcher", "company_admin"], "c-1", {"company_admin"}),
        (["dispatcher", "company_admin"], None, set()),
        (["company_technician"], None, set()),
        (["dispatcher"], "c-1", set()),
        (["dispatcher", "owner of everything"], None, {"dispatcher"}),
        (["qa", "management"], None, {"qa", "management"}),
        ([], None, set()),
    ],
)
def test_a_company_binds_its_people_to_company_roles(claimed: list[str], company: str | None, kept: set[str]) -> None:
    assert subject_roles(claimed, company) == kept


@pytest.mark.rule("SEC-ID-03")
@pytest.mark.parametrize(("appointment", "kept"), [("a-1", {"customer"}), (None, set())])
def test_a_guest_is_nobody_without_an_appointment(appointment: str | None, kept: set[str]) -> None:
    assert subject_roles(["customer", "dispatcher"], None, appointment) == kept


@pytest.mark.parametrize(
    ("roles", "scope", "company", "reach"),
    [
        (["dispatcher"], None, None, Scope("all")),
        (["dispatcher", "technician"], Scope("technician", "t-1"), None, Scope("all")),
        (["technician"], Scope("technician", "t-1"), None, Scope("technician", "t-1")),
        (["technician"], None, None, Scope("none")),
        (["company_admin"], Scope("company", "c-1"), None, Scope("company", "c-1")),
        (["company_technician"], Scope("technician", "t-1"), "c-1", Scope("technician", "t-1")),
        (["company_admin"], None, None, Scope("none")),
        (["system"], Scope("partner", "erp"), None, Scope("partner", "erp")),
        (["system"], None, None, Scope("none")),
        ([], None, None, Scope("none")),
    ],
)
def test_how_far_a_token_reaches(roles: list[str], scope: Scope | None, company: str | None, reach: Scope) -> None:
    assert seen(roles, scope, company).scope == reach


@pytest.mark.rule("SEC-TOK-09")
def test_a_hub_token_names_the_principal_as_the_audit_does_and_lives_five_minutes() -> None:
    text = SIGNER.person("person:local:anna", ["dispatcher"], None, NOW)
    assert verifier().verify(text).id == "person:local:anna"
    assert verifier(NOW + timedelta(seconds=359)).verify(text).roles == {Role.DISPATCHER}
    with pytest.raises(InvalidToken):
        verifier(NOW + timedelta(seconds=360)).verify(text)


@pytest.mark.rule("SEC-TOK-09")
def test_a_customers_token_is_for_one_appointment_and_a_quarter_of_an_hour() -> None:
    text = SIGNER.customer("a-1", NOW)
    found = verifier(NOW + timedelta(minutes=15, seconds=59)).verify(text)
    assert found == customer("a-1")
    with pytest.raises(InvalidToken):
        verifier(NOW + timedelta(minutes=16)).verify(text)


@pytest.mark.rule("SEC-TOK-10")
def test_every_refusal_looks_alike() -> None:
    refusals = []
    for text in ("", "hub_not_a_key", "a.b.c", SIGNER.person("p", ["qa"], None, NOW - timedelta(days=2))):
        with pytest.raises(InvalidToken) as caught:
            verifier().verify(text)
        refusals.append((str(caught.value), caught.value.code, dict(caught.value.headers)))
    assert len({str(refusal) for refusal in refusals}) == 1
    assert refusals[0][2] == {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@pytest.mark.rule("SEC-ROL-03")
def test_what_is_not_granted_is_refused_by_the_name_of_the_action() -> None:
    gate = needs("work_order:plan")
    assert gate.admit(seen(["dispatcher"])).id == "person:local:anna"
    with pytest.raises(RoleMissing) as caught:
        gate.admit(seen(["qa"]))
    assert (caught.value.code, caught.value.status, caught.value.action) == ("role-missing", 403, "work_order:plan")


def test_who_may_only_ask_is_refused_unless_the_route_says_otherwise() -> None:
    admin = seen(["company_admin"], Scope("company", "c-1"))
    with pytest.raises(RoleMissing):
        needs("work_order:hold").admit(admin)
    assert needs("work_order:hold", may_request=True).admit(admin) is admin


def test_an_action_that_the_matrix_does_not_know_is_a_mistake_at_once() -> None:
    with pytest.raises(LookupError, match="case:juggle"):
        needs("case:juggle")


def test_an_open_route_and_a_view_of_everything_need_a_reason() -> None:
    assert open_route("signed").reason == "signed"
    for careless in (open_route, Scope.everything):
        with pytest.raises(ValueError, match="say why"):
            careless("")


def test_those_who_act_without_a_token_are_named_as_well() -> None:
    assert system("case_service").id == "system:case_service"
    assert webhook("sms/seven").id == "webhook:sms/seven"
    assert not webhook("sms/seven").may("case:read")


@pytest.mark.rule("SEC-ID-02")
def test_a_principal_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        seen(["qa"]).roles = frozenset(Role)  # type: ignore[misc]
    assert needs("case:read") == Needs("case:read")


def test_the_key_that_signs_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    from kit.settings import Settings

    settings = Settings(data_dir=tmp_path / "data")
    first, second = Signer.open(settings), Signer.open(settings)
    assert first.key.thumbprint() == second.key.thumbprint()
    assert {oct(path.stat().st_mode & 0o777) for path in settings.data_dir.iterdir()} == {"0o600"}
    principal = Verifier.of(settings, FrozenClock(NOW)).verify(second.person("person:local:anna", ["qa"], None, NOW))
    assert principal.roles == {Role.QA}
