"""The Danish hub's older documents in SOAP, as far as naming them: nothing of their content is judged yet."""

from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_EVENT = "{*}MeteringPointDomainLocation/{*}Identification"
# fmt: off
FIELDS: Mapping[str, str] = MappingProxyType({
    "document_id":    "{*}HeaderEnergyDocument/{*}Identification",
    "type":           "{*}HeaderEnergyDocument/{*}DocumentType",
    "process":        "{*}ProcessEnergyContext/{*}EnergyBusinessProcess",
    "metering_point": f"*/{_EVENT}",
    "effective_at":   "*/{*}Occurrence",
    "meter":          "*/{*}MeteringInstallationMeterFacility/{*}MeterIdentification",
})
# one per record, in the order of the document
OF_RECORDS: Mapping[str, str] = MappingProxyType({
    "original": "*/{*}OriginalBusinessDocument",
    "status":   "*/{*}StatusType",
})
# fmt: on


def document_in(root: etree._Element) -> etree._Element | None:
    """The document that an envelope of SOAP, or a bare body, carries below whatever the service calls its call."""
    elements = (element for element in root.iter() if isinstance(element.tag, str))
    return next((element for element in elements if etree.QName(element).localname.startswith("DK_")), None)


def key_fields(document: etree._Element) -> dict[str, str]:
    """What identifies the document and what it is about."""
    said = {"payload_namespace": etree.QName(document).namespace or ""}
    said |= {name: (document.findtext(path) or "").strip() for name, path in FIELDS.items()}
    said |= {name: ";".join(each.text or "" for each in document.iterfind(path)) for name, path in OF_RECORDS.items()}
    return {name: value for name, value in said.items() if value}
