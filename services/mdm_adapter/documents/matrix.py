"""Who gets which document about which fact, and which answer counts: data, read by `domain/recipients.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from contracts.codes import AnnouncedPlan, Fact


class DocumentKind(StrEnum):
    """Documents that leave the house about a case."""

    WORK_ANNOUNCED = "work_announced"
    DEVICE_EXCHANGE_COMPLETED = "device_exchange_completed"
    WORK_NOT_COMPLETED = "work_not_completed"
    CANCELLATION_ANSWER = "cancellation_answer"
    VALUES_WITHDRAWN = "values_withdrawn"
    """The state after the work was undone, to whoever was told of the work."""
    DEVICE_REMOVED = "device_removed"
    DEVICE_INSTALLED = "device_installed"
    """Both sides of an exchange, told one after the other to who cannot take them together."""
    METER_READINGS = "meter_readings"
    """In EDIFACT readings leave in a message of their own, behind the devices."""
    READINGS_WITHDRAWN = "readings_withdrawn"
    """In EDIFACT: readings that were sent no longer hold; told before the state after the work was undone."""
    ORDER_ANSWER = "order_answer"


class Role(StrEnum):
    """What a recipient is to the point, or to the case."""

    NB = "nb"
    LF = "lf"
    WMSB = "wmsb"
    MSB_OLD = "msb_old"
    ORDERING = "ordering"
    """Whoever ordered the work: ERP, KIS, MDM, or a market role."""


class Accept(StrEnum):
    """Which answer settles a document, from the least to the most."""

    TRANSPORT = "transport"
    RECEIVED = "received"
    PROCESSABILITY = "processability"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True)
class Rule:
    """One cell: what this role is sent, and what settles it."""

    document: DocumentKind
    accept: Accept | None = None
    """None: as agreed with the partner."""
    plans: frozenset[AnnouncedPlan] = frozenset(AnnouncedPlan)
    silence_agrees: bool = False
    """Whoever says nothing in time agrees."""


_D, _A, _R = DocumentKind, Accept, Role
IMS = frozenset({AnnouncedPlan.IMS})
_TOLD = Rule(_D.DEVICE_EXCHANGE_COMPLETED, _A.PROCESSABILITY)
_GIVEN_UP = Rule(_D.WORK_NOT_COMPLETED, _A.PROCESSABILITY)
_UNDONE = Rule(_D.VALUES_WITHDRAWN, _A.PROCESSABILITY)
# fmt: off
MATRIX: Mapping[tuple[Fact, Role], Rule] = MappingProxyType({
    (Fact.ROLLOUT_ANNOUNCED,  _R.NB):       Rule(_D.WORK_ANNOUNCED, _A.PROCESSABILITY, IMS),
    (Fact.ROLLOUT_ANNOUNCED,  _R.LF):       Rule(_D.WORK_ANNOUNCED, _A.PROCESSABILITY),
    (Fact.ROLLOUT_ANNOUNCED,  _R.WMSB):     Rule(_D.WORK_ANNOUNCED, _A.BUSINESS, silence_agrees=True),
    (Fact.EXCHANGE_COMPLETED, _R.NB):       _TOLD,
    (Fact.EXCHANGE_COMPLETED, _R.LF):       _TOLD,
    (Fact.EXCHANGE_COMPLETED, _R.WMSB):     _TOLD,
    (Fact.EXCHANGE_COMPLETED, _R.MSB_OLD):  _TOLD,
    (Fact.EXCHANGE_COMPLETED, _R.ORDERING): Rule(_D.DEVICE_EXCHANGE_COMPLETED),
    (Fact.WORK_NOT_COMPLETED, _R.NB):       _GIVEN_UP,                          # own rollout, given up for good
    (Fact.WORK_NOT_COMPLETED, _R.LF):       _GIVEN_UP,
    (Fact.WORK_NOT_COMPLETED, _R.ORDERING): Rule(_D.WORK_NOT_COMPLETED),
    (Fact.CANCELLED,          _R.NB):       _UNDONE,                            # storno, to who has the values
    (Fact.CANCELLED,          _R.LF):       _UNDONE,
    (Fact.CANCELLED,          _R.WMSB):     _UNDONE,
    (Fact.CANCELLED,          _R.MSB_OLD):  _UNDONE,
    (Fact.CANCELLED,          _R.ORDERING): Rule(_D.CANCELLATION_ANSWER, _A.TRANSPORT),
})
# fmt: on
MARKET = (Role.NB, Role.LF, Role.WMSB, Role.MSB_OLD)
