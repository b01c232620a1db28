"""What mdm_adapter can be told, beside what every service can."""

from pathlib import Path

from pydantic import Field, field_validator

from contracts.ids import is_market_partner
from kit.settings import Settings as KernelSettings


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
    fact_wait_minutes: float = Field(15, gt=0)
    """Minutes that a document waits for a fact that another event must bring."""

    @field_validator("market_id")
    @classmethod
    def _is_market_id(cls, value: str | None) -> str | None:
        if value is not None and not is_market_partner(value):
            raise ValueError("an MP-ID has 13 digits, the last one a check digit (D-MP-1)")
        return value

    @property
    def drop_path(self) -> Path:
        """The folder of the partners' folders."""
        return self.drop_dir or self.data_dir / "drop"
