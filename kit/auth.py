"""Who asks, and what they may do: the only place where a principal is made, and the gate of every route.

What the matrix of contracts/roles.py does not grant is refused; how far a grant reaches is the principal's scope,
which the stores filter by.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from joserfc import jwk
from starlette.requests import Request

from contracts.roles import MATRIX, Reach, Role, granted
from kit.clock import Clock
from kit.errors import Forbidden, HubError
from kit.keys import ApiKey, KeyFile, write_private
from kit.settings import Settings
from kit.tokens import Issuer, Refusal, check, key_set, signed

ScopeKind = Literal["all", "company", "partner", "technician", "appointment", "none"]
PrincipalKind = Literal["person", "client", "key", "webhook", "customer", "service", "local"]

COMPANY_ROLES = frozenset({Role.COMPANY_ADMIN, Role.COMPANY_TECHNICIAN})
GUEST_ROLES = frozenset({Role.CUSTOMER, Role.INSTALLER})
PERSON_TOKEN_SECONDS = 300
CUSTOMER_TOKEN_SECONDS = 900
CLAIMS: Mapping[ScopeKind, str] = {
    "company": "hub_company",
    "partner": "hub_partner",
    "technician": "hub_technician",
    "appointment": "hub_appointment",
}
"""Which claim of a token names the object that a scope ends at."""
KINDS: Mapping[str, PrincipalKind] = {"client": "client", "customer": "customer", "local": "local"}
"""What the first part of a principal's id tells of it, where a token of ours is no person's."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose objects somebody reaches; stores filter by it, and what lies outside does not exist."""

    kind: ScopeKind
    id: str = ""

    @classmethod
    def everything(cls, reason: str) -> "Scope":
        """No filter. Only for handlers, timers and relays; the reason is for whoever reads the code."""
        if not reason:
            raise ValueError("say why everything may be seen")
        return cls("all")


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who acts."""

    id: str
    """As it stands in the audit: `person:local:anna`, `key:4f7q2m6xk3ab`, `system:case_service`."""
    roles: frozenset[Role]
    scope: Scope
    kind: PrincipalKind
    actions: frozenset[str] | None = None
    """What a key was given; None: whatever the roles grant."""
    technician: str = ""
    """The technician that a person is, also where the roles reach further than his own work."""

    def may(self, action: str, *, requests: bool = False) -> bool:
        """Whether the matrix grants the action; a grant that only allows to ask for it counts with `requests`."""
        grant = granted(self.roles, action)
        if grant is None or (self.actions is not None and action not in self.actions):
            return False
        return requests or grant.reach is not Reach.REQUEST


def remembered(principal: Principal) -> dict[str, Any]:
    """Somebody as JSON, for work that goes on after their request."""
    return {
        "id": principal.id,
        "roles": sorted(principal.roles),
        "scope": [principal.scope.kind, principal.scope.id],
        "kind": principal.kind,
        "actions": None if principal.actions is None else sorted(principal.actions),
    }


def recalled(kept: Mapping[str, Any]) -> Principal:
    """Somebody as `remembered` wrote them down in our own database."""
    roles, actions = frozenset(map(Role, kept["roles"])), kept["actions"]
    given = None if actions is None else frozenset(actions)
    return Principal(kept["id"], roles, Scope(*kept["scope"]), kept["kind"], given)


class InvalidToken(HubError):
    """The caller did not prove who it is. Every cause answers alike; the reason goes to our own log and metric."""

    code, status = "invalid-token", 401

    def __init__(self, reason: str) -> None:
        super().__init__("a valid bearer token is needed")
        self._reason = reason

    @property
    def reason(self) -> str:
        """Why, for the log and the metric."""
        return self._reason

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class RoleMissing(Forbidden):
    """None of the caller's roles may do this. Names the action, never the object."""

    code = "role-missing"

    def __init__(self, action: str) -> None:
        super().__init__(f"none of your roles may do {action}")
        self.action = action


def system(service: str) -> Principal:
    """A service itself: acts for events and timers."""
    reason = "a service works on what it owns"
    return Principal(f"system:{service}", frozenset({Role.SYSTEM}), Scope.everything(reason), "service")


