"""What cockpit_service can be told, beside what every service can."""

from pydantic import Field

from kit.settings import Settings as KitSettings


class Settings(KitSettings):
    """How the console behaves."""

    refresh_seconds: int = Field(4, ge=1, le=300)
    """Seconds between two looks of an open page for what is new."""
    quarantine_days: int = Field(30, ge=1, le=365)
    """Days that a quarantined message is listed among the problems; its release is not told."""
