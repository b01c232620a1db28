"""The envelope: its four roots, its header, its namespaces, and the codes that answer what is wrong."""

from datetime import UTC, datetime

import pytest

from services.mdm_adapter.dialects.cim_xml.messages import decode
from services.mdm_adapter.dialects.items import Kind
from services.mdm_adapter.partners.profile import Profile
from tests.services.mdm_adapter.erp import reply
from tests.services.mdm_adapter.scenes import order

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
M, S = "http://iec.ch/TC57/2011/schema/message", "http://iec.ch/TC57/2011/ServiceOrders#"


def partner(**more: object) -> Profile:
    return Profile.model_validate(
        {
            "id": "erp-a",
            "name": "ERP A",
            "role": "ERP",
            "identity": [{"scheme": "name", "value": "ERP-A"}],
            "dialects": [{"dialect": "cim_xml"}],
            "transports": {"in": [{"kind": "rest"}], "out": [{"kind": "rest"}]},
            "defaults": {"operator": "nord"},
            **more,
        }
    )


def codes(content: bytes, profile: Profile | None = None, now: datetime = NOW) -> list[str]:
    decoded = decode(content, profile or partner(), now)
    return [found.code for found in (*decoded.findings, *(found for item in decoded.items for found in item.findings))]


def without(name: str) -> bytes:
    head, _, rest = order().decode().partition(f"<m:{name}>")
    return (head + rest.partition(f"</m:{name}>")[2]).encode()


def test_X_ENV_1_the_four_roots_are_known() -> None:
    event = order().replace(b"RequestMessage", b"EventMessage").replace(b">create<", b">changed<")
    fault = f'<FaultMessage xmlns="{M}"><Reply><Result>FAILED</Result></Reply></FaultMessage>'.encode()
    kinds = [decode(content, None, None).kind for content in (order(), reply("1"), event, fault)]
    assert kinds == [Kind.ORDERS, Kind.ANSWER, Kind.OTHER, Kind.FAULT]


def test_X_ENV_2_the_header_keeps_its_order() -> None:
    head, noun, rest = order().partition(b"<m:Noun>ServiceOrders</m:Noun>")
    swapped = head.replace(b"<m:Verb>create</m:Verb>", noun + b"<m:Verb>create</m:Verb>") + rest
    assert codes(swapped) == ["1.8"]


@pytest.mark.parametrize("name", ["MessageID", "Timestamp", "Source"])
def test_X_ENV_3_what_we_require_of_the_header_is_1_5_when_it_is_missing(name: str) -> None:
    decoded = decode(without(name), partner(), NOW)
    assert [(found.code, found.position) for found in decoded.findings] == [("1.5", name)]


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        (b"2026-03-02T08:00:00Z", b"2026-03-02T08:00:00", "1.5"),
        (b"2026-03-02T08:00:00Z", b"2026-03-02T08:06:00Z", "1.5"),
        (b"<m:MessageID>M-1<", b"<m:MessageID>M 1<", "1.5"),
        (b">ERP-A<", b">ERP-B<", "2.14"),
        (b"<m:Revision>1.0<", b"<m:Revision>2.0<", "1.9"),
        (b"<m:Revision>1.0</m:Revision>", b"<m:Revision>1.0</m:Revision><m:Context>TEST</m:Context>", "1.5"),
        (b"<m:Noun>ServiceOrders<", b"<m:Noun>MeterConfig<", "1.7"),
        (b"<m:Verb>create<", b"<m:Verb>created<", "2.9"),
        (b"<m:Verb>create<", b"<m:Verb>cancelled<", "2.9"),
        (b"<m:Verb>create<", b"<m:Verb>get<", "2.9"),
    ],
)
def test_X_ENV_5_a_header_that_is_wrong_gets_its_code(was: bytes, now: bytes, code: str) -> None:
    assert codes(order().replace(was, now)) == [code]


def test_a_minute_ahead_is_not_the_future() -> None:
    assert codes(order().replace(b"08:00:00Z", b"08:05:00Z")) == []


def test_every_fault_of_the_header_is_named_not_only_the_first() -> None:
    content = (
        without("Source").replace(b"<m:Verb>create<", b"<m:Verb>get<").replace(b"<m:MessageID>M-1<", b"<m:MessageID>?<")
    )
    assert codes(content) == ["2.9", "1.5", "1.5"]