def webhook(endpoint: str) -> Principal:
    """A counterparty whose signature at this endpoint was verified; it may do what the endpoint is for."""
    return Principal(f"webhook:{endpoint}", frozenset(), Scope.everything("the endpoint decides"), "webhook")


def customer(appointment_id: str) -> Principal:
    """A customer who proved the code of one appointment."""
    scope = Scope("appointment", appointment_id)
    return Principal(f"customer:{appointment_id}", frozenset({Role.CUSTOMER}), scope, "customer")


def subject_roles(claimed: Iterable[str], company: str | None, appointment: str | None = None) -> frozenset[Role]:
    """The roles that a subject keeps (SEC-ID-03).

    Bound to a company, only company roles; a company role without the company, or a guest's without the appointment:
    none at all. Unknown roles are passed over.
    """
    roles = frozenset(Role(name) for name in claimed if name in set(Role))
    if company is not None:
        return roles & COMPANY_ROLES
    if roles & COMPANY_ROLES:
        return frozenset()
    if roles & GUEST_ROLES:
        return roles & GUEST_ROLES if appointment is not None else frozenset()
    return roles


def _scope(roles: frozenset[Role], claims: Mapping[str, Any], company: str | None) -> Scope:
    """How far these roles reach; two roles reach as far as the wider one."""
    technician, partner = _text(claims, "technician"), _text(claims, "partner")
    if not roles:
        return Scope("none")
    if roles <= {Role.TECHNICIAN, Role.COMPANY_TECHNICIAN}:
        return Scope("technician", technician) if technician else Scope("none")
    if company is not None:
        return Scope("company", company)
    if roles & GUEST_ROLES:
        return Scope("appointment", _text(claims, "appointment") or "")
    if roles == {Role.SYSTEM}:
        return Scope("partner", partner) if partner else Scope("none")
    return Scope("all")


def _text(claims: Mapping[str, Any], kind: ScopeKind) -> str | None:
    value = claims.get(CLAIMS[kind])
    return value if isinstance(value, str) and value else None


