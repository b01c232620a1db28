"""How a bearer token is checked: signature by joserfc, everything else here, for its `decode` checks no claims.

Order of checks, the first failure is the cause (SEC-TOK): size and form, algorithm, header members, typ, key, key
type, signature, claim types, issuer, audience, token kind, times.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import JoseError

from kit import jsons
from kit.clock import Clock
from kit.settings import Settings

LARGEST_TOKEN = 8_192
"""Characters."""
LEEWAY_SECONDS = 60
OLDEST = timedelta(hours=12)
"""How long after its `iat` a token can still be used."""
REFRESH_EVERY = timedelta(minutes=1)
"""Unknown keys make the key set be read again, but no more often than this."""
KEYS_FRESH_FOR = timedelta(minutes=10)
KEYS_USABLE_FOR = timedelta(hours=24)
"""When the key set cannot be read, the last one is good for so long."""
SMALLEST_RSA = 2_048

ALGORITHMS: Mapping[str, tuple[str, str]] = {
    "RS256": ("RSA", ""),
    "PS256": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""What an issuer may sign with, unless told otherwise, and the key type and curve that fit."""

FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
TYPES = frozenset({None, "JWT", "at+jwt", "application/at+jwt"})
FORBIDDEN_HEADERS = frozenset({"crit", "jwk", "jku", "x5u"})
OTHER_KINDS = frozenset({"ID", "Refresh", "Logout"})


class Refusal(Exception):
    """The token is not taken. The reason is for our own log and metric, never for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Jwks:
    """The public keys of one issuer, read from where it publishes them and kept for a while."""

    def __init__(self, read: Callable[[], bytes], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._keys: Mapping[str, jwk.Key] = {}
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self.refreshes = 0

    def get(self, kid: str) -> jwk.Key | None:
        """The key of this name; an unknown name is worth one look at the source a minute."""
        now = self._clock.now()
        wanted = kid not in self._keys or self._older(self._read_at, KEYS_FRESH_FOR, now)
        if wanted and self._older(self._tried_at, REFRESH_EVERY, now):
            self._refresh(now)
        return None if self._older(self._read_at, KEYS_USABLE_FOR, now) else self._keys.get(kid)

    @staticmethod
    def _older(at: datetime | None, age: timedelta, now: datetime) -> bool:
        return at is None or now - at >= age or now < at  # a clock that was set back tells nothing about age

    def _refresh(self, now: datetime) -> None:
        self.refreshes += 1
        self._tried_at = now
        try:
            self._keys = dict(_public_keys(self._read()))
        except (OSError, ValueError, JoseError, jsons.Unreadable):
            return  # unreachable or unreadable: the last keys stay in use
        self._read_at = now


@dataclass(frozen=True)
class Issuer:
    """Somebody whose tokens we take."""

    name: str
    """The `iss`, character for character."""
    keys: Jwks
    audience: str
    hub: bool = False
    """One of our own: its `sub` is a principal id as it stands."""
    algorithms: Sequence[str] = tuple(ALGORITHMS)
    roles_at: Sequence[str] = ("roles",)
    """Path of the claim that lists roles: `realm_access.roles` is ("realm_access", "roles")."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """What its role names mean; a name that is missing here means itself."""
    company_at: str = "hub_company"

    @classmethod
    def ours(cls, settings: Settings, clock: Clock) -> "Issuer":
        """Tokens that the hub gives out itself, checked with the key set that the settings name."""
        return cls(settings.issuer, Jwks(settings.jwks_path.read_bytes, clock), settings.audience, hub=True)

    def claimed_roles(self, claims: Mapping[str, Any]) -> frozenset[str]:
        found: Any = claims
        for name in self.roles_at:
            found = found.get(name) if isinstance(found, dict) else None
        names = found if isinstance(found, list) else []
        return frozenset(self.roles.get(name, name) for name in names if isinstance(name, str))


def check(token: str, issuers: Sequence[Issuer], now: datetime) -> tuple[Issuer, Mapping[str, Any]]:
    """Check a token and give its issuer and claims, or raise `Refusal` with the first cause."""
    if len(token) > LARGEST_TOKEN or not FORM.fullmatch(token):
        raise Refusal("format")
    head, body, _ = token.split(".")
    header = _object(head, "format")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or not any(algorithm in issuer.algorithms for issuer in issuers):
        raise Refusal("algorithm")
    if FORBIDDEN_HEADERS & header.keys():
        raise Refusal("header")
    if not _is_one_of(header.get("typ"), TYPES):
        raise Refusal("type")
    issuer, key = _key(header.get("kid"), issuers)
    if algorithm not in issuer.algorithms or not _fits(algorithm, key):
        raise Refusal("algorithm")
    _refuse_forged(token, algorithm, key)
    claims = _object(body, "claims")
    _refuse_claims(claims, issuer)
    _refuse_times(claims, now.timestamp())
    return issuer, claims


def _object(part: str, cause: str) -> dict[str, Any]:
    try:
        found = jsons.read(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, jsons.Unreadable):
        raise Refusal(cause) from None
    if not isinstance(found, dict):
        raise Refusal(cause)
    return found


def _key(kid: Any, issuers: Sequence[Issuer]) -> tuple[Issuer, jwk.Key]:
    if isinstance(kid, str):
        for issuer in issuers:
            if key := issuer.keys.get(kid):
                return issuer, key
    raise Refusal("unknown-key")


def _fits(algorithm: str, key: jwk.Key) -> bool:
    kind, curve = ALGORITHMS[algorithm]
    numbers = key.as_dict(private=False)
    if key.key_type != kind or (curve and numbers.get("crv") != curve):
        return False
    if numbers.get("alg", algorithm) != algorithm or numbers.get("use", "sig") != "sig":
        return False
    return kind != "RSA" or getattr(key.public_key, "key_size", 0) >= SMALLEST_RSA


class _Registry(jws.JWSRegistry):
    """joserfc's checks of a header, without its limits: ours is the one on the whole token."""

    max_header_length = max_payload_length = max_signature_length = LARGEST_TOKEN

    def get_alg(self, name: str) -> Any:
        """The algorithm was chosen before; the library warns of the name EdDSA, which issuers still use."""
        return self.algorithms[name]


