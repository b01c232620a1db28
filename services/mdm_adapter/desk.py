"""What all work of the adapter has at hand: the partners' profiles, our own name, how long to wait."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from services.mdm_adapter.partners.device_types import LiveDeviceTypes
from services.mdm_adapter.partners.loader import Partners
from services.mdm_adapter.partners.profile import Profile, RestOut

REST, FILE, RESULT = "partner_rest", "partner_file", "result_file"
"""Kinds of effects, and names of their ports."""


@dataclass(frozen=True)
class Desk:
    """Given once, when the service is put together."""

    partners: Partners
    source: str
    fact_wait: timedelta
    urls: Mapping[str, str]
    device_types: LiveDeviceTypes = field(default_factory=LiveDeviceTypes)
    market_id: str | None = None
    """Our own code in the market (D-MP-1); without it no interchange can be written."""

    @property
    def own_ids(self) -> frozenset[str] | None:
        """Whom an interchange may be meant for; None: everybody is us."""
        return frozenset({self.market_id}) if self.market_id else None

    def address(self, profile: Profile) -> str | None:
        """Where documents of this partner are posted."""
        agreed = profile.out.url if isinstance(profile.out, RestOut) else None
        return self.urls.get(profile.id) or agreed

    def way_out(self, profile: Profile) -> str | None:
        """The kind of effect by which documents leave to this partner; None: there is no way."""
        if not isinstance(profile.out, RestOut):
            return FILE
        return REST if self.address(profile) else None
