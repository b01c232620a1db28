"""How people come in and go: a code that works once, a session behind a cookie, and the proof that a page is ours."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from contracts.roles import Role
from kit.auth import COMPANY_ROLES, GUEST_ROLES, InvalidToken, Principal, Scope, Verifier
from kit.settings import Settings
from kit.store import Store, Unit
from services.cockpit_service import metrics
from services.cockpit_service import store as queries
from services.cockpit_service.domain.access import Invitation, Session
from services.cockpit_service.errors import CodeSpent, ForeignRequest, SignInNeeded

SECRET_BYTES = 32
"""256 bits: 43 characters of base64url."""
NOTED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a person was last there; a write per request would say no more."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SECURE_COOKIE, LOCAL_COOKIE = "__Host-hub", "hub_local"


def hashed(secret: str) -> str:
    """What of a code or a cookie is kept."""
    return sha256(secret.encode()).hexdigest()


def invite(unit: Unit, principal_id: str, roles: Iterable[str]) -> str:
    """A sign-in code for this person: works once, within a quarter of an hour (SEC-SES-01)."""
    code = secrets.token_urlsafe(SECRET_BYTES)
    named = tuple(sorted(map(str, roles)))
    unit.add(Invitation(code_hash=hashed(code), principal_id=principal_id, roles=named, made_at=unit.now))
    unit.audit("session:invite", f"person/{principal_id}")
    return code


async def sign_in(store: Store, code: str) -> str:
    """Consume a code and begin a session; the answer is its secret. Raises CodeSpent."""

    def begin(unit: Unit) -> str:
        invitation = unit.find(Invitation, hashed(code))
        if invitation is None or not invitation.works(unit.now):
            raise CodeSpent("this sign-in link does not work (any more)")
        invitation.used_at = unit.now
        secret = secrets.token_urlsafe(SECRET_BYTES)
        unit.add(
            Session(
                session_hash=hashed(secret),
                principal_id=invitation.principal_id,
                roles=invitation.roles,
                begun_at=unit.now,
                seen_at=unit.now,
            )
        )
        unit.audit("session:begin", f"person/{invitation.principal_id}")
        return secret

    try:
        secret = await store.run(store.actor, begin, needs=[(Invitation, hashed(code))])
    except CodeSpent:
        metrics.SIGN_INS.labels("refused").inc()
        raise
    metrics.SIGN_INS.labels("signed_in").inc()
    return secret


async def sign_out(store: Store, secret: str) -> None:
    """End a session at once; one that is not known is ended already (SEC-SES-06)."""

    def end(unit: Unit) -> None:
        session = unit.find(Session, hashed(secret))
        if session is not None and session.ended_at is None:
            session.ended_at = unit.now
            unit.audit("session:end", f"person/{session.principal_id}")

    await store.run(store.actor, end, needs=[(Session, hashed(secret))])


def csrf_token(secret: str) -> str:
    """The token that our own pages send back; whoever only has the cookie sent along does not know it."""
    return hmac.new(secret.encode(), b"csrf", sha256).hexdigest()


def cookie_of(request: Request) -> str | None:
    """The session's secret that this request carries."""
    return request.cookies.get(_cookie_name(request))


def _cookie_name(request: Request) -> str:
    return SECURE_COOKIE if request.url.scheme == "https" else LOCAL_COOKIE


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Give the session to the browser; on plain loopback http without Secure (SEC-SES-05)."""
    secure = request.url.scheme == "https"
    response.set_cookie(_cookie_name(request), secret, path="/", httponly=True, samesite="lax", secure=secure)


def drop_cookie(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    secure = request.url.scheme == "https"
    response.delete_cookie(_cookie_name(request), path="/", httponly=True, samesite="lax", secure=secure)


def refuse_foreign(request: Request) -> None:
    """Raise ForeignRequest unless the browser says that one of our own pages sent this (SEC-WEB-01)."""
    ours = f"{request.url.scheme}://{request.headers.get('host', '')}"
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if (site != "same-origin") if site is not None else (origin != ours):
        raise ForeignRequest("this request does not come from a page of the hub")


def refuse_without_token(secret: str, given: str | None) -> None:
    """Raise ForeignRequest unless the session's own token was sent along."""
    if given is None or not hmac.compare_digest(given.encode(), csrf_token(secret).encode()):
        raise ForeignRequest("the page's token is missing or of another session")


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Finds out who asks: by bearer token, else by the session's cookie."""

    store: Store
    verifier: Verifier

    @classmethod
    def of(cls, settings: Settings, store: Store) -> "Doorkeeper":
        return cls(store, Verifier.of(settings, store.clock))

    async def __call__(self, request: Request) -> Principal:
        """The principal of a request; a bearer token makes the cookie count for nothing."""
        if "authorization" in request.headers:
            return await self.verifier.authenticate(request)
        secret = cookie_of(request)
        session = await self._session(secret) if secret else None
        if secret is None or session is None:
            if request.method in SAFE and "text/html" in request.headers.get("accept", ""):
                raise SignInNeeded("session")
            raise InvalidToken("missing")
        if request.method not in SAFE:
            refuse_foreign(request)
            refuse_without_token(secret, request.headers.get("x-csrf-token"))
        if request.headers.get("x-refresh") is None:
            await self._note(session)
        return principal_of(session)

    async def _session(self, secret: str) -> Session | None:
        found = await self.store.read(lambda db: queries.session(db, hashed(secret)))
        return found if found is not None and found.stands(self.store.clock.now()) else None

    async def _note(self, session: Session) -> None:
        if self.store.clock.now() - session.seen_at < NOTED_EVERY:
            return

        def note(unit: Unit) -> None:
            known = unit.find(Session, session.session_hash)
            if known is not None and known.stands(unit.now):
                known.seen_at = unit.now

        await self.store.run(self.store.actor, note, needs=[(Session, session.session_hash)])


def principal_of(session: Session) -> Principal:
    """A person of the house. Company and guest roles need a company or an appointment, which no session has."""
    roles = frozenset(Role(name) for name in session.roles if name in set(Role)) - COMPANY_ROLES - GUEST_ROLES
    scope = Scope("all") if roles - {Role.TECHNICIAN} else Scope("none")
    return Principal(session.principal_id, roles, scope, "person")
