"""API keys: their form, what is kept of them, when they end."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.roles import Role
from kit import keys
from kit.auth import InvalidToken, Scope, Verifier
from kit.clock import FrozenClock

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
VECTOR = "hub_4f7q2m6xk3ab_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq_3e4a2194"


@pytest.fixture
def file(tmp_path: Path) -> keys.KeyFile:
    return keys.KeyFile(tmp_path / "keys.json")


@pytest.mark.rule("SEC-KEY-01")
def test_the_vector_of_the_page() -> None:
    parsed = keys.parse(VECTOR)
    assert parsed is not None
    assert (parsed.id, len(parsed.secret), len(VECTOR)) == ("4f7q2m6xk3ab", 52, 78)
    assert keys.digest(parsed.secret) == "9b78014745005569606d970db26c0e97b822a71fcae368b98320c2a299c41014"
    assert keys.make("4f7q2m6xk3ab", bytes(range(32))) == VECTOR


@pytest.mark.rule("SEC-KEY-01")
@pytest.mark.parametrize(
    "text",
    [
        VECTOR[:-1] + "5",
        VECTOR.upper(),
        VECTOR.replace("aaaq", "aaar"),
        VECTOR + "\n",
        "hub_" + "a" * 74,
        VECTOR[4:],
        "",
    ],
)
def test_what_is_no_key_is_seen_without_a_look_up(text: str) -> None:
    assert keys.parse(text) is None


@pytest.mark.rule("SEC-KEY-02")
def test_a_key_is_shown_once_and_kept_as_a_hash(file: keys.KeyFile) -> None:
    text = file.add("ERP team", ["order:submit", "order:cancel"], NOW, partner="erp")
    parsed = keys.parse(text)
    assert parsed is not None
    kept = file.path.read_text()
    assert parsed.secret not in kept
    assert json.loads(kept)[0]["hash"] == keys.digest(parsed.secret)
    assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.rule("SEC-KEY-02")
def test_a_key_is_its_partner_and_may_do_what_it_was_given(file: keys.KeyFile) -> None:
    text = file.add("ERP team", ["order:submit"], NOW, partner="erp")
    principal = Verifier([], FrozenClock(NOW), file).verify(text)
    assert principal.id.startswith("key:")
    assert (principal.roles, principal.scope) == ({Role.SYSTEM}, Scope("partner", "erp"))
    assert principal.may("order:submit")
    assert not principal.may("order:cancel")
    assert not principal.may("work_order:plan")


@pytest.mark.rule("SEC-KEY-02")
def test_a_key_ends_after_a_year_at_the_latest(file: keys.KeyFile) -> None:
    text = file.add("feed", ["feed:read"], NOW)
    assert file.find(text, NOW + timedelta(days=365) - timedelta(seconds=1)) is not None
    assert file.find(text, NOW + timedelta(days=365)) is None
    with pytest.raises(ValueError, match="365 days"):
        file.add("feed", ["feed:read"], NOW, days=366)


@pytest.mark.rule("SEC-KEY-02")
def test_a_key_is_never_good_for_what_people_do(file: keys.KeyFile) -> None:
    with pytest.raises(ValueError, match="review:decide"):
        file.add("feed", ["feed:read", "review:decide"], NOW)
    assert file.keys() == {}


@pytest.mark.rule("SEC-KEY-02")
def test_the_secret_of_another_key_opens_nothing(file: keys.KeyFile) -> None:
    mine = keys.parse(file.add("feed", ["feed:read"], NOW))
    assert mine is not None
    with pytest.raises(InvalidToken):
        Verifier([], FrozenClock(NOW), file).verify(keys.make(mine.id))


@pytest.mark.rule("SEC-KEY-04")
def test_two_keys_live_side_by_side_and_one_is_revoked_in_every_process(file: keys.KeyFile) -> None:
    old, new = file.add("ERP", ["order:submit"], NOW, "erp"), file.add("ERP", ["order:submit"], NOW, "erp")
    elsewhere = keys.KeyFile(file.path)
    assert elsewhere.find(old, NOW) is not None
    parsed = keys.parse(old)
    assert parsed is not None
    assert file.revoke(parsed.id)
    assert not file.revoke(parsed.id)
    assert (elsewhere.find(old, NOW), elsewhere.find(new, NOW) is not None) == (None, True)
