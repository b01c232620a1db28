"""Secrets and operators: what the service can be told, and what it makes for itself."""

import json
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.notification_service.domain.operators import Operators
from services.notification_service.settings import Settings

X_NETZ = {"code": "x", "name": "X-Netz", "sender": "+4915700000009", "service_phone": "1"}


def test_keys_that_nobody_set_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first, again = Settings(data_dir=tmp_path), Settings(data_dir=tmp_path)
    assert (first.pepper(), first.code_keys()) == (again.pepper(), again.code_keys())
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("notification_pepper", "dialogue_key")]
    assert modes == [0o600, 0o600]


def test_the_first_code_key_makes_new_codes_and_the_others_rebuild_old_ones(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, dialogue_keys="k2:new, k1:old")
    assert list(settings.code_keys().items()) == [("k2", b"new"), ("k1", b"old")]


def test_SEC_HOOK_01_a_vendor_without_a_proof_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="callbacks without proof"):
        Settings(data_dir=tmp_path, sms_url="https://vendor.example")


def test_operators_are_configured_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_OPERATORS", json.dumps([X_NETZ | {"quiet_from": "21:00"}]))
    operators = Operators(Settings(data_dir=tmp_path).operators)
    assert (operators.get("x").name, f"{operators.get('x').quiet_from:%H}") == ("X-Netz", "21")
    assert operators.get("unheard_of").code == "x"


def test_an_operator_with_an_unknown_zone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_OPERATORS", json.dumps([X_NETZ | {"zone": "A/B"}]))
    with pytest.raises(ValidationError, match="there is no time zone A/B"):
        Settings(data_dir=tmp_path)
