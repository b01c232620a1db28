"""Settings: which source wins, and how a mistake is named."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from kit.settings import Misconfigured, Settings


class Gateway(Settings):
    """What some service adds."""

    gateway_key: SecretStr = SecretStr("")
    """Proves the service to its SMS gateway."""
    gateway_retries: int = 3
    """How often a message is tried."""


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside, and a folder without a hub.toml."""
    import os

    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_an_option_beats_the_environment_which_beats_the_file_which_beats_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert Settings.load().batch_max == 500
    (tmp_path / "hub.toml").write_text("batch_max = 50\npool_size = 3\n")
    assert (Settings.load().batch_max, Settings.load().pool_size) == (50, 3)
    monkeypatch.setenv("HUB_BATCH_MAX", "60")
    assert (Settings.load().batch_max, Settings.load().pool_size) == (60, 3)
    assert Settings.load(batch_max=70).batch_max == 70


def test_nested_names_have_two_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_KAFKA__SERVERS", "broker:9092")
    assert Settings.load().kafka.servers == "broker:9092"


def test_a_typing_mistake_ends_the_start_and_names_what_was_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_BATCHMAX", "5")
    with pytest.raises(Misconfigured) as caught:
        Settings.load()
    assert caught.value.code == 2
    assert "did you mean batch_max (HUB_BATCH_MAX)?" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted({*Settings.model_fields, "gateway_retries"}))
def test_no_misspelt_setting_is_passed_over(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"HUB_{name.upper()}X", "1")
    with pytest.raises(Misconfigured):
        Settings.load()
    assert name in capsys.readouterr().err


def test_a_mistake_in_the_file_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text("portt = 1\n")
    with pytest.raises(Misconfigured, match=r"hub\.toml: there is no setting portt .* did you mean port"):
        Settings.load()


def test_a_value_that_does_not_fit_ends_the_start_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PORT", "much")
    with pytest.raises(Misconfigured, match=r"HUB_PORT: .*integer"):
        Settings.load()


def test_services_of_one_process_share_environment_and_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text("gateway_retries = 5\n")
    monkeypatch.setenv("HUB_GATEWAY_KEY", "geheim")
    assert Settings.load().batch_max == 500
    mine = Gateway.load()
    assert (mine.gateway_retries, mine.gateway_key.get_secret_value()) == (5, "geheim")


@pytest.mark.rule("SEC-CRY-01")
def test_a_secret_comes_from_its_own_file_and_never_from_the_settings_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("geheim\n")
    monkeypatch.setenv("HUB_GATEWAY_KEY_FILE", str(tmp_path / "secret"))
    mine = Gateway.load()
    assert mine.gateway_key.get_secret_value() == "geheim"
    assert "geheim" not in repr(mine)
    (tmp_path / "hub.toml").write_text('gateway_key = "geheim"\n')
    with pytest.raises(Misconfigured, match="secret"):
        Gateway.load()


def test_a_named_settings_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CONFIG", "nowhere.toml")
    with pytest.raises(Misconfigured, match=r"nowhere\.toml"):
        Settings.load()


def test_what_tests_and_commands_read_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUB_TEST_KAFKA", "HUB_TEST_POSTGRES", "HUB_URL", "HUB_TOKEN"):
        monkeypatch.setenv(name, "x")
    assert Settings.load().port == 8080


def test_each_service_has_its_own_database() -> None:
    embedded, distributed = (
        Settings(data_dir=Path("/var/hub")),
        Settings(database_url="postgresql+asyncpg://h/{service}"),
    )
    assert embedded.database("case_service") == "sqlite:////var/hub/case_service.db"
    assert distributed.database("case_service") == "postgresql+asyncpg://h/case_service"


@pytest.mark.rule("SEC-SES-04")
def test_the_hosts_that_are_answered_for() -> None:
    settings = Settings(public_url="https://hub.example:8443/x", allowed_hosts="case-service, qa-service")
    assert settings.hosts == {"localhost", "127.0.0.1", "[::1]", "hub.example", "case-service", "qa-service"}


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