def test_a_compressed_payload_is_refused_and_not_looked_into() -> None:
    payload = (
        order().partition(b"<m:Payload>")[0]
        + b"<m:Payload><m:Compressed>H4sI</m:Compressed></m:Payload></m:RequestMessage>"
    )
    assert codes(payload) == ["1.7"]


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        (S, S.replace("2011", "2013"), "1.9"),
        (S, "urn:bad:version", "1.9"),
        ("s:ServiceOrders", "s:serviceorders", "2.5"),
        ("m:RequestMessage", "m:Requestmessage", "2.5"),
        (M, M.replace("2011", "2009"), "1.9"),
    ],
)
def test_X_NS_1_a_namespace_or_name_that_is_not_registered_gets_its_code(was: str, now: str, code: str) -> None:
    found = codes(order().decode().replace(was, now).encode())
    assert [each for each in found if each != "1.7"] == [code]


def test_X_NS_1_a_payload_without_a_namespace_is_not_registered() -> None:
    content = order().replace(b"<s:ServiceOrders>", b'<ServiceOrders xmlns="">')
    assert codes(content.replace(b"</s:ServiceOrders>", b"</ServiceOrders>")) == ["1.9"]


def test_X_NS_2_an_alias_is_read_as_its_target_with_a_warning() -> None:
    alias = "http://partner.example/orders"
    decoded = decode(order().replace(S.encode(), alias.encode()), partner(xml={"aliases": {alias: S}}), NOW)
    assert (decoded.findings, [found.code for found in decoded.warnings]) == ([], ["NAMESPACE_ALIAS"])
    assert decoded.items[0].document == decode(order(), partner(), NOW).items[0].document


def test_X_NS_3_a_foreign_element_among_ours_is_a_schema_error() -> None:
    foreign = order().replace(b"</s:Work>", b'<x:more xmlns:x="urn:x"/></s:Work>')
    assert codes(foreign) == ["1.8"]


def test_a_cancellation_may_name_its_orders_beside_the_payload() -> None:
    content = order(verb="cancel").decode()
    head, tail = content.partition("<s:ServiceOrders>")[0], "</m:Payload>\n</m:RequestMessage>"
    decoded = decode(f"{head}<m:ID>WO-7</m:ID><m:ID>WO-8</m:ID>{tail}".encode(), partner(), NOW)
    assert [(item.order_no, item.document.order_version) for item in decoded.items if item.document] == [
        ("WO-7", None),
        ("WO-8", None),
    ]


@pytest.mark.parametrize("point", ["707057500012345672", "857643212345678921", "{{gsrn}}", "INDSÆT GSRN"])
def test_X_ID_1_a_bad_point_and_a_placeholder_are_2_12(point: str) -> None:
    assert codes(order(point=point)) == ["2.12"]


def test_X_ID_1_a_lenient_partner_gets_a_warning_for_a_check_digit_but_not_for_a_placeholder() -> None:
    lenient = partner(strict={"ids": {"gsrn": "warn"}})
    (item,) = decode(order(point="707057500012345672"), lenient, NOW).items
    assert (item.findings, [found.code for found in item.warnings]) == ([], ["GSRN_CHECK_DIGIT"])
    assert codes(order(point="{{gsrn}}"), lenient) == ["2.12"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("legal_basis", "because", "1.5"),
        ("sms_allowed", "perhaps", "1.5"),
        ("party.nb", "nobody", "2.14"),
        ("party.nb", "7080000000012@yesterday", "1.5"),
        ("plan", "MME", None),
        ("anything", "else", None),
    ],
)
def test_a_property_is_judged_by_its_name(name: str, value: str, code: str | None) -> None:
    property_ = f"<m:Property><m:Name>{name}</m:Name><m:Value>{value}</m:Value></m:Property></m:Header>"
    assert codes(order().replace(b"</m:Header>", property_.encode())) == ([code] if code else [])


@pytest.mark.parametrize("version", [None, "0", "-1", "one", "1.0", "٣"])
def test_a_version_is_a_number_from_1(version: str | None) -> None:
    assert codes(order(version=version)) == ["1.7"]
