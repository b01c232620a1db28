"""What the market orders, withdraws and answers, as documents: with every fact that it says, and no other."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from contracts.codes import Authority, DeviceRole, HubReason, Level, OrderKind, Scheme
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.dialects.edifact_fv.receipts import unknown_reference
from services.mdm_adapter.dialects.items import Decoded, Item, Kind, Reference
from services.mdm_adapter.documents.answer import Answer, ItemState, Reason
from services.mdm_adapter.documents.corrected import CorrectedField
from services.mdm_adapter.documents.values import Customer, Location, MeteringPoint, OldDevice, Party
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.partners.profile import Profile
from tests.unit.mdm_adapter.edifact.letters import MELO, NB, NOW, answer, begin, iftsta, interchange, order, parties
from tests.unit.mdm_adapter.edifact.sendings import ANNOUNCED_IMS, EXCHANGE, POINT, sending

ADDRESS = "NAD+DP++++Probeweg::7:a+Musterstadt++10115+DE"
PLACE = Location(street="Probeweg", number="7", addition="a", postcode="10115", city="Musterstadt", country="DE")
DAY, FROM, TO = "DTM+203:202701142300?+00:303", "DTM+469:202701312300?+00:303", "DTM+472:202702272300?+00:303"


def partner(role: str = "NB") -> Profile:
    return Profile.model_validate(
        {
            "id": "partner",
            "name": "Partner",
            "role": role,
            "contract": "market",
            "dialects": [{"dialect": "json_ce"}],
            "transports": {"in": [{"kind": "rest"}], "out": [{"kind": "rest"}]},
            "defaults": {"operator": "nord"},
        }
    )


def read(*messages: tuple[str, Sequence[str]], role: str = "NB") -> Decoded:
    return edifact.decode(interchange(*messages), partner(role), NOW)


def item(type_: str, body: Sequence[str], role: str = "NB") -> Item:
    (found,) = read((type_, body), role=role).items
    return found


def ordered(type_: str, body: Sequence[str], role: str = "NB") -> WorkOrderRequested:
    found = item(type_, body, role)
    assert (found.findings, isinstance(found.document, WorkOrderRequested)) == ([], True)
    return found.document  # type: ignore[return-value]


TECHNIQUE = order("17011", "Z12", ADDRESS, f"LOC+172+{MELO}", "LIN+1+Z19", "PIA+5+9991000002082:Z11", head=[DAY])


def test_a_change_of_technique_for_a_day() -> None:
    assert ordered("ORDERS", TECHNIQUE).content() == {
        "kind": OrderKind.TECH_CHANGE,
        "metering_point": POINT.model_dump(),
        "fixed_on": date(2027, 1, 15),
        "location": PLACE.model_dump(exclude_none=True),
        "parties": ({"role": "nb", "id": NB},),
        "answer": {"list": "E_0249", "accept": "A02", "refuse": ("A01",)},
        "properties": (("product", "9991000002082"),),
    }


def test_an_order_of_the_market_is_the_first_version_under_its_documents_number() -> None:
    document = ordered("ORDERS", TECHNIQUE)
    assert (document.order_no, document.order_version) == ("D1", 1)


def test_an_order_of_an_offer_within_a_window() -> None:
    body = order("17011", "Z93", "RFF+AAG:OFFER-1", "RFF+ACW:P-1", f"LOC+172+{MELO}", head=[FROM, TO])
    document = ordered("ORDERS", body, "LF")
    assert (document.fixed_on, document.window_from, document.window_to) == (None, date(2027, 2, 1), date(2027, 2, 28))
    assert document.properties == (("offer", "OFFER-1"), ("price_sheet", "P-1"))
    assert document.parties == (Party(role="lf", id=NB),)
    assert document.answer is not None
    assert (document.answer.list, document.answer.accept, document.answer.refuse[0]) == ("E_0283", "A06", "A04")


@pytest.mark.parametrize(
    ("position", "point", "scheme"),
    [("Z19", MELO, Scheme.MELO), ("Z55", "E0A1B2C3D45", Scheme.NELO), ("Z56", "C0A1B2C3D47", Scheme.SR)],
)
def test_the_position_says_what_kind_of_point_is_meant(position: str, point: str, scheme: Scheme) -> None:
    lines = [ADDRESS, f"LOC+172+{point}", f"LIN+1+{position}", "PIA+5+9991000002082:Z11"]
    document = ordered("ORDERS", order("17011", "Z12", *lines, head=[DAY]))
    assert document.metering_point == MeteringPoint(id=point, scheme=scheme)


def test_an_order_that_names_no_point_is_refused() -> None:
    found = item("ORDERS", order("17011", "Z93", "RFF+AAG:O", "RFF+ACW:P", head=[FROM, TO]))
    assert (found.document, [(each.code, each.position) for each in found.findings]) == (None, [("Z29", "LOC+172")])


@pytest.mark.parametrize(("number", "value"), [("", None), ("-1", "-1")])
def test_an_order_without_a_number_that_makes_a_key_is_refused(number: str, value: str | None) -> None:
    found = item("ORDERS", [line.replace("BGM+Z12+D1", f"BGM+Z12+{number}") for line in TECHNIQUE])
    assert [(each.code, each.position, each.value) for each in found.findings] == [("Z35", "BGM", value)]


@pytest.mark.parametrize(
    ("role", "refuse"), [("NB", ("A01",)), ("LF", ("A01", "A03", "A04")), ("MSB", ("A01",)), ("WMSB", ("A01",))]
)
def test_whoever_orders_is_answered_from_its_own_list(role: str, refuse: tuple[str, ...]) -> None:
    document = ordered("ORDERS", TECHNIQUE, role)
    assert document.answer is not None
    assert document.answer.refuse == refuse
    assert document.parties == (None if role == "MSB" else (Party(role=role.lower(), id=NB),))


def test_the_new_operator_names_the_devices_that_go() -> None:
    devices = ["LIN+1", "CCI+++ZD4", "RFF+Z09:1OLD0000009876", "LIN+2", "CCI+++Z76", "RFF+Z09:BOX-1"]
    body = order("17009", "Z13", "NAD+DP", f"LOC+172+{MELO}", *devices, head=[DAY, "IMD++Z59"])
    document = ordered("ORDERS", body, "MSB")
    assert (document.kind, document.fixed_on) == (OrderKind.REMOVE, date(2027, 1, 15))
    assert document.old_devices == (
        OldDevice(serial="1OLD0000009876"),
        OldDevice(role=DeviceRole.CONTROL_BOX, serial="BOX-1"),
    )
    assert document.properties == (("scope", "Z59"),)
    assert document.location is None


def fault(number: str, *more: str) -> list[str]:
    end = ["LIN+1", "STS+Z06+Z11", "FTX+ACB+++Anzeige dunkel", "NAD+DP", f"LOC+172+{MELO}"]
    return [f"DOC+21+{number}", "RFF+Z13:23001", *more, *end]


CONTACT = ["NAD+CC+++Beispiel:Anna::::Z01", "CTA+IC+:Anna", "COM+?+4934100000:TE", "COM+a@example.de:EM"]


def test_each_fault_of_a_message_is_an_order_of_its_own() -> None:
    body = [*begin("4+D1"), *parties("MR"), *fault("F-1", *CONTACT), *fault("F-2")]
    first, second = read(("INSRPT", body)).items
    assert (first.order_no, second.order_no) == ("F-1", "F-2")
    assert isinstance(first.document, WorkOrderRequested)
    assert isinstance(second.document, WorkOrderRequested)
    assert first.document.kind is OrderKind.REPAIR
    assert first.document.customer == Customer(name="Anna Beispiel", phone="+4934100000", email="a@example.de")
    assert (first.document.customer_class, second.document.customer) == ("person", None)
    assert second.document.properties == (("fault", "Z11"), ("text", "Anzeige dunkel"))
    assert first.asked is not None
    assert (first.asked.transaction, first.asked.document) == ("F-1", "D1")


@pytest.mark.parametrize("pid", ["21011", "21013"])
def test_a_failed_change_of_operator_withdraws_the_order(pid: str) -> None:
    found = item("IFTSTA", iftsta(pid, "Z10+Z13+E17", "RFF+ON:O-1"))
    assert found.document == WorkOrderCancelled(order_no="O-1", reason="E17", metering_point=POINT)


def test_a_withdrawal_without_an_order_names_the_point() -> None:
    found = item("IFTSTA", iftsta("21013", "Z10+Z13"))
    assert found.document == WorkOrderCancelled(order_no="", metering_point=POINT)


def answered(type_: str, body: Sequence[str], role: str = "NB") -> Answer:
    found = item(type_, body, role)
    assert found.findings == []
    assert found.answer is not None
    return found.answer


VY = "NAD+VY+9900357000003::293"
# fmt: off
REFUSALS: list[tuple[str, list[str], Authority, HubReason, str, str, str | None]] = [
    ("ORDRSP", answer("19016", "Z13", "E17+S_0066"), Authority.MSB, HubReason.TOO_LATE, "E17", "S_0066", None),
    ("ORDRSP", [*answer("19016", "Z13", "Z07+S_0066"), VY], Authority.MSB, HubReason.FOREIGN_METER, "Z07", "S_0066",
     "9900357000003"),
    ("ORDRSP", answer("19016", "Z13", "Z99+S_0068"), Authority.MSB, HubReason.ORDER_REFUSED, "Z99", "S_0068", None),
    *(("IFTSTA", iftsta("21031", f"Z19+Z31+{code}:E_0233", "RFF+ACW:D9", "RFF+ADY:1", "GID+1", "FTX+ACB+++nein"),
       Authority.WMSB, HubReason.ANNOUNCEMENT_OBJECTED, code, "E_0233", "nein") for code in ("A01", "A02", "A04")),
]
# fmt: on


@pytest.mark.parametrize(("type_", "body", "actor", "reason", "code", "list_", "text"), REFUSALS)
def test_E19_a_refusal_keeps_reason_code_list_text_and_actor(
    type_: str, body: list[str], actor: Authority, reason: HubReason, code: str, list_: str, text: str | None
) -> None:
    found = answered(type_, body)
    assert (found.level, found.authority, found.verdict) == (Level.BUSINESS, actor, "FAILED")
    assert found.items[0].reasons == (Reason(code=code, list=list_, text=text, hub_reason=reason),)


NEVER_SENT = [
    ("ORDRSP", [*answer("19001", "Z10", "Z13+S_0067", head=[DAY]), "CTA+IC+:A", "COM+a@b.de:EM"]),
    ("ORDRSP", [*answer("19002", "Z10", "Z32+S_0068", head=[DAY]), "CTA+IC+:A", "COM+a@b.de:EM"]),
    ("ORDRSP", answer("19005", "Z12", "A02+E_0249", head=[DAY])),
    ("ORDRSP", answer("19006", "Z12", "A01+E_0249", head=[DAY])),
    ("UTILMD", [*begin("E01+D1"), *parties(), "IDE+24+V1", "STS+7++E01", "RFF+Z13:55044", "RFF+TN:O1"]),
    ("UTILMD", [*begin("E01+D1"), *parties(), "IDE+24+V1", "STS+7++E01", "RFF+Z13:55170", "RFF+TN:O1"]),
]


@pytest.mark.parametrize(("type_", "body"), NEVER_SENT)
def test_E19_an_answer_to_what_was_never_sent_is_read_and_belongs_to_nothing(type_: str, body: list[str]) -> None:
    found = item(type_, body)
    ours = edifact.keys_of(edifact.encode(EXCHANGE, sending()))
    assert (found.findings, found.document) == ([], None)
    assert found.answer is not None
    assert found.references != ()
    assert not {*found.references} & {*ours}


def test_E19_agreement_to_an_announcement_names_its_day() -> None:
    body = iftsta("21030", "Z19+Z30+A03:E_0233", "RFF+ACW:D9", "RFF+ADY:1", "DTM+76:20270301:102")
    found = answered("IFTSTA", body)
    assert (found.items[0].state, found.fixed_on, found.authority) == (
        ItemState.ACCEPTED,
        date(2027, 3, 1),
        Authority.WMSB,
    )


def test_E19_whoever_keeps_its_devices_says_where_they_go() -> None:
    body = [*answer("19015", "Z13", "ZB5+S_0065"), "NAD+Z22+++Lager GmbH:::::Z02+Probeweg::7+Musterstadt++10115+DE"]
    reason = answered("ORDRSP", body).items[0].reasons[0]
    assert (reason.code, reason.text) == ("ZB5", "Lager GmbH, Probeweg 7, 10115 Musterstadt")


def test_a_refusal_without_a_code_is_called_by_its_message() -> None:
    body = [*begin("E05+D1"), *parties(), "IDE+24+V1", "STS+7++E05", "RFF+Z13:55024", "RFF+TN:V9"]
    found = answered("UTILMD", body)
    assert (found.verdict, [each.code for each in found.items[0].reasons]) == ("FAILED", ["55024"])


def feedback(pid: str, status: str, *more: str, number: str = "V1", tn: str = "HUB-V-000101") -> list[str]:
    return [f"IDE+24+{number}", "STS+7++ZX7", *([status] if status else []), f"RFF+Z13:{pid}", f"RFF+TN:{tn}", *more]


def utilmd(*groups: Sequence[str], document: str = "E03+D1") -> list[str]:
    return [*begin(document), *parties(), *(line for group in groups for line in group)]


@pytest.mark.parametrize(
    ("pid", "list_", "actor"), [("55648", "E_0415", Authority.NB), ("55658", "E_0412", Authority.LF)]
)
def test_master_data_are_taken_over(pid: str, list_: str, actor: Authority) -> None:
    found = item("UTILMD", utilmd(feedback(pid, f"STS+E01++A01:{list_}:1")))
    assert found.answer is not None
    assert (found.answer.items[0].state, found.answer.authority, found.corrected) == (ItemState.ACCEPTED, actor, None)


def test_master_data_are_corrected() -> None:
    blocks = ["SEQ+Z18+1", "CCI+++E04", "CAV+E05", "SEQ+Z03+1", "CCI+++E13", "CAV+Z30:::1X", "CAV+ZTZ"]
    blocks += ["SEQ+Z20+1", "PIA+5+1-0?:1.8.0:SRW", "CCI+11++Z33", "CAV+:::5:2"]
    body = utilmd([*feedback("55648", "STS+E01++A02:E_0415:1"), "RFF+Z49::1", *blocks])
    found = item("UTILMD", body)
    assert found.corrected is not None
    assert found.corrected.order_no == "HUB-V-000101"
    assert found.corrected.changes == (
        CorrectedField(field="Z18.voltage", new="E05"),
        CorrectedField(field="Z03.serial", new="1X"),
        CorrectedField(field="Z03.tariffs", new="ZTZ"),
        CorrectedField(field="Z20.obis", new="1-0:1.8.0"),
        CorrectedField(field="Z20.digits", new="5:2"),
    )


@pytest.mark.parametrize(("pid", "actor"), [("55648", Authority.NB), ("55658", Authority.LF)])
def test_E19_a_request_to_clear_the_data_is_a_refusal(pid: str, actor: Authority) -> None:
    found = item("UTILMD", utilmd(feedback(pid, "", "FTX+ACB+++bitte klären"), document="Z88+D1"))
    assert found.answer is not None
    assert (found.answer.authority, found.answer.items[0].state) == (actor, ItemState.REFUSED)
    assert [(each.code, each.hub_reason) for each in found.answer.items[0].reasons] == [
        ("Z88", HubReason.DATA_CLEARING)
    ]


def test_E07_each_vorgang_is_an_item_and_a_wrong_one_does_not_hold_the_others() -> None:
    good, wrong = "STS+E01++A01:E_0415:1", "STS+E01++A77:E_0415:1"
    groups = [feedback("55648", status, number=f"V{n}") for n, status in enumerate((good, wrong, good), 1)]
    found = read(("UTILMD", utilmd(*groups)))
    assert found.kind is Kind.ANSWER
    assert [[finding.code for finding in each.findings] for each in found.items] == [[], ["Z39"], []]
    assert [each.answer is not None for each in found.items] == [True, False, True]


@pytest.mark.parametrize(("second", "kind"), [("A01", Kind.ANSWER), ("A02", Kind.MIXED), ("A77", Kind.ANSWER)])
def test_an_interchange_says_what_all_its_vorgaenge_are(second: str, kind: Kind) -> None:
    groups = [feedback("55648", f"STS+E01++{code}:E_0415:1", number=f"V-{code}") for code in ("A01", second)]
    assert read(("UTILMD", utilmd(*groups))).kind is kind


def test_a_refused_order_is_an_order() -> None:
    assert read(("ORDERS", order("17011", "Z12", head=[DAY]))).kind is Kind.ORDERS


ERC = ["ERC+Z17", "FTX+ABO+++not assigned", "ERC+Z99", "FTX+ABO+++who knows"]


def aperak(*references: str, kind: str = "313", errors: Sequence[str] = ERC) -> list[str]:
    return [*begin(f"{kind}+A1"), *references, *parties(), *errors]


def test_a_receipt_that_says_no_keeps_every_code_and_its_words() -> None:
    found = answered("APERAK", aperak("RFF+ACE:I1", "RFF+AGO:D1", "RFF+TN:V1"))
    assert (found.level, found.items[0].state) == (Level.PROCESSABILITY, ItemState.REFUSED)
    assert found.items[0].reasons == (
        Reason(code="Z17", text="not assigned", hub_reason=HubReason.NOT_RESPONSIBLE),
        Reason(code="Z99", text="who knows", hub_reason=HubReason.OTHER),
    )


def test_a_receipt_that_says_yes() -> None:
    found = answered("APERAK", aperak("RFF+ACE:I1", "RFF+AGO:D1", kind="312", errors=()))
    assert (found.level, found.items[0].state) == (Level.PROCESSABILITY, ItemState.ACCEPTED)


# fmt: off
SYNTAX = [
    ("12", HubReason.SCHEMA), ("14", HubReason.VERSION), ("23", HubReason.UNAUTHORISED), ("26", HubReason.DUPLICATE),
    ("99", HubReason.SCHEMA),
]
# fmt: on


@pytest.mark.parametrize(("code", "reason"), SYNTAX)
def test_an_interchange_that_was_not_received_says_why(code: str, reason: HubReason) -> None:
    found = answered("CONTRL", [f"UCI+HUB1+{NB}:500+{NB}:500+4+{code}"])
    assert (found.level, found.verdict) == (Level.SYNTAX, "FAILED")
    assert [(each.code, each.hub_reason) for each in found.items[0].reasons] == [(code, reason)]


@pytest.mark.parametrize("action", ["7", "8"])
def test_a_positive_contrl_only_informs(action: str) -> None:
    found = answered("CONTRL", [f"UCI+HUB1+{NB}:500+{NB}:500+{action}"])
    assert (found.items[0].state, found.items[0].reasons) == (ItemState.RECEIVED, ())


def test_a_receipt_that_cannot_be_used_is_an_item_with_a_finding() -> None:
    found = item("APERAK", aperak("RFF+ACE:I1", errors=()))
    assert (found.answer, [(each.code, each.position) for each in found.findings]) == (None, [("Z29", "ERC")])


def test_several_receipts_of_one_interchange_are_several_items() -> None:
    yes, no = aperak("RFF+ACE:I1", "RFF+TN:V1", kind="312", errors=()), aperak("RFF+ACE:I1", "RFF+TN:V2")
    found = read(("APERAK", yes), ("APERAK", no))
    assert (found.kind, [each.order_no for each in found.items]) == (Kind.ANSWER, ["V1", "V2"])


MASTER, ANNOUNCEMENT = edifact.encode(EXCHANGE, sending()), edifact.encode(ANNOUNCED_IMS, sending())
READINGS = edifact.encode_readings(EXCHANGE, sending(number=102))
UCI = f"UCI+HUB00000000101+{NB}:500+{NB}:500+4+12"
AGREED = iftsta("21030", "Z19+Z30+A03:E_0233", "RFF+ACW:HUB-D-000101", "RFF+ADY:1", "DTM+76:20270301:102")
FEEDBACK = utilmd(feedback("55648", "STS+E01++A01:E_0415:1"))
TN, ACE = Reference("TN", "HUB-V-000101"), Reference("ACE", "HUB00000000101")
# fmt: off
QUOTING: list[tuple[str, bytes, str, list[str], Reference]] = [
    ("TN",      MASTER,       "UTILMD", FEEDBACK,                                           TN),
    ("TN 313",  MASTER,       "APERAK", aperak("RFF+ACE:X", f"RFF+TN:{TN.number}"),         TN),
    ("TN sg5",  MASTER,       "APERAK", aperak(errors=["ERC+Z17", f"RFF+TN:{TN.number}"]),  TN),
    ("ADY ACW", ANNOUNCEMENT, "IFTSTA", AGREED,                        Reference("ADY", "HUB-D-000101/1")),
    ("ACW",     MASTER,       "APERAK", aperak(errors=["ERC+Z17", "RFF+ACW:HUB-D-000101"]),
     Reference("ACW", "HUB-D-000101")),
    ("AGO",     READINGS,     "APERAK", aperak("RFF+ACE:X", "RFF+AGO:HUB-D-000103"), Reference("AGO", "HUB-D-000103")),
    ("ACE",     MASTER,       "APERAK", aperak(f"RFF+ACE:{ACE.number}"),                    ACE),
    ("UCI",     MASTER,       "CONTRL", [UCI],                                              ACE),
]
# fmt: on


@pytest.mark.parametrize(("name", "sent", "type_", "body", "key"), QUOTING, ids=[each[0] for each in QUOTING])
def test_E21_an_answer_finds_what_it_quotes(
    name: str, sent: bytes, type_: str, body: list[str], key: Reference
) -> None:
    known = edifact.keys_of(sent)
    found = [each for each in item(type_, body).references if each in known]
    assert found[:1] == [key]


def test_E21_an_order_is_found_by_its_number() -> None:
    lines = ["NAD+DP", f"LOC+172+{MELO}", "LIN+1", "CCI+++ZD4"]
    document = ordered("ORDERS", order("17009", "Z13", *lines, head=[DAY, "IMD++Z58"]))
    known = edifact.keys_of(edifact.encode_request(document, sending()))
    body = [line.replace("RFF+ON:O1", "RFF+ON:HUB-D-000101") for line in answer("19015", "Z13", "ZB4")]
    assert {*item("ORDRSP", body).references} & {*known} == {Reference("ON", "HUB-D-000101")}


def test_E21_the_most_exact_reference_comes_first() -> None:
    found = item("APERAK", aperak("RFF+ACE:I1", "RFF+AGO:D1", "RFF+TN:V1"))
    assert [each.kind for each in found.references] == ["TN", "AGO", "ACE"]


def test_E21_a_running_number_of_another_document_is_another_key() -> None:
    other = [line.replace("HUB-D-000101", "HUB-D-000999") for line in AGREED]
    assert not {*item("IFTSTA", other).references} & {*edifact.keys_of(ANNOUNCEMENT)}


def test_E21_an_unknown_reference_is_refused_with_the_number_that_was_quoted() -> None:
    checked = check(interchange(("UTILMD", utilmd(feedback("55648", "STS+E01++A01:E_0415:1", tn="X-1")))), NOW)
    found = unknown_reference(checked.outcomes[0], Reference("TN", "X-1"))
    assert [(each.code, each.value) for each in found.findings] == [("Z33", "X-1")]


# fmt: off
REFUSED: list[tuple[str, bytes, list[str]]] = [
    ("syntax",  interchange(("ORDERS", TECHNIQUE))[:-3],                         ["13"]),
    ("version", interchange(("ORDERS", TECHNIQUE), when="260930:1200"),          ["14"]),
    ("no head", b"UNA:+.? 'XXX",                                                 ["13"]),
]
# fmt: on


@pytest.mark.parametrize(("name", "data", "codes"), REFUSED, ids=[each[0] for each in REFUSED])
def test_an_interchange_that_is_refused_says_nothing(name: str, data: bytes, codes: list[str]) -> None:
    found = edifact.decode(data, partner(), NOW)
    assert ([each.code for each in found.findings], found.items, found.kind) == (codes, [], Kind.OTHER)


def test_what_is_not_processed_here_is_an_item_that_says_so() -> None:
    found = item("IFTSTA", iftsta("21027", "Z15+Z13+Z74"))
    assert [each.code for each in found.findings] == ["Z31"]


def test_without_a_clock_and_a_profile_everything_is_read_all_the_same() -> None:
    data = interchange(("ORDERS", TECHNIQUE))
    one, other = edifact.decode(data, None, None), edifact.decode(data, partner(), NOW)
    (without,), (with_profile,) = one.items, other.items
    assert isinstance(without.document, WorkOrderRequested)
    assert isinstance(with_profile.document, WorkOrderRequested)
    assert without.document == with_profile.document.model_copy(update={"parties": None})


def test_what_an_answer_of_ours_needs_of_an_order_is_kept_with_it() -> None:
    asked = item("ORDERS", TECHNIQUE, "LF").asked
    said: Any = asked and (asked.pid, asked.document, asked.purpose, asked.role, asked.fixed_on, asked.metering_point)
    assert said == ("17011", "D1", "Z12", "lf", date(2027, 1, 15), POINT)
