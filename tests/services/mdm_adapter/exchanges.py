"""Partners of the market that speak EDIFACT: they keep what they are sent, and say what a test has them say."""

from collections.abc import Sequence
from datetime import timedelta

import httpx

from kit.clock import ManualClock
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET, qualifier_of
from services.mdm_adapter.dialects.edifact_fv.versions import version_at
from simulators import facts
from tests.services.mdm_adapter.market import PARTIES, Market

US = "9900000001019"
AGENCIES = {"500": "293", "502": "332", "14": "9"}
PROFILE = """
id: {partner}
name: {partner}
role: {role}
contract: market
identity: [{{scheme: bdew, value: "{code}"}}]
dialects: [{{dialect: edifact_fv}}]
transports: {{in: [{{kind: rest}}], out: [{{kind: rest}}]}}
defaults: {{operator: nord, country: DE, municipality: "01001001", price_key: 4-02-0-001}}
options: {{auto_accept_orders: false}}
"""
ERP = """
id: erp-a
name: ERP A
role: ERP
identity: [{scheme: name, value: ERP-A}]
dialects: [{dialect: cim_xml}]
transports: {in: [{kind: rest}], out: [{kind: rest}]}
defaults:
  operator: nord
  country: DE
  voltage: E06
  customer_class: person
  device_types: {meter: mme_3ph}
"""


def segments(content: bytes) -> list[list[str]]:
    """Segments of an interchange of ours, by their elements; nothing that tests look at is released."""
    lines = content.decode("latin-1").replace("UNA:+.? '", "").split("'")
    return [line.strip().split("+") for line in lines if line.strip()]


def said(content: bytes, tag: str, element: int = 1) -> list[str]:
    """One element of every segment of a tag."""
    return [each[element] for each in segments(content) if each[0] == tag and len(each) > element]


def reference(content: bytes, qualifier: str) -> list[str]:
    """What RFF says under a qualifier."""
    return [each.partition(":")[2] for each in said(content, "RFF") if each.partition(":")[0] == qualifier]


def kind(content: bytes) -> str:
    """The PID of an interchange of ours; the name of a receipt, with its verdict."""
    pids = reference(content, "Z13")
    if pids:
        return pids[0]
    type_ = said(content, "UNH", 2)[0].partition(":")[0]
    return f"{type_} {' '.join(said(content, 'BGM') or said(content, 'UCI', 4))}"


class Writing:
    """Messages of roles of the market, written as of now; their numbers count."""

    clock: ManualClock
    counted: int = 0

    def written(self, role: str, type_: str, *bodies: Sequence[str], number: str = "") -> bytes:
        """An interchange of a role, written now."""
        self.counted += 1
        code, local = facts.MARKET_CODES[role], self.clock.now().astimezone(MARKET)
        version = version_at(type_, local.replace(tzinfo=None))
        assert version is not None
        number = number or f"{role.upper()}{self.counted:08d}"
        parties = f"{code}:{qualifier_of(code)}+{US}:500"
        lines = [f"UNB+UNOC:3+{parties}+{local:%y%m%d}:{local:%H%M}+{number}"]
        for index, body in enumerate(bodies, 1):
            lines += [f"UNH+{index}+{':'.join(version.identifier())}", *body, f"UNT+{len(body) + 2}+{index}"]
        return ("'".join([*lines, f"UNZ+{len(bodies)}+{number}"]) + "'").encode("latin-1")

    def head(self, role: str, name: str, first: str = "MS") -> list[str]:
        """BGM, DTM and the parties; the number of the document counts."""
        code = facts.MARKET_CODES[role]
        both = [f"NAD+MS+{code}::{AGENCIES[qualifier_of(code)]}", f"NAD+MR+{US}::293"]
        created = f"DTM+137:{self.clock.now():%Y%m%d%H%M}?+00:303"
        return [f"BGM+{name}+{role.upper()}-D-{self.counted}", created, *(both if first == "MS" else both[::-1])]

    def receipt(self, role: str, content: bytes, code: str = "", number: int = 0) -> list[str]:
        """APERAK of a role for the n-th message of an interchange of ours: 312, or 313 with a code."""
        document, transactions = said(content, "BGM", 2)[number], said(content, "IDE", 2) or said(content, "CNI")
        name, created, *parties = self.head(role, "313" if code else "312")
        about = [f"RFF+ACE:{said(content, 'UNB', 5)[0]}", f"DTM+171:{created[8:20]}?+00:303", f"RFF+AGO:{document}"]
        about += [f"RFF+TN:{transactions[number]}"] if transactions else []
        return [name, created, *about, *parties, *([f"ERC+{code}", "FTX+ABO+++falsch"] if code else [])]


class Exchange(Writing, Market):
    """The stage with the roles of the market at their own ends, by interchanges."""

    sent: dict[str, list[bytes]]
    down: bool = False
    """Nobody of the market can be reached."""

    def open_addresses(self) -> None:
        super().open_addresses()
        self.sent = {partner: [] for partner in PARTIES.values()}
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._keep))
        self.service.ports["partner_rest"].client = client

    async def _keep(self, request: httpx.Request) -> httpx.Response:
        partner = request.url.host.partition(".")[0]
        if partner == "erp-a":
            return await self.erp.answer(request)
        assert request.headers["content-type"] == "application/edifact"
        if self.down:
            raise httpx.ConnectError("down")
        self.sent[partner].append(await request.aread())
        return httpx.Response(202)

    def kinds(self, role: str) -> list[str]:
        """What a role was sent, in the order in which it came."""
        return [kind(content) for content in self.sent[PARTIES[role]]]

    def last(self, role: str) -> bytes:
        """The newest interchange that a role was sent."""
        return self.sent[PARTIES[role]][-1]

    async def receives(self, role: str, content: bytes, code: str = "") -> None:
        """A role answers every message of an interchange of ours by a receipt."""
        bodies = [self.receipt(role, content, code, number) for number in range(len(said(content, "BGM")))]
        await self.says(PARTIES[role], self.written(role, "APERAK", *bodies))

    async def minutes_pass(self, minutes: float) -> None:
        """Time goes by, and what falls due happens."""
        await self.passes(timedelta(minutes=minutes))
        await self.works()
