"""What is agreed with a partner: identity, dialects, transports, strictness, defaults; unknown keys are refused."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.codes import Authority, DeviceRole, Fact, LegalBasis, Origin
from contracts.ids import Code
from kit.outward import outward_url
from services.mdm_adapter.documents.matrix import Accept
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import Location, Party
from services.mdm_adapter.partners.mapping import ColumnMap

PartnerId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]
Dialect = Literal["cim_xml", "json_ce", "csv", "edifact_fv"]
Strictness = Literal["reject", "warn"]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone {name}") from None
    return name


class Agreed(BaseModel):
    """A part of a profile."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Identity(Agreed):
    """A name under which the partner speaks in its messages."""

    scheme: Literal["bdew", "dvgw", "gln", "eic", "name"]
    value: str = Field(min_length=1, max_length=80)
    valid_from: date | None = None


class DialectFrom(Agreed):
    """A dialect that is spoken, from a day on; what we write is the first one that can be written."""

    dialect: Dialect
    valid_from: date | None = None


class RestOut(Agreed):
    """Documents are posted to this address; it is configuration, never taken from a message."""

    kind: Literal["rest"]
    url: str | None = None
    """Without one the setting `partner_urls` must name it."""


class FileOut(Agreed):
    """Documents are put into the partner's folder `out/`."""

    kind: Literal["file_drop"]
    control: bool = True
    """Behind each file its control file `<name>.ctl` is written: sha256, bytes, records."""
    taking_counts: bool = False
    """A document is delivered when the partner has taken its file away; else when the file lies ready."""


class WebhookOut(Agreed):
    """Documents are posted with a signature (Standard Webhooks) to an address in the internet."""

    kind: Literal["webhook"]
    url: Annotated[str, AfterValidator(outward_url)]


class Topic(Agreed):
    """A topic of the partner's own cluster; never one of the hub's."""

    kind: Literal["topic"]
    cluster: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    """Its name in the setting `partner_clusters`."""
    topic: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,200}$")]


Out = Annotated[RestOut | FileOut | WebhookOut | Topic, Field(discriminator="kind")]


class RestIn(Agreed):
    """Messages are posted to us."""

    kind: Literal["rest"]
    wait_seconds: float = Field(0, ge=0, le=10)
    """So long a request is kept open for the answer; 0: it is answered by its receipt at once."""


class FileIn(Agreed):
    """Messages are dropped into the partner's folder `in/`."""

    kind: Literal["file_drop"]
    control: bool = False
    """A file is taken only with its control file; without this one that is there is checked all the same."""


class WebhookIn(Agreed):
    """Messages are posted with a signature (Standard Webhooks) by `secrets.webhook_in`."""

    kind: Literal["webhook"]


In = Annotated[RestIn | FileIn | WebhookIn | Topic, Field(discriminator="kind")]
"""A way on which the partner's messages may come."""


class Transports(Agreed):
    """Ways in and out; the first way out is taken."""

    in_: tuple[In, ...] = Field(alias="in", min_length=1)
    out: tuple[Out, ...] = Field(min_length=1)


class StrictIds(Agreed):
    """What a bad identifier gets: its item is refused, or taken with a warning."""

    malo: Strictness = "reject"
    melo: Strictness = "reject"
    gsrn: Strictness = "reject"
    mp: Strictness = "warn"


class Strict(Agreed):
    """How strict we are with what comes in. What goes out is always strict."""

    ids: StrictIds = StrictIds()
    require_order_version: bool = True


class Xml(Agreed):
    """Deviations of the partner's XML."""

    aliases: dict[str, str] = {}
    """Namespace of the partner -> namespace that is meant."""


FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,80}$")]
"""A file beside the profile."""


class CsvForm(Agreed):
    """The form of the partner's CSV files; nothing of it is guessed."""

    delimiter: Literal[";", ",", "\t", "|"] = ";"
    encoding: Literal["utf-8", "iso-8859-1", "iso-8859-15", "cp1252"] = "utf-8"
    mapping: ColumnMap | FileName | None = None
    """Which of its columns is what, or the file beside the profile that says it; without it they have our names."""


Reference = Annotated[str, StringConstraints(pattern=r"^ref:[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*){0,7}$")]
"""The name of a secret: `ref:a/b` lies in the file `a/b` of the setting `secrets_dir`. Never its value."""


class Secrets(Agreed):
    """What proves the partner to us and us to the partner; while one is exchanged there are two."""

    api_key: Reference | None = None
    """What we show where documents are posted."""
    webhook_in: tuple[Reference, ...] = Field((), max_length=2)
    webhook_out: tuple[Reference, ...] = Field((), max_length=2)


class Defaults(Agreed):
    """What is taken where neither a message nor anything on record says it."""

    operator: Code
    origin: Origin = Origin.STATUTORY
    legal_basis: LegalBasis = LegalBasis.MANDATORY
    language: Code = "de"
    sms_allowed: bool = False
    device_plan: Code = "MME"
    priority: int = Field(3, ge=1, le=5)
    country: Code | None = None
    municipality: Code | None = None
    stage: Code | None = None
    voltage: Code | None = None
    """Code of the market for the level of voltage, E03 to E06."""
    customer_class: Literal["person", "company"] | None = None
    price_key: Code | None = None
    """What a supplier is told that a device costs."""
    parties: dict[str, str] = {}
    """Role (nb, lf, wmsb, msb_old) -> id."""
    device_types: dict[DeviceRole, Code] = {}
    """Which device type is planned for a role; without one the plan leaves it open."""

    def content(self) -> OrderContent:
        """The defaults in the form of an order that says nothing else."""
        return OrderContent(
            order_no="",
            order_version=0,
            operator=self.operator,
            origin=self.origin,
            legal_basis=self.legal_basis,
            language=self.language,
            sms_allowed=self.sms_allowed,
            plan=self.device_plan,
            priority=self.priority,
            voltage=self.voltage,
            customer_class=self.customer_class,
            location=Location(country=self.country, municipality=self.municipality, stage=self.stage),
            parties=tuple(Party(role=role, id=id_) for role, id_ in sorted(self.parties.items())) or None,
        )


