"""The topics of the hub: who writes each, who may read it, and how long it is kept.

Provisioning, access control lists and the AsyncAPI document are derived from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

SERVICE_OF: Mapping[str, str] = MappingProxyType(
    {
        "case": "case_service",
        "booking": "booking_service",
        "asset": "asset_service",
        "qa": "qa_service",
        "notification": "notification_service",
        "mdm": "mdm_adapter",
        "cockpit": "cockpit_service",
    }
)
"""The service behind an owner's short name, as it stands in the type of an event."""

SERVICES = frozenset(SERVICE_OF.values())

OPERATIONS = "operations"
"""Who looks after the machine: the only reader of dead letters."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A stream of facts with exactly one owner."""

    name: str
    owner: str | None
    """The service that alone writes it; None: every service, under its own key prefix."""
    key: str
    """What orders its records: facts with one key keep their order."""
    audience: Literal["public", "restricted"]
    """Restricted topics carry personal data; public ones never do."""
    readers: frozenset[str]
    """Services that may read it. Other teams may read public topics."""
    cleanup: Literal["delete", "compact"] = "delete"
    retention_days: int | None = 30
    """None: the newest record of each key is kept until its tombstone."""
    compaction_days: int | None = None
    """The longest time until an overwritten record is gone."""
    partitions: int = 12
    """Never changed in place: the order of a key hangs on it."""

    @property
    def writers(self) -> frozenset[str]:
        """The services that may write it."""
        return SERVICES if self.owner is None else frozenset({self.owner})


def _public(name: str, owner: str, key: str) -> Topic:
    return Topic(name=name, owner=owner, key=key, audience="public", readers=SERVICES)


def _restricted(name: str, owner: str | None, key: str, readers: set[str]) -> Topic:
    return Topic(name=name, owner=owner, key=key, audience="restricted", readers=frozenset(readers))


_ALL = (
    _restricted("rollout.orders", "mdm_adapter", "order_key", {"case_service"}),
    _public("rollout.handovers", "mdm_adapter", "case_id"),
    _public("rollout.cases", "case_service", "case_id"),
    _restricted(
        "rollout.visits", "case_service", "case_id", {"asset_service", "qa_service", "mdm_adapter", "cockpit_service"}
    ),
    Topic(
        name="rollout.contacts",
        owner="case_service",
        key="case_id",
        audience="restricted",
        readers=frozenset({"booking_service", "notification_service", "cockpit_service"}),
        cleanup="compact",
        retention_days=None,
        compaction_days=7,
    ),
    _public("rollout.bookings", "booking_service", "case_id"),
    _public("rollout.assets", "asset_service", "device_id; material events: case_id"),
    _public("rollout.quality", "qa_service", "case_id; forms: form_key"),
    _public("rollout.notices", "notification_service", "case_id"),
    _restricted("rollout.messages", "notification_service", "case_id", {"cockpit_service"}),
    _restricted("rollout.dead-letters", None, "<service>:<original key>", {OPERATIONS}),
)

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _ALL})
"""Every topic by its name."""

DEAD_LETTERS = "rollout.dead-letters"
"""Its records have no model: the value is the original bytes, encrypted for their case."""