def _refuse_forged(token: str, algorithm: str, key: jwk.Key) -> None:
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    try:
        jws.deserialize_compact(token, key, registry=registry)
    except (JoseError, ValueError):
        raise Refusal("signature") from None


def _refuse_claims(claims: Mapping[str, Any], issuer: Issuer) -> None:
    subject = claims.get("sub")
    times = [claims.get("exp"), claims.get("iat"), *([claims["nbf"]] if "nbf" in claims else [])]
    if any(type(time) is not int for time in times) or not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise Refusal("claims")
    if claims.get("iss") != issuer.name:
        raise Refusal("issuer")
    audience = claims.get("aud")
    if issuer.audience not in (audience if isinstance(audience, list) else [audience]):
        raise Refusal("audience")
    if "nonce" in claims or _is_one_of(claims.get("typ"), OTHER_KINDS):
        raise Refusal("type")


def _refuse_times(claims: Mapping[str, Any], now: float) -> None:
    if claims["exp"] + LEEWAY_SECONDS <= now:
        raise Refusal("expired")
    if max(claims["iat"], claims.get("nbf", claims["iat"])) - LEEWAY_SECONDS > now:
        raise Refusal("not-yet")
    if now - claims["iat"] > OLDEST.total_seconds() + LEEWAY_SECONDS:
        raise Refusal("too-old")


def _is_one_of(value: Any, allowed: frozenset[Any]) -> bool:
    return (value is None or isinstance(value, str)) and value in allowed


def _public_keys(document: bytes) -> list[tuple[str, jwk.Key]]:
    found = jsons.read(document)
    members = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(members, list):
        raise ValueError("a key set has a list of keys")  # noqa: TRY004 - what is read decides, not what is called
    named = [each for each in members if isinstance(each, dict) and isinstance(each.get("kid"), str)]
    return [(each["kid"], jwk.import_key(each)) for each in named if each.get("kty") in ("RSA", "EC", "OKP")]


def signed(claims: Mapping[str, Any], key: jwk.OKPKey, typ: str = "at+jwt") -> str:
    """A token with these claims, or a document of another type, signed with Ed25519 (EdDSA)."""
    header = {"alg": "EdDSA", "kid": key.thumbprint(), "typ": typ}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return jws.serialize_compact(header, payload, key, registry=_Registry(algorithms=["EdDSA"]))


def opened(document: str, keys: Mapping[str, jwk.OKPKey], typ: str) -> Mapping[str, Any]:
    """What a document of this type says that one of these keys signed, named by its thumbprint; raises Refusal."""
    if not FORM.fullmatch(document):
        raise Refusal("format")
    head, body, _ = document.split(".")
    header = _object(head, "format")
    if (header.get("alg"), header.get("typ")) != ("EdDSA", typ):
        raise Refusal("type")
    key = keys.get(str(header.get("kid")))
    if key is None:
        raise Refusal("unknown-key")
    _refuse_forged(document, "EdDSA", key)
    return _object(body, "claims")


def unchecked(document: str) -> Mapping[str, Any]:
    """What a document says, whoever signed it; raises Refusal where it cannot be read."""
    return _object((document.split(".") + [""])[1], "claims")


def key_set(keys: Sequence[jwk.Key]) -> bytes:
    """A JWKS document of public keys, each named by its thumbprint (RFC 7638)."""
    named = [{**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig"} for key in keys]
    return json.dumps({"keys": named}, indent=1).encode()