class Options(Agreed):
    """What the partner wants to hear, and what it wants decided."""

    report_failed_visits: bool = True
    """Each failed visit is reported, not only the end of all tries."""
    removal_first: bool = False
    """An exchange is told as a removal and then an installation, which leaves once the removal is settled (H3)."""
    auto_accept_orders: bool = True
    """An order that can be read is accepted at once; else case_service decides, and answers."""
    answer_within_hours: int = Field(48, ge=1)
    """How long a person may take to answer an order, where orders are not accepted at once and nobody says until when.
    Partners of the market wait for 10 working days."""


class Deadlines(Agreed):
    """How long the partner may take, where the rules of the market do not say it."""

    silence_accepts: tuple[Fact, ...] = (Fact.ROLLOUT_ANNOUNCED,)
    """Facts to which it agrees by saying nothing, where its role may."""
    silence_working_days: int = Field(3, ge=1, le=60)


class Limits(Agreed):
    """How much the partner may send."""

    message_bytes: int = Field(10_000_000, ge=1_000, le=200_000_000)
    per_minute: int = Field(600, ge=1, le=100_000)
    """Messages over HTTP."""


MARKET_IDS = frozenset({"bdew", "dvgw", "gln"})
"""Schemes of identities under which interchanges are sent."""


class Retry(Agreed):
    """What a partner makes of a message that it may have had already."""

    profile: Literal["same_id", "new_id", "used_means_received"] = "same_id"
    """same_id: after an unknown outcome the same words under the same id; new_id: under a new one, for who takes each
    id once; used_means_received: the answer "this id was used" says that it has come."""


AUTHORITIES: Mapping[str, Authority] = MappingProxyType(
    {
        **{each.value.upper(): each for each in Authority},
        "KIS": Authority.ERP,
    }
)


class Profile(Agreed):
    """Everything agreed with one partner."""

    id: PartnerId
    name: str = Field(min_length=1, max_length=200)
    role: Literal["NB", "LF", "MSB", "WMSB", "ERP", "KIS", "MDM", "REGISTER"]
    identity: tuple[Identity, ...] = ()
    """Without one any name is taken that comes with the partner's credential."""
    contract: Literal["order", "market"] = "order"
    """order: it orders work and gets feedback; market: it holds a role at points, and is told what it must be told."""
    dialects: tuple[DialectFrom, ...] = Field(min_length=1)
    transports: Transports
    accept: Accept = Accept.BUSINESS
    """Which answer settles a document, where the matrix does not say it."""
    deadlines: Deadlines = Deadlines()
    retry: Retry = Retry()
    code_map: FileName | None = None
    """File beside the profile that says what its codes mean."""
    live: bool = True
    """Messages of a live partner must not be marked TEST."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/Berlin"
    """In which the days of its orders are meant."""
    strict: Strict = Strict()
    xml: Xml = Xml()
    csv: CsvForm = CsvForm()
    defaults: Defaults
    options: Options = Options()
    secrets: Secrets = Secrets()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _proves_itself(self) -> Self:
        signs = any(isinstance(each, WebhookOut) for each in self.transports.out)
        if signs and not self.secrets.webhook_out:
            raise ValueError("transports.out has a webhook: secrets.webhook_out names what it is signed by")
        if any(isinstance(each, WebhookIn) for each in self.transports.in_) and not self.secrets.webhook_in:
            raise ValueError("transports.in has a webhook: secrets.webhook_in names what it is proved by")
        return self

    @property
    def authority(self) -> Authority:
        """In which capacity it refuses."""
        return AUTHORITIES[self.role]

    @property
    def zone(self) -> ZoneInfo:
        """The partner's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def out(self) -> RestOut | FileOut | WebhookOut | Topic:
        """The way on which documents leave."""
        return self.transports.out[0]

    @property
    def waits(self) -> float:
        """Seconds that a request of the partner is kept open for its answer."""
        return max((each.wait_seconds for each in self.transports.in_ if isinstance(each, RestIn)), default=0)

    def market_id(self, on: date) -> str | None:
        """The code of the partner in the market (D-MP-1) on that day; None: it has none."""
        held = [each for each in self.identity if each.scheme in MARKET_IDS and (each.valid_from or date.min) <= on]
        return max(held, key=lambda each: each.valid_from or date.min).value if held else None

    def speaks(self, dialect: str, on: date | None) -> bool:
        """Whether a dialect is agreed on that day; without a day, at any time."""
        return any(
            each.dialect == dialect and (on is None or each.valid_from is None or each.valid_from <= on)
            for each in self.dialects
        )

    def is_named(self, source: str, on: date | None) -> bool:
        """Whether the partner may call itself so on that day."""
        known = [each for each in self.identity if on is None or each.valid_from is None or each.valid_from <= on]
        return not self.identity or any(each.value == source for each in known)