class Verifier:
    """Makes principals of tokens and keys; there is no other way in."""

    def __init__(self, issuers: Sequence[Issuer], clock: Clock, keys: KeyFile | None = None) -> None:
        self.issuers, self.clock, self.keys = tuple(issuers), clock, keys

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> "Verifier":
        """What the settings name: the hub's own key set, and its file of API keys."""
        return cls([Issuer.ours(settings, clock)], clock, KeyFile(settings.keys_path))

    def verify(self, token: str) -> Principal:
        """The principal that this bearer token proves; raises InvalidToken."""
        now = self.clock.now()
        if token.startswith("hub_"):
            key = self.keys.find(token, now) if self.keys else None
            if key is None:
                raise InvalidToken("key")
            return _of_key(key)
        try:
            issuer, claims = check(token, self.issuers, now)
        except Refusal as refusal:
            raise InvalidToken(refusal.reason) from None
        return _of_claims(issuer, claims)

    async def authenticate(self, request: Request) -> Principal:
        """The principal of a request, by its Authorization header and by nothing else."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or len(request.headers.getlist("authorization")) != 1:
            raise InvalidToken("missing")
        return self.verify(token.strip())


def _of_key(key: ApiKey) -> Principal:
    scope = Scope("partner", key.partner) if key.partner else Scope("none")
    return Principal(f"key:{key.id}", frozenset({Role.SYSTEM}), scope, "key", key.actions)


def _of_claims(issuer: Issuer, claims: Mapping[str, Any]) -> Principal:
    subject, company = claims["sub"], claims.get(issuer.company_at)
    named = company if isinstance(company, str) and company else None
    roles = subject_roles(issuer.claimed_roles(claims), named, _text(claims, "appointment"))
    scope, technician = _scope(roles, claims, named), _text(claims, "technician") or ""
    kind = KINDS.get(subject.partition(":")[0], "person") if issuer.hub else "person"
    name = subject if issuer.hub else f"person:{sha256(issuer.name.encode()).hexdigest()[:8]}:{subject}"
    return Principal(name, roles, scope, kind, technician=technician)


class Signer:
    """Gives out the hub's own tokens (EdDSA): for people after sign-in, for a customer's appointment, for tests."""

    def __init__(self, key: jwk.OKPKey, issuer: str, audience: str = "rollout-hub-api") -> None:
        self.key, self.issuer, self.audience = key, issuer, audience

    @classmethod
    def new(cls, issuer: str, audience: str = "rollout-hub-api") -> "Signer":
        return cls(jwk.OKPKey.generate_key("Ed25519"), issuer, audience)

    @classmethod
    def open(cls, settings: Settings, path: Path | None = None) -> "Signer":
        """The signer whose key lies in the data directory (mode 0600); made at the first start, JWKS beside it."""
        place = path or settings.data_dir / "signing-key.pem"
        if not place.exists():
            made = cls.new(settings.issuer, settings.audience)
            write_private(place, made.key.as_pem(private=True))
        key = jwk.OKPKey.import_key(place.read_bytes())
        signer = cls(key, settings.issuer, settings.audience)
        if not settings.jwks_path.exists():
            signer.write_jwks(settings.jwks_path)
        return signer

    def write_jwks(self, path: Path, *others: "Signer") -> None:
        """Publish the public keys that services check tokens with."""
        write_private(path, key_set([signer.key for signer in (self, *others)]))

    def token(self, claims: Mapping[str, Any], now: datetime, seconds: int) -> str:
        """A token of this issuer; `now` is the clock that its readers have."""
        at = int(now.timestamp())
        frame = {"iss": self.issuer, "aud": self.audience, "iat": at, "exp": at + seconds, "jti": str(uuid4())}
        return signed({**claims, **frame}, self.key)

    def person(
        self,
        principal_id: str,
        roles: Iterable[str],
        scope: Scope | None,
        now: datetime,
        seconds: int = PERSON_TOKEN_SECONDS,
        *,
        company: str | None = None,
    ) -> str:
        """What a signed-in person may do, for the next five minutes; a company's technician has both ends."""
        claims: dict[str, Any] = {"sub": principal_id, "roles": sorted(roles)}
        if scope is not None and scope.kind in CLAIMS:
            claims[CLAIMS[scope.kind]] = scope.id
        if company is not None:
            claims[CLAIMS["company"]] = company
        return self.token(claims, now, seconds)

    def customer(self, appointment_id: str, now: datetime, seconds: int = CUSTOMER_TOKEN_SECONDS) -> str:
        """A customer who proved the code of this appointment, for a quarter of an hour."""
        scope = Scope("appointment", appointment_id)
        return self.person(f"customer:{appointment_id}", [Role.CUSTOMER], scope, now, seconds)


@dataclass(frozen=True, slots=True)
class Needs:
    """The gate of a route: its one action. The door of kit/http.py asks it before it reads the body."""

    action: str
    requests: bool = False

    def admit(self, principal: Principal) -> Principal:
        """Let the principal in, or raise RoleMissing."""
        if not principal.may(self.action, requests=self.requests):
            raise RoleMissing(self.action)
        return principal

    async def __call__(self, request: Request) -> Principal:
        """The principal that the door let in."""
        return self.admit(request.state.principal)


def needs(action: str, *, may_request: bool = False) -> Needs:
    """A dependency that gives the principal, who may do this action (SEC-ROL-02: one action per route).

    With `may_request` those are let in as well who may only ask for it; the route then has to tell them apart.
    """
    if action not in MATRIX:
        raise LookupError(f"the matrix of contracts/roles.py has no action {action}")
    return Needs(action, may_request)


@dataclass(frozen=True, slots=True)
class Open:
    """The gate of a route that asks for no token, and why."""

    reason: str

    async def __call__(self) -> None:
        """Nothing to check: the route has its own proof, or needs none."""


def open_route(reason: str) -> Open:
    """A dependency for the few routes without a token: signed webhooks, health, sign-in, customer pages."""
    if not reason:
        raise ValueError("say why this route is open")
    return Open(reason)
