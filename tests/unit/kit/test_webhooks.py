"""Signed calls: what proves one, what does not, and what we sign ourselves."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from kit.webhooks import Basic, Call, Refused, Seven, Standard, UrlSecret, sign, verify

AT = 1795262400
NOW = datetime.fromtimestamp(AT, UTC)
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SECOND = "whsec_" + b64encode(b"another secret of 32 bytes lengt").decode()
FOREIGN = "whsec_" + b64encode(b"a secret of somebody else's hub ").decode()
NAME, BODY = "0197f000-0000-7000-8000-00000000000a", b'{"type":"rollout.case.completed.v1"}'
PROOF = Standard((SECRET, SECOND))


def call(body: bytes = BODY, *, secret: str = SECRET, at: int = AT, name: str = NAME, **headers: str | None) -> Call:
    """A well signed call; headers that are given take the place of the right ones, None takes one away."""
    right: dict[str, str | None] = {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(secret, name, at, body),
    }
    changed = right | {key.replace("_", "-"): value for key, value in headers.items()}
    return Call(body, {key: value for key, value in changed.items() if value is not None})


GOOD = {
    "good": call(),
    "second secret": call(secret=SECOND),
    "two signatures, one good": call(webhook_signature=f"v1,AAAA {sign(SECRET, NAME, AT, BODY)}"),
    "replay": call(),
    "empty body": call(b""),
    "1 MB body": call(b"x" * 1_000_000),
    "as old as may be": call(at=AT - 300),
}
BAD = {
    "old": call(at=AT - 301),
    "future": call(at=AT + 301),
    "changed body": Call(BODY + b" ", call().headers),
    "changed id": call(webhook_id="0197f000-0000-7000-8000-00000000000b"),
    "missing header": call(webhook_signature=None),
    "missing time": call(webhook_timestamp=None),
    "wrong secret": call(secret=FOREIGN),
    "reordered JSON": Call(b'{"b":1,"a":2}', call(b'{"a":2,"b":1}').headers),
    "time that is no number": call(webhook_timestamp="1795262400.0"),
    "signature that is no text of ours": call(webhook_signature="v1,ü"),
}


@pytest.mark.rule("SEC-HOOK-01")
@pytest.mark.rule("SEC-HOOK-02")
@pytest.mark.parametrize("case", GOOD)
def test_a_call_that_proves_itself_is_known_by_its_id(case: str) -> None:
    assert verify(GOOD[case], [PROOF], NOW) == NAME


@pytest.mark.rule("SEC-HOOK-01")
@pytest.mark.rule("SEC-HOOK-02")
@pytest.mark.parametrize("case", BAD)
def test_a_call_that_does_not_is_refused(case: str) -> None:
    with pytest.raises(Refused) as caught:
        verify(BAD[case], [PROOF], NOW)
    assert caught.value.status == 401


@pytest.mark.rule("SEC-HOOK-03")
def test_what_we_sign_is_the_vector_of_the_page() -> None:
    assert sign(SECRET, NAME, AT, BODY) == "v1,Iy2kWJwe01zh4I2rHp8nb2l59iZ/KIHncY0pxP/92ms="


SEVEN_URL, NONCE = "https://hub.example/v1/sms/seven/in", "0123456789abcdef0123456789abcdef"


@pytest.mark.rule("SEC-HOOK-01")
def test_the_gateways_recipe_is_the_vector_of_the_page() -> None:
    made = Seven.sign("sim-signing-key", "1790000000", NONCE, "POST", SEVEN_URL, "840126bdcc09a49a8bfedb1e04735796")
    assert made == "3aac3154b1d8a7bdf44a3237613d286b554b1b5618f863e275b7f08288ae2212"


def seven(body: bytes = BODY, url: str = SEVEN_URL, **changed: str) -> Call:
    from hashlib import md5

    digest = md5(BODY, usedforsecurity=False).hexdigest()
    headers: Mapping[str, str] = {
        "x-signature": Seven.sign("sim-signing-key", str(AT), NONCE, "POST", SEVEN_URL, digest),
        "x-timestamp": str(AT),
        "x-nonce": NONCE,
    }
    return Call(body, {**headers, **{f"x-{name}": value for name, value in changed.items()}}, "POST", url)


@pytest.mark.rule("SEC-HOOK-01")
def test_the_gateways_nonce_is_what_a_repeat_is_known_by() -> None:
    assert verify(seven(), [Seven(("old-key", "sim-signing-key"))], NOW) == NONCE


@pytest.mark.rule("SEC-HOOK-01")
@pytest.mark.parametrize(
    "wrong",
    [
        seven(b"{}"),
        seven(url="https://evil.example/v1/sms/seven/in"),
        seven(nonce="f" * 32),
        seven(timestamp=str(AT - 301)),
    ],
    ids=["body", "address", "nonce", "time"],
)
def test_the_gateways_signature_holds_for_one_body_at_one_address_at_one_time(wrong: Call) -> None:
    with pytest.raises(Refused):
        verify(wrong, [Seven(("sim-signing-key",))], NOW)


@pytest.mark.rule("SEC-HOOK-01")
def test_vendors_that_cannot_sign_have_a_password_or_a_secret_address() -> None:
    authorization = "Basic " + b64encode(b"elks:geheim").decode()
    known = Call(b"", {"authorization": authorization}, url="https://hub.example/v1/sms/elks/in/3f9a?x=1")
    assert verify(known, [Basic("elks", "geheim"), UrlSecret(("3f9a",))], NOW) is None
    for proof in (Basic("elks", "other"), UrlSecret(("3f9b",))):
        with pytest.raises(Refused):
            verify(known, [proof], NOW)


@pytest.mark.rule("SEC-HOOK-01")
def test_an_endpoint_without_a_proof_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        verify(call(), [], NOW)
