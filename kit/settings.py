"""What can be set, in which unit, and with which default: options, HUB_ environment, secret files, hub.toml."""

import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "HUB_"
NOT_SETTINGS = frozenset(
    {"HUB_URL", "HUB_TOKEN", "HUB_TOKEN_FILE", "HUB_CONFIG", "HUB_TEST_KAFKA", "HUB_TEST_POSTGRES"}
)
"""What commands and tests read from the environment; no service does."""


class Misconfigured(SystemExit):
    """The process cannot start as it is configured: the reason on standard error, exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(2)
        self.message = message
        sys.stderr.write(f"{message}\n")

    def __str__(self) -> str:
        return self.message


class Kafka(BaseModel):
    """Where the brokers are; read when `bus` is kafka."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    servers: str = "127.0.0.1:9092"
    """Bootstrap addresses, comma-separated host:port."""
    compression: Literal["none", "gzip"] = "none"
    """How batches are compressed; gzip costs processor time and saves network."""
    session_timeout_ms: int = Field(10_000, ge=1_000)
    """Milliseconds after which the group gives up a silent member; tests use 6,000."""


class Settings(BaseSettings):
    """What every service can be told. A service adds its own by a subclass in its settings.py."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", use_attribute_docstrings=True, frozen=True
    )
    known: ClassVar[dict[str, type["Settings"]]] = {}
    """Every setting of every class that is loaded, for services of one process share the environment."""

    database_url: str = Field("sqlite:///{data}/{service}.db", repr=False)
    """Where a service keeps its state; {service} and {data} are filled in. SQLite or postgresql+asyncpg."""
    data_dir: Path = Path("data")
    """Folder of the embedded databases, keys and address files (mode 0700)."""
    bus: Literal["local", "kafka"] = "local"
    """What carries events: the services' own event_log tables, in one process, or Kafka."""
    kafka: Kafka = Kafka()
    """The brokers."""
    host: str = "127.0.0.1"
    """Address that HTTP is served on."""
    port: int = Field(8080, ge=0, le=65_535)
    """Port that HTTP is served on; 0 takes a free one."""
    metrics_port: int | None = Field(None, ge=0, le=65_535)
    """Port of its own for /metrics, without a token (usually 9464); without it only /metrics behind a token."""
    public_url: str | None = None
    """Under which address people and partners reach the hub; its host is answered for, links are made with it."""
    allowed_hosts: str = ""
    """Further host names, comma-separated, that requests may carry, besides loopback and that of `public_url`."""
    trusted_proxies: str = ""
    """Comma-separated addresses whose X-Forwarded-For and -Proto are believed; empty: nobody's."""
    timezone: str = "Europe/Berlin"
    """Zone of local dates where an operator has none of its own."""
    jwks_file: Path | None = None
    """Public keys that tokens are checked with (JWKS); default: jwks.json in the data directory."""
    issuer: str = "rollout-hub"
    """The `iss` of tokens signed with those keys, character for character."""
    audience: str = "rollout-hub-api"
    """The `aud` that a token must be meant for."""
    keys_file: Path | None = None
    """API keys of partners and feed readers, hashed; default: keys.json in the data directory."""
    anchor_dir: Path | None = None
    """Where the daily seals of the audit are kept, out of its reach; default: anchors in the data directory."""
    anchor_key_file: Path | None = None
    """Key that they are signed with (Ed25519, mode 0600); default: anchor-key.pem in the data directory."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on lines are logged."""
    log_format: Literal["json", "console"] = "json"
    """One JSON object per line, or lines for people."""
    batch_max: int = Field(500, ge=1, le=5_000)
    """Most events that one transaction applies."""
    fetch_wait_ms: int = Field(100, ge=1)
    """Milliseconds that a broker may wait for the first record of a fetch."""
    pool_size: int = Field(10, ge=1)
    """Connections to PostgreSQL per process; five more in need."""
    lease_seconds: float = Field(60, gt=0)
    """After so many seconds without an outcome an effect counts as unknown; tests use 5."""
    drain_seconds: float = Field(5, ge=0)
    """Between not being ready and stopping, so that a balancer turns away; 0 where there is none."""
    instance: str | None = None
    """Name of this process among its like: a restart within the session timeout moves no partition."""
    clock: Path | None = None
    """Tests only: file with the instant that is now."""
    crash: str | None = None
    """Tests only: <point>:<n>, where to die."""
    pause: str | None = None
    """Tests only: <point>:<n>:<seconds>, where to stand still."""

    @classmethod
    def __pydantic_init_subclass__(cls, **rest: Any) -> None:
        super().__pydantic_init_subclass__(**rest)
        Settings.known.update(dict.fromkeys(cls.model_fields, cls))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature; we read no .env
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then the environment, secret files, hub.toml; the default last."""
        return init_settings, env_settings, SecretFiles(settings_cls), TomlFile(settings_cls)

    @classmethod
    def load(cls, **options: Any) -> Self:
        """Read everything; whatever is wrong ends the process with the name of what is wrong (exit code 2)."""
        refuse_unknown(names_in(os.environ), "the environment")
        try:
            return cls(**options)
        except ValidationError as error:
            found = (f"HUB_{'__'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors())
            raise Misconfigured("\n".join(found)) from None

    def database(self, service: str) -> str:
        """The database of one service."""
        return self.database_url.replace("{service}", service).replace("{data}", str(self.data_dir))

    @property
    def jwks_path(self) -> Path:
        return self.jwks_file or self.data_dir / "jwks.json"

    @property
    def keys_path(self) -> Path:
        return self.keys_file or self.data_dir / "keys.json"

    @property
    def anchors_path(self) -> Path:
        return self.anchor_dir or self.data_dir / "anchors"

    @property
    def anchor_key_path(self) -> Path:
        return self.anchor_key_file or self.data_dir / "anchor-key.pem"

    @property
    def hosts(self) -> frozenset[str]:
        """Host names, without a port, that a request may carry."""
        public = urlsplit(self.public_url or "").hostname or ""
        further = (*self.allowed_hosts.split(","), public, self.host)
        return frozenset({"localhost", "127.0.0.1", "[::1]", *filter(None, map(str.strip, further))})


Settings.known.update(dict.fromkeys(Settings.model_fields, Settings))


class SecretFiles(PydanticBaseSettingsSource):
    """HUB_<NAME>_FILE names the file that holds a secret, so that it stands in no process list."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE") if is_secret(field) else None
        return (None if path is None else Path(path).read_text("utf-8").strip()), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


