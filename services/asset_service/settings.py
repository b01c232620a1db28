"""What asset_service can be told."""

from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from kit.settings import Settings as Kit


class Settings(Kit):
    """The operator's zone, and how much one delivery file may hold."""

    asset_zone: str = "Europe/Berlin"
    """Time zone that decides on which day a technician needs the material."""
    asset_import_bytes: int = Field(5_000_000, ge=1_000)
    """Bytes of one file of received devices."""

    @field_validator("asset_zone")
    @classmethod
    def is_zone(cls, name: str) -> str:
        """Refuse a zone that does not exist before anything starts."""
        ZoneInfo(name)
        return name
