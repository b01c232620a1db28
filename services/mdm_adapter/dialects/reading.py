"""Which dialect a message is in, by its bytes, and what it says in it."""

from datetime import datetime

from services.mdm_adapter.dialects.cim_xml import messages as cim_xml
from services.mdm_adapter.dialects.csv import orders as csv
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.items import Decoded, Kind
from services.mdm_adapter.partners.profile import Profile


def decode(data: bytes, profile: Profile, now: datetime) -> Decoded:
    """Read a message of a partner, in the dialect that its bytes show. Pure."""
    dialect = cim_xml.NAME if cim_xml.is_xml(data) or not profile.speaks(csv.NAME, None) else csv.NAME
    if not profile.speaks(dialect, now.date()):
        findings = [Finding("1.9", "/", f"{dialect} is not agreed with this partner", rule="DIALECT")]
        return Decoded(dialect, Kind.OTHER, findings=findings)
    return cim_xml.decode(data, profile, now) if dialect == cim_xml.NAME else csv.decode(data, profile)
