"""What all work of the adapter has at hand: the partners' profiles, our own name, how long to wait."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from kit.limits import Rate
from services.mdm_adapter.partners.device_types import LiveDeviceTypes
from services.mdm_adapter.partners.loader import Partners
from services.mdm_adapter.partners.profile import FileOut, Profile, RestOut, WebhookOut
from services.mdm_adapter.partners.secrets import Secrets
from services.mdm_adapter.waiting import Waiting

REST, FILE, WEBHOOK, TOPIC = "partner_rest", "partner_file", "partner_webhook", "partner_topic"
RESULT = "result_file"
"""Kinds of effects, and names of their ports."""
TRANSPORTS: Mapping[str, str] = MappingProxyType({REST: "rest", FILE: "file_drop", WEBHOOK: "webhook", TOPIC: "topic"})
"""By which way of a profile an effect leaves."""


@dataclass(frozen=True)
class Desk:
    """Given once, when the service is put together."""

    partners: Partners
    source: str
    fact_wait: timedelta
    urls: Mapping[str, str]
    secrets: Secrets
    waiting: Waiting = field(default_factory=Waiting)
    rate: Rate = field(default_factory=lambda: Rate("mdm_adapter", "partner"))
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
        match profile.out:
            case FileOut():
                return FILE
            case WebhookOut():
                return WEBHOOK
            case RestOut():
                return REST if self.address(profile) else None
            case _:
                return TOPIC
