"""What mdm_adapter can be told, beside what every service can."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contracts.ids import is_market_partner
from kit.settings import Settings as KernelSettings
from kit.settings import is_loopback


class Cluster(BaseModel):
    """A Kafka cluster that is not ours."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    servers: str
    """Bootstrap addresses, comma-separated host:port."""
    protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "SASL_SSL"
    """How we speak with it; in plain text only inside a machine."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How we sign in, with SASL_SSL."""
    user: str | None = None
    """As whom, with SASL_SSL."""
    password: str | None = None
    """`ref:…`, a secret's name; never its value."""
    ca_file: Path | None = None
    """Certificates of an authority of its own; default: those of the system."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        hosts = [each.strip().rpartition(":")[0] for each in self.servers.split(",")]
        if self.protocol == "PLAINTEXT" and not all(map(is_loopback, hosts)):
            raise ValueError("in plain text only with brokers on this machine")
        if self.protocol == "SASL_SSL" and not (self.user and (self.password or "").startswith("ref:")):
            raise ValueError("SASL_SSL needs a user, and the name of a password: ref:…")
        return self


class Settings(KernelSettings):
    """Partners, folders and time limits of the adapter."""

    partners_dir: Path | None = None
    """Folder of partner profiles (YAML) beside those that come with the hub; the same id wins over them."""
    partner_urls: dict[str, str] = {}
    """Where documents of a partner are posted, by partner id; wins over the address in its profile."""
    message_source: str = Field("ROLLOUT-HUB", min_length=1, max_length=80)
    """The name under which the hub speaks in its messages (Header/Source)."""
    market_id: str | None = None
    """The hub's own code in the German market (MP-ID, 13 digits): sender of its interchanges, receiver of others'."""
    drop_dir: Path | None = None
    """Folder that holds a folder per partner for file transfer; default: drop in the data directory."""
    drop_settle_seconds: float = Field(10, ge=0)
    """Seconds that a file must have stayed the same before it is taken."""
    partner_timeout_seconds: float = Field(15, gt=0, lt=60)
    """Seconds that a partner's endpoint may take to answer; below the lease of effects."""
    secrets_dir: Path | None = None
    """Folder of the secrets that profiles name, a file each (mode 0600); default: secrets in the data directory."""
    webhook_ports: frozenset[int] = frozenset({443})
    """Ports of partners' addresses in the internet that may be called."""
    partner_clusters: dict[str, Cluster] = {}
    """Kafka clusters of in-house partners by name, as their profiles say it; never the hub's own."""
    fact_wait_minutes: float = Field(15, gt=0)
    """Minutes that a document waits for a fact that another event must bring."""

    @field_validator("market_id")
    @classmethod
    def _is_market_id(cls, value: str | None) -> str | None:
        if value is not None and not is_market_partner(value):
            raise ValueError("an MP-ID has 13 digits, the last one a check digit (D-MP-1)")
        return value

    @property
    def secrets_path(self) -> Path:
        """The folder of the secrets."""
        return self.secrets_dir or self.data_dir / "secrets"

    @property
    def drop_path(self) -> Path:
        """The folder of the partners' folders."""
        return self.drop_dir or self.data_dir / "drop"
