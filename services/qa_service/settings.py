"""What qa_service can be told."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from kit.settings import Settings as Kit
from services.qa_service.domain.policy import Policy
from services.qa_service.images import Limits


class Settings(Kit):
    """How long reviews and rework may take, and what may be uploaded. Days are working days."""

    review_days: int = Field(2, ge=1)
    """Working days until a report should be reviewed."""
    desk_rework_days: int = Field(3, ge=1)
    """Working days until a company should have brought what a reviewer asked for."""
    field_rework_days: int = Field(10, ge=1)
    """Working days until somebody should have gone again."""
    review_lease_minutes: int = Field(30, ge=1)
    """Minutes that a review is kept for the one who took it."""
    review_rounds: int = Field(3, ge=1)
    """After so many rounds the next rework is in the field, or an exception decides."""
    evidence_dir: Path | None = None
    """Folder of the evidence; default: evidence in the data directory."""
    photo_bytes: int = Field(15_000_000, ge=1_000)
    """Most bytes of one photo as it is uploaded (SEC-UP-01)."""
    photo_pixels: int = Field(50_000_000, ge=1_000)
    """Most pixels of one photo (SEC-UP-01)."""
    photo_metadata_bytes: int = Field(1_000_000, ge=1_000)
    """Most bytes of texts, profiles and EXIF in one photo, unpacked."""

    @property
    def evidence_path(self) -> Path:
        """Where the evidence lies."""
        return self.evidence_dir or self.data_dir / "evidence"

    def policy(self) -> Policy:
        """The settings as the domain reads them."""
        return Policy(
            zone=self.timezone,
            review_days=self.review_days,
            desk_days=self.desk_rework_days,
            field_days=self.field_rework_days,
            lease=timedelta(minutes=self.review_lease_minutes),
            max_rounds=self.review_rounds,
        )

    def limits(self) -> Limits:
        """What a photo may hold."""
        return Limits(self.photo_bytes, self.photo_pixels, self.photo_metadata_bytes)