class TomlFile(PydanticBaseSettingsSource):
    """hub.toml: HUB_CONFIG, else the working folder's, else that of /etc/rollout-hub. Holds no secret."""

    def get_field_value(self, _field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # the file is read once, as a whole

    def __call__(self) -> dict[str, Any]:
        named = os.environ.get("HUB_CONFIG")
        places = [Path(named)] if named else [Path("hub.toml"), Path("/etc/rollout-hub/hub.toml")]
        for place in places:
            if place.exists():
                with place.open("rb") as file:
                    return self._ours(tomllib.load(file), place)
        if named:
            raise Misconfigured(f"HUB_CONFIG={named}: there is no such file")
        return {}

    def _ours(self, values: Mapping[str, Any], place: Path) -> dict[str, Any]:
        refuse_unknown(values, str(place))
        for name in values:
            if is_secret(Settings.known[name].model_fields[name]):
                raise Misconfigured(f"{place}: {name} is a secret and may not stand in a file of settings")
        return {name: value for name, value in values.items() if name in self.settings_cls.model_fields}


def names_in(environment: Iterable[str]) -> Iterable[str]:
    """The settings that an environment speaks of; nested members count as their first part."""
    for variable in environment:
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
            name = variable.removeprefix(PREFIX).split("__")[0].lower()
            secret = name.removesuffix("_file")
            held = Settings.known.get(secret)
            yield secret if held and is_secret(held.model_fields[secret]) else name


def refuse_unknown(names: Iterable[str], place: str) -> None:
    """Refuse to start with a setting that nobody reads: most often it is a typing mistake."""
    for name in names:
        if name not in Settings.known:
            near = get_close_matches(name, Settings.known, 1, 0.5)
            hint = f"; did you mean {near[0]} (HUB_{near[0].upper()})?" if near else ""
            raise Misconfigured(f"{place}: there is no setting {name} (HUB_{name.upper()}){hint}")


def is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on this host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
