"""Bearer tokens: the matrix K01 to K27 of the security page, and what else a token may not be."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk, jws

from kit.auth import InvalidToken, Verifier
from kit.clock import ManualClock
from kit.tokens import ALGORITHMS, Issuer, Jwks

NOW = 1795262400
ISSUER, AUDIENCE = "https://id.example.net/realms/hub", "rollout-hub-api"
RSA, STRANGER = (jwk.RSAKey.generate_key(2048, {"kid": kid}) for kid in ("rsa-1", "rsa-9"))
EC = jwk.ECKey.generate_key("P-256", {"kid": "ec-1"})
RSA_2 = jwk.RSAKey.generate_key(2048, {"kid": "rsa-2"})
SMALL = jwk.RSAKey(rsa.generate_private_key(65537, 1_024), "", {"kid": "rsa-small"})  # noqa: S505 - to be refused
BASE = {"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300, "iat": NOW - 10, "sub": "u-1", "roles": ["dispatcher"]}


class Published(list[jwk.Key]):
    """The keys that an issuer shows, and how often they were fetched."""

    reads = 0
    gone = False

    def __call__(self) -> bytes:
        self.reads += 1
        if self.gone:
            raise ConnectionError
        return json.dumps({"keys": [key.as_dict(private=False) for key in self]}).encode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.fromtimestamp(NOW, UTC))


@pytest.fixture
def published() -> Published:
    return Published([RSA, EC])


@pytest.fixture
def verifier(published: Published, clock: ManualClock) -> Verifier:
    return Verifier([Issuer(ISSUER, Jwks(published, clock), AUDIENCE)], clock)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def token(
    claims: dict[str, Any] | None = None,
    *,
    key: jwk.Key = RSA,
    alg: str = "RS256",
    header: dict[str, Any] | None = None,
    payload: bytes | None = None,
) -> str:
    """A token as an issuer makes it, well signed whatever stands in it; a claim of None is left out."""
    merged = {name: value for name, value in {**BASE, **(claims or {})}.items() if value is not None}
    named = {"alg": alg, "kid": key.kid, "typ": "JWT"} | (header or {})
    head = {name: value for name, value in named.items() if value is not None}
    content = f"{b64(json.dumps(head).encode())}.{b64(payload or json.dumps(merged).encode())}"
    signature = jws.JWSRegistry.algorithms[alg].sign(content.encode(), key)
    return f"{content}.{b64(signature)}"


def unsigned(alg: str, signature: str = "") -> str:
    head = json.dumps({"alg": alg, "kid": "rsa-1", "typ": "JWT"}).encode()
    return f"{b64(head)}.{b64(json.dumps(BASE).encode())}.{signature}"


def hs256_with_the_public_key() -> str:
    content = unsigned("HS256").rstrip(".")
    return f"{content}.{b64(hmac.new(RSA.as_pem(private=False), content.encode(), sha256).digest())}"


def pasted_subject() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{b64(json.dumps({**BASE, 'sub': 'u-2'}).encode())}.{signature}"


def stranger_in_header() -> str:
    own = {"kid": "rsa-1", "jwk": STRANGER.as_dict(private=False)}
    return token(key=STRANGER, header=own)


def audience_twice() -> str:
    text = json.dumps(BASE)[:-1] + ', "aud": "somebody-else"}'
    return token(payload=text.encode())


ACCEPT = "accept"
MATRIX: dict[str, tuple[Callable[[], str], str]] = {
    "K01": (token, ACCEPT),
    "K02": (lambda: token(key=EC, alg="ES256"), ACCEPT),
    "K03": (lambda: unsigned("none"), "algorithm"),
    "K04": (lambda: unsigned("nOnE", token().split(".")[2]), "algorithm"),
    "K05": (hs256_with_the_public_key, "algorithm"),
    "K06": (pasted_subject, "signature"),
    "K07": (lambda: token(key=STRANGER), "unknown-key"),
    "K08": (stranger_in_header, "header"),
    "K09": (lambda: token(header={"crit": ["exp2"]}), "header"),
    "K10": (lambda: token(header={"kid": "ec-1"}), "algorithm"),
    "K11": (lambda: token({"exp": NOW - 60}), "expired"),
    "K12": (lambda: token({"exp": NOW - 59}), ACCEPT),
    "K13": (lambda: token({"nbf": NOW + 61}), "not-yet"),
    "K14": (lambda: token({"iat": NOW - 43_261}), "too-old"),
    "K15": (lambda: token({"iss": f"{ISSUER}/"}), "issuer"),
    "K16": (lambda: token({"aud": ["rollout-hub-console"]}), "audience"),
    "K17": (lambda: token({"exp": str(NOW + 300)}), "claims"),
    "K18": (lambda: token({"sub": None}), "claims"),
    "K18 (a number)": (lambda: token({"sub": 7}), "claims"),
    "K19": (lambda: token({"nonce": "n", "typ": "ID"}), "type"),
    "K20": (audience_twice, "claims"),
    "K21": (lambda: token({"aud": ["other", AUDIENCE]}), ACCEPT),
    "K22": (lambda: token(header={"typ": "logout+jwt"}), "type"),
    "K23": (lambda: "a.b.c.d.e", "format"),
    "K24": (lambda: token({"iat": NOW + 61}), "not-yet"),
}


@pytest.mark.rule("SEC-TOK-01")
@pytest.mark.rule("SEC-TOK-02")
@pytest.mark.rule("SEC-TOK-03")
@pytest.mark.rule("SEC-TOK-05")
@pytest.mark.rule("SEC-TOK-06")
@pytest.mark.rule("SEC-TOK-07")
@pytest.mark.rule("SEC-TOK-08")
@pytest.mark.parametrize("row", MATRIX)
def test_the_matrix_of_tokens(row: str, verifier: Verifier) -> None:
    made, verdict = MATRIX[row]
    assert verdict_of(verifier, made()) == verdict


def verdict_of(verifier: Verifier, text: str) -> str:
    try:
        principal = verifier.verify(text)
    except InvalidToken as refusal:
        return refusal.reason
    assert principal.id == f"person:{sha256(ISSUER.encode()).hexdigest()[:8]}:u-1"
    return ACCEPT


@pytest.mark.rule("SEC-TOK-04")
def test_K07_a_strangers_key_costs_one_look_at_the_key_set(
    verifier: Verifier, published: Published, clock: ManualClock
) -> None:
    verifier.verify(token())
    clock.advance(timedelta(seconds=60))
    assert verdict_of(verifier, token(key=STRANGER)) == "unknown-key"
    assert published.reads == 2


@pytest.mark.rule("SEC-TOK-04")
def test_K25_a_new_key_is_taken_after_one_look(verifier: Verifier, published: Published, clock: ManualClock) -> None:
    verifier.verify(token())
    published.append(RSA_2)
    clock.advance(timedelta(seconds=60))
    assert verdict_of(verifier, token(key=RSA_2)) == ACCEPT
    assert published.reads == 2


@pytest.mark.rule("SEC-TOK-04")
def test_K26_ten_unknown_keys_in_a_minute_cost_one_look(
    verifier: Verifier, published: Published, clock: ManualClock
) -> None:
    verifier.verify(token())
    clock.advance(timedelta(seconds=60))
    for number in range(10):
        clock.advance(timedelta(seconds=5))
        assert verdict_of(verifier, token(header={"kid": f"unknown-{number}"})) == "unknown-key"
    assert published.reads == 2


@pytest.mark.rule("SEC-TOK-04")
def test_K27_a_removed_key_ends_with_the_age_of_the_cache(
    verifier: Verifier, published: Published, clock: ManualClock
) -> None:
    verifier.verify(token())
    published.remove(RSA)
    clock.advance(timedelta(minutes=9, seconds=59))
    assert verdict_of(verifier, token({"exp": NOW + 900})) == ACCEPT
    clock.advance(timedelta(seconds=1))
    assert verdict_of(verifier, token({"exp": NOW + 900})) == "unknown-key"


@pytest.mark.rule("SEC-TOK-04")
def test_a_clock_that_was_set_back_makes_no_key_live_longer(
    verifier: Verifier, published: Published, clock: ManualClock
) -> None:
    verifier.verify(token())
    published.remove(RSA)
    clock.advance(timedelta(seconds=-30))
    assert verdict_of(verifier, token()) == "unknown-key"


@pytest.mark.rule("SEC-TOK-04")
def test_an_unreachable_key_set_keeps_its_last_keys_for_a_day(
    verifier: Verifier, published: Published, clock: ManualClock
) -> None:
    verifier.verify(token())
    published.gone = True
    clock.advance(timedelta(hours=23, minutes=59))
    fresh = {"iat": NOW + 86_000, "exp": NOW + 87_000}
    assert verdict_of(verifier, token(fresh)) == ACCEPT
    clock.advance(timedelta(minutes=1))
    assert verdict_of(verifier, token(fresh)) == "unknown-key"


@pytest.mark.rule("SEC-TOK-02")
@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_rsa_key_is_no_key(verifier: Verifier, published: Published) -> None:
    published.append(SMALL)
    assert verdict_of(verifier, token(key=SMALL)) == "algorithm"


@pytest.mark.rule("SEC-TOK-02")
def test_an_issuer_may_sign_with_less_than_we_know(published: Published, clock: ManualClock) -> None:
    only_rsa = Verifier([Issuer(ISSUER, Jwks(published, clock), AUDIENCE, algorithms=("RS256",))], clock)
    assert verdict_of(only_rsa, token()) == ACCEPT
    assert verdict_of(only_rsa, token(key=EC, alg="ES256")) == "algorithm"


@pytest.mark.rule("SEC-TOK-01")
@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a.b",
        "a..c",
        "ä.b.c",
        token() + "\n",
        token({"padding": "x" * 8_192}),
        b64(b"[]") + ".e30.c",
        b64(b'{"alg":"RS256","alg":"none"}') + ".e30.c",
    ],
    ids=["empty", "dot", "two parts", "no payload", "other letters", "line break", "long", "a list", "alg twice"],
)
def test_what_has_not_the_form_of_a_token_is_refused(text: str, verifier: Verifier) -> None:
    assert verdict_of(verifier, text) == "format"


@pytest.mark.rule("SEC-TOK-01")
@pytest.mark.parametrize("payload", [b'{"exp": NaN}', b"[]", b'"text"', b"\xff", b"[" * 3_000, b'{"exp": 1e400}'])
def test_a_payload_that_is_no_plain_object_has_no_claims(payload: bytes, verifier: Verifier) -> None:
    assert verdict_of(verifier, token(payload=payload)) == "claims"


@pytest.mark.rule("SEC-TOK-05")
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [True, 1795262400.0, "1795262400", None, [1795262400]])
def test_times_are_whole_numbers(claim: str, value: Any, verifier: Verifier) -> None:
    absent_is_fine = claim == "nbf" and value is None
    assert verdict_of(verifier, token({claim: value})) == (ACCEPT if absent_is_fine else "claims")


@pytest.mark.rule("SEC-TOK-08")
@pytest.mark.parametrize("claims", [{"nonce": "n"}, {"typ": "ID"}, {"typ": "Refresh"}, {"typ": "Logout"}])
def test_a_token_of_another_kind_is_no_access_token(claims: dict[str, Any], verifier: Verifier) -> None:
    assert verdict_of(verifier, token(claims)) == "type"


@pytest.mark.rule("SEC-TOK-03")
@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "application/at+jwt"])
def test_an_access_token_may_say_what_it_is(typ: str | None, verifier: Verifier) -> None:
    assert verdict_of(verifier, token(header={"typ": typ})) == ACCEPT


@pytest.mark.rule("SEC-TOK-03")
def test_certificates_in_the_header_are_passed_over(verifier: Verifier) -> None:
    assert verdict_of(verifier, token(header={"x5c": ["MIIB"], "x5t": "abc"})) == ACCEPT


@pytest.mark.rule("SEC-TOK-11")
def test_roles_are_found_where_the_issuer_puts_them(published: Published, clock: ManualClock) -> None:
    issuer = Issuer(
        ISSUER,
        Jwks(published, clock),
        AUDIENCE,
        roles_at=("realm_access", "roles"),
        roles={"hub-planner": "dispatcher"},
        company_at="org",
    )
    verifier = Verifier([issuer], clock)
    planner = verifier.verify(token({"roles": None, "realm_access": {"roles": ["hub-planner", "unknown", 7]}}))
    assert planner.roles == {"dispatcher"}
    company = verifier.verify(token({"roles": None, "realm_access": {"roles": ["company_admin"]}, "org": "c-1"}))
    assert (company.roles, company.scope.kind, company.scope.id) == ({"company_admin"}, "company", "c-1")


def test_every_algorithm_that_we_take_is_one_that_the_library_has() -> None:
    assert set(ALGORITHMS) <= set(jws.JWSRegistry.algorithms)
