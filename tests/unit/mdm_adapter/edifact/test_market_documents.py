"""Documents that go to the market: their form, what each needs, and that nothing is guessed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.codes import DeviceRole
from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.device_types import DeviceTypes
from services.mdm_adapter.dialects.edifact_fv.envelope import read
from services.mdm_adapter.dialects.edifact_fv.market_sending import (
    CodeRefused,
    DeviceFact,
    MarketSending,
    MissingFact,
    Numbers,
    Substitute,
)
from services.mdm_adapter.dialects.edifact_fv.writing import text_of
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import Customer, ReportedDevice
from tests.unit.mdm_adapter.edifact.sendings import (
    ANNOUNCED_IMS,
    ANNOUNCED_MME,
    CHANGED_AT,
    EXCHANGE,
    FACTS,
    GATEWAY,
    METER,
    OBIS,
    OLD,
    OWN,
    asked,
    failed,
    reading,
    sending,
)

LAST_A99, FIRST_WITHOUT = datetime(2027, 3, 31, 12, tzinfo=UTC), datetime(2027, 4, 1, 12, tzinfo=UTC)


def lines(content: bytes, given: MarketSending | None = None) -> list[str]:
    """Its segments between the envelopes, once our own check has nothing against it."""
    to_supplier = given is not None and given.role is Role.LF
    assert edifact.own_faults(content, given.at if given else CHANGED_AT.replace(day=24), to_supplier=to_supplier) == []
    return [text_of(segment) for message in read(content).whole().messages for segment in message.segments[1:-1]]


def said(document: edifact.Outgoing, given: MarketSending) -> list[str]:
    return lines(edifact.encode(document, given), given)


def test_completed_work_to_the_grid_operator_is_the_sample() -> None:
    assert edifact.encode(EXCHANGE, sending()) == (OWN / "utilmd_55643_exchange.edi").read_bytes()


def test_readings_are_the_sample() -> None:
    content = edifact.encode_readings(EXCHANGE, sending("0705", 102))
    assert content == (OWN / "mscons_13017_exchange.edi").read_bytes()


def test_E18_an_ordered_change_that_failed_is_the_sample() -> None:
    content = edifact.encode(failed(), sending("1430", 104, ordered=True))
    assert content == (OWN / "iftsta_21027_no_access.edi").read_bytes()


# fmt: off
FORMS = [
    ("no_access",                  "NOT_AT_HOME",      "Z74", "A01:E_0286", False),
    ("customer_not_home",          "NOT_AT_HOME",      "Z74", "A01:E_0286", False),
    ("customer_refuses",           "NOT_AT_HOME",      "Z74", "A01:E_0286", False),
    ("no_coverage",                "COMMS_PENDING",    "Z75", "A02:E_0286", False),
    (None,                         "COMMS_PENDING",    "Z75", "A02:E_0286", False),
    ("control_mapping_impossible", "OK",               None,  "A03:E_0286", False),
    ("dangerous_installation",     "NOT_AT_HOME",      "Z74", "A99:E_0286", True),
    ("material_problem",           "MATERIAL_MISSING", "Z74", "A99:E_0286", True),
    (None,                         "GIVEN_UP",         "Z74", "A99:E_0286", True),
]
# fmt: on
ORIGINS = [(False, Role.NB, "21027"), (False, Role.LF, "21025"), (True, Role.NB, "21027"), (True, Role.LF, "21025")]


@pytest.mark.parametrize(("ordered", "role", "pid"), ORIGINS)
@pytest.mark.parametrize(("sub_reason", "reason", "own", "ordered_code", "needs_text"), FORMS)
def test_E18_outcome_and_origin_decide_the_form(
    sub_reason: str | None,
    reason: str,
    own: str | None,
    ordered_code: str,
    needs_text: bool,
    ordered: bool,
    role: Role,
    pid: str,
) -> None:
    given = sending(role=role, ordered=ordered, facts={"failure_text": "Zählerplatz fehlt"})
    code = ordered_code if ordered else own
    if code is None:
        with pytest.raises(MissingFact, match="failure_code"):
            edifact.encode(failed(sub_reason, reason), given)
        return
    text = ["GID+1", "FTX+ACB+++Zählerplatz fehlt"] if needs_text else []
    assert said(failed(sub_reason, reason), given)[6:] == [f"STS+Z15+Z13+{code}", f"RFF+Z13:{pid}", *text]


@pytest.mark.parametrize("ordered", [True, False])
def test_E18_a_code_for_anything_else_does_not_leave_without_its_text(ordered: bool) -> None:
    with pytest.raises(MissingFact, match="failure_text"):
        edifact.encode(failed("other"), sending(ordered=ordered))


def test_E18_the_words_of_the_report_are_taken_where_nobody_wrote_others() -> None:
    document = failed("other", text="kein Platz")
    assert said(document, sending(ordered=True))[-1] == "FTX+ACB+++kein Platz"


def test_E18_A99_may_be_sent_until_the_end_of_march_2027() -> None:
    given = sending(ordered=True, at=LAST_A99, facts={"failure_text": "x"})
    assert "STS+Z15+Z13+A99:E_0286" in said(failed("other"), given)


def test_E18_A99_is_refused_from_april_2027_and_another_code_must_be_chosen() -> None:
    given = sending(ordered=True, at=FIRST_WITHOUT, facts={"failure_text": "x"})
    with pytest.raises(CodeRefused, match="A99 of E_0286 cannot be sent on 2027-04-01"):
        edifact.encode(failed("other"), given)
    chosen = sending(ordered=True, at=FIRST_WITHOUT, facts={"failure_code": "A01"})
    assert said(failed("other"), chosen)[6:] == ["STS+Z15+Z13+A01:E_0286", "RFF+Z13:21027"]


@pytest.mark.parametrize(("ordered", "code"), [(True, "A77"), (True, "Z74"), (False, "A01"), (False, "Z88")])
def test_E18_a_chosen_code_must_be_one_of_its_list(ordered: bool, code: str) -> None:
    with pytest.raises(CodeRefused):
        edifact.encode(failed(), sending(ordered=ordered, facts={"failure_code": code}))


ANNOUNCED = [
    (ANNOUNCED_IMS, Role.NB, ["STS+Z19+Z17", "RFF+Z13:21029", "DTM+76:20270301:102"]),
    (ANNOUNCED_IMS, Role.WMSB, ["STS+Z19+Z17", "RFF+Z13:21029", "DTM+76:20270301:102"]),
    (
        ANNOUNCED_IMS,
        Role.LF,
        ["STS+Z19+Z17", "RFF+Z13:21029", "RFF+AVE:41373559241", "RFF+Z17:PRICE-1", "DTM+76:20270301:102"],
    ),
    (
        ANNOUNCED_MME,
        Role.LF,
        [
            *("STS+Z24+Z17", "RFF+Z13:21029", "RFF+AVE:41373559241", "RFF+Z17:PRICE-1"),
            *("DTM+469:202702282300?+00:303", "DTM+472:202709292200?+00:303"),
        ],
    ),
]


@pytest.mark.parametrize(("document", "role", "expected"), ANNOUNCED)
def test_E12_an_announcement_names_its_day_or_its_window(document: Any, role: Role, expected: list[str]) -> None:
    assert said(document, sending(role=role))[6:] == expected


def test_a_price_may_be_an_article_instead_of_a_key() -> None:
    given = sending(role=Role.LF, facts={"price_key": None, "price_article": "4-01-7-001"})
    assert "RFF+Z45:4-01-7-001" in said(ANNOUNCED_IMS, given)


@pytest.mark.parametrize(
    ("document", "facts", "field"),
    [
        (ANNOUNCED_IMS.model_copy(update={"plan": None}), {}, "plan"),
        (ANNOUNCED_IMS.model_copy(update={"planned_on": None}), {}, "planned_on"),
        (ANNOUNCED_IMS.model_copy(update={"planned_on": date(2026, 11, 23)}), {}, "planned_on"),
        (ANNOUNCED_IMS, {"malo": None}, "malo"),
        (ANNOUNCED_IMS, {"price_key": None}, "price_key"),
        (ANNOUNCED_MME.model_copy(update={"window_from": None}), {}, "window_from"),
        (ANNOUNCED_MME.model_copy(update={"window_to": date(2027, 3, 1)}), {}, "window_to"),
    ],
)
def test_an_announcement_lacks_nothing(document: Any, facts: dict[str, Any], field: str) -> None:
    with pytest.raises(MissingFact) as refused:
        edifact.encode(document, sending(role=Role.LF, facts=facts))
    assert refused.value.field == field


def without(*, address: str) -> dict[str, Any]:
    assert FACTS.location is not None
    return {"location": FACTS.location.model_copy(update={address: None})}


def types(**changed: str) -> dict[str, Any]:
    """The seeded types, but one meter is otherwise."""
    columns = ("meter_type", "tariffs", "direction", "remote_switch", "mounting", "readout", "granularity", "digits")
    row = {name: DeviceTypes.seeded().value("mme_1ph", name, date(2026, 11, 20)) or "" for name in columns}
    row |= {"code": "mme_1ph", "decimals": "1"}
    return {
        "device_types": DeviceTypes.of([(date(2025, 10, 1), row | changed)]),
        "devices": {METER: FACTS.devices[METER]},
    }


METER_ONLY = EXCHANGE.model_copy(update={"installed": EXCHANGE.installed[:1]})


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"voltage": None}, "master_data.voltage"),
        ({"customer_class": None}, "master_data.customer_class"),
        ({"customer": None}, "contact.name"),
        *((without(address=name), f"address.{name}") for name in ("street", "number", "city", "postcode", "country")),
        ({"devices": {}}, f"device_type of {METER}"),
        *(
            (types(**{name: ""}), f"device_types.mme_1ph.{name}")
            for name in ("meter_type", "tariffs", "direction", "remote_switch", "mounting", "readout", "granularity")
        ),
        (types(digits=""), "device_types.mme_1ph.digits"),
        (types(decimals=""), "device_types.mme_1ph.decimals"),
    ],
)
def test_a_missing_fact_of_master_data_is_named_and_nothing_leaves(facts: dict[str, Any], field: str) -> None:
    with pytest.raises(MissingFact) as refused:
        edifact.encode(METER_ONLY, sending(facts=facts))
    assert refused.value.field == field


def test_a_removal_has_no_master_data_of_a_meter() -> None:
    with pytest.raises(MissingFact, match=r"installed\.meter"):
        edifact.encode(EXCHANGE.model_copy(update={"installed": ()}), sending())


def test_a_configuration_has_a_number_of_ours() -> None:
    given = sending()
    with pytest.raises(MissingFact, match=r"number\.configuration"):
        edifact.encode(EXCHANGE, replace(given, numbers=replace(given.numbers, configurations={})))


def test_a_meter_without_gateway_says_how_it_is_read() -> None:
    found = said(METER_ONLY, sending())
    begin = found.index("SEQ+Z03+1")
    assert found[begin : begin + 10] == [
        *("SEQ+Z03+1", "CCI+++E13", "CAV+MME:::Z04", f"CAV+Z30:::{METER}", "CAV+ETZ", "CAV+ERZ", "CAV+Z58:::Z07"),
        *("CCI+++Z28", "CAV+HUT", "CCI+++E12"),
    ]
    assert f"RFF+MG:{METER}" in found
    assert not [line for line in found if line.startswith(("RFF+AGK", "SEQ+Z05", "SEQ+Z13"))]


def test_a_supplier_is_told_less() -> None:
    found = said(EXCHANGE, sending(role=Role.LF))
    absent = ("SEQ+Z05", "SEQ+Z06", "SEQ+Z14", "CAV+Z58", "CCI+++Z28", "CCI+++E12", "NAD+Z07", "NAD+Z08", "NAD+Z03")
    assert "RFF+Z13:55653" in found
    assert [line for line in found if line.startswith(absent)] == []
    assert [line[:7] for line in found if line.startswith("NAD+Z")] == ["NAD+Z05"]


@pytest.mark.parametrize("role", [Role.WMSB, Role.MSB_OLD])
def test_another_metering_operator_is_told_what_the_grid_operator_is(role: Role) -> None:
    ours, theirs = said(EXCHANGE, sending()), said(EXCHANGE, sending(role=role))
    assert theirs == [line.replace("RFF+Z13:55643", "RFF+Z13:55663") for line in ours]


CONTROL = EXCHANGE.model_copy(
    update={
        "installed": (
            *EXCHANGE.installed,
            ReportedDevice(role=DeviceRole.CONTROL_BOX, serial="1CTL0000004004"),
            ReportedDevice(role=DeviceRole.CURRENT_TRANSFORMER, serial="T-1"),
        )
    }
)
MORE = {
    **FACTS.devices,
    "1CTL0000004004": DeviceFact(device_type="control_box"),
    "T-1": DeviceFact(device_type="ct_150_5"),
}


def test_transformer_and_control_box_have_blocks_of_their_own() -> None:
    found = said(CONTROL, sending(facts={"devices": MORE}))
    blocks = [line[4:7] for line in found if line.startswith("SEQ+")]
    assert blocks == ["Z18", "Z03", "Z20", "Z04", "Z05", "Z06", "Z13", "Z14"]
    begin = found.index("SEQ+Z04+1")
    assert found[begin : begin + 5] == ["SEQ+Z04+1", f"RFF+MG:{METER}", "CCI+++Z25", "CAV+Z30:::T-1", "CAV+MIW:::30"]
    assert [found[found.index("SEQ+Z06+1") + n] for n in (1, 2)] == ["CCI+++Z27", "CAV+TSU"]
    begin = found.index("SEQ+Z14+1")
    assert found[begin + 1 : begin + 4] == [f"RFF+Z14:{GATEWAY}", "CCI+++Z76", "CAV+Z30:::1CTL0000004004"]


def test_without_antenna_the_gateway_communicates_by_itself() -> None:
    found = said(EXCHANGE.model_copy(update={"installed": EXCHANGE.installed[:2]}), sending())
    begin = found.index("SEQ+Z05+1")
    assert found[begin + 1 : begin + 5] == [f"RFF+MG:{METER}", "CCI+++Z26", f"CAV+Z30:::{GATEWAY}", "CAV+LTE"]


def test_reported_digits_go_before_those_of_the_type() -> None:
    devices = {**FACTS.devices, METER: DeviceFact(device_type="mme_1ph", registers={OBIS: (7, 2)})}
    assert "CAV+:::7:2" in said(EXCHANGE, sending(facts={"devices": devices}))


def test_a_tariff_register_says_so() -> None:
    meter = ReportedDevice(serial=METER, readings=(reading("1", "1-0:1.8.1"), reading("2", "1-0:1.8.0")))
    found = said(EXCHANGE.model_copy(update={"installed": (meter,)}), sending())
    begin = found.index("PIA+5+1-0?:1.8.1:SRW")
    assert found[begin + 1 : begin + 7] == ["CCI+++ZE4", "CAV+ZD9", "CCI+Z39", "CCI+Z38", "CCI+11++Z33", "CAV+:::6:1"]
    assert found.count("CCI+Z39") == 1


def test_E11_the_version_before_wanted_a_class_of_each_register() -> None:
    at = datetime(2026, 9, 30, 12, tzinfo=UTC)
    document = EXCHANGE.model_copy(update={"finished_at": at, "started_at": at})
    assert "CCI+Z10++Z59" in said(document, sending(at=at))
    assert "CCI+Z10++Z59" not in said(EXCHANGE, sending())


def test_a_substitute_value_says_how_it_was_formed_and_why() -> None:
    given = sending(facts={"substitutes": {(OLD, OBIS): Substitute("Z92", "Z78")}})
    found = lines(edifact.encode_readings(EXCHANGE, given), given)
    begin = found.index("QTY+67:48213.4")
    assert found[begin + 3 : begin + 5] == ["STS+Z32++Z92", "STS+Z40++Z78"]
    assert "QTY+220:0" in found


def test_readings_need_a_reading_of_every_meter() -> None:
    bare = EXCHANGE.model_copy(update={"removed": (ReportedDevice(serial=OLD),)})
    with pytest.raises(MissingFact, match=f"reading of meter {OLD}"):
        edifact.encode_readings(bare, sending())


def test_readings_are_not_told_where_nothing_was_read() -> None:
    gateway = EXCHANGE.model_copy(update={"removed": (), "installed": EXCHANGE.installed[1:2]})
    with pytest.raises(MissingFact, match="readings"):
        edifact.encode_readings(gateway, sending())


def test_a_withdrawal_names_what_it_withdraws() -> None:
    with pytest.raises(MissingFact, match="withdrawn"):
        edifact.encode_withdrawal(EXCHANGE, sending())


def test_withdrawn_values_are_named_by_their_documents() -> None:
    given = sending(facts={"withdrawn": ("HUB-D-000102", "HUB-D-000103")})
    content = edifact.encode_withdrawal(EXCHANGE, given)
    found = lines(content, given)
    assert [line for line in found if line.startswith(("BGM", "RFF"))] == [
        *("BGM+7+HUB-D-000101+1", "RFF+ACW:HUB-D-000102", "RFF+Z13:13006"),
        *("BGM+7+HUB-D-000102+1", "RFF+ACW:HUB-D-000103", "RFF+Z13:13006"),
    ]
    assert read(content).head.application == "VL"


def test_the_answer_to_an_order_names_whom_to_ask() -> None:
    contact = Customer(name="Leitstelle", phone="+4934100000", email="messstelle@example.de")
    found = said(answer(YES), sending(asked=asked(), facts={"contact": contact}))
    begin = found.index("CTA+IC+:Leitstelle")
    assert (found[begin - 1][:6], found[begin + 3][:6]) == ("NAD+MS", "NAD+MR")
    assert found[begin + 1 : begin + 3] == ["COM+?+4934100000:TE", "COM+messstelle@example.de:EM"]


def test_a_number_that_was_not_given_is_not_made_up() -> None:
    given = sending()
    for numbers in (Numbers("HUB1"), replace(given.numbers, transaction=""), replace(given.numbers, messages=())):
        with pytest.raises(MissingFact, match=r"number\."):
            edifact.encode(EXCHANGE, replace(given, numbers=numbers))


def answer(state: ItemState, code: str | None = None, text: str | None = None, **more: Any) -> Answer:
    reasons = (Reason(code=code, text=text),) if code else ()
    return Answer(items=(ItemAnswer(item="D1", state=state, reasons=reasons),), **more)


YES, NO = ItemState.ACCEPTED, ItemState.REFUSED
ASKED = "DTM+203:202701142300?+00:303"
LATER = "DTM+203:202701172300?+00:303"
OFFERED = ["DTM+469:202701312300?+00:303", "DTM+472:202702282300?+00:303"]
WINDOW = {"window_from": date(2027, 2, 1), "window_to": date(2027, 3, 1)}
ADDRESS = "Probeweg::7+Musterstadt++10115+DE"
# fmt: off
ANSWERS: list[tuple[Any, Answer, str, list[str], str, list[str]]] = [
    (asked(),                         answer(YES),             "19005", [ASKED], "AJT+A02+E_0249", []),
    (asked(role="lf"),                answer(YES),             "19005", [ASKED], "AJT+A02+E_0250", []),
    (asked(),                         answer(YES, fixed_on=date(2027, 1, 18)), "19005", [LATER], "AJT+A02+E_0249", []),
    (asked(),                         answer(NO),              "19006", [ASKED], "AJT+A01+E_0249", []),
    (asked(role="lf"),                answer(NO, "A04"),       "19006", [ASKED], "AJT+A04+E_0250", []),
    (asked(purpose="Z93"),            answer(YES),             "19005", [],      "AJT+A06+E_0279", []),
    (asked(purpose="Z93", role="lf"), answer(YES),             "19005", [],      "AJT+A06+E_0283", []),
    (asked(purpose="Z93"),            answer(NO, "A04", **WINDOW), "19006", OFFERED, "AJT+A04+E_0279", []),
    (asked(purpose="Z93"),            answer(NO, "A99", "x"),  "19006", [],      "AJT+A99+E_0279", ["FTX+AAP+++x"]),
    (asked("17009", "Z13"),           answer(YES, "ZB4"),      "19015", [],      "AJT+ZB4+S_0065", []),
    (asked("17009", "Z13"),           answer(NO, "E17"),       "19016", [],      "AJT+E17+S_0066", []),
]
# fmt: on


@pytest.mark.parametrize(("order", "document", "pid", "days", "decision", "text"), ANSWERS)
def test_an_order_is_answered_in_the_codes_of_its_list(
    order: Any, document: Answer, pid: str, days: list[str], decision: str, text: list[str]
) -> None:
    found = said(document, sending(asked=order))
    assert found[0] == f"BGM+{order.purpose}+HUB-D-000101"
    assert found[2:-3] == [*days, "RFF+ON:D1", f"RFF+Z13:{pid}", decision, *text]


def test_a_refused_price_sheet_names_the_right_one() -> None:
    given = sending(asked=asked(purpose="Z93"), facts={"price_sheet": "P-2"})
    assert said(answer(NO, "A05"), given)[4:6] == ["RFF+ACW:P-2", "AJT+A05+E_0279"]
    with pytest.raises(MissingFact, match="price_sheet"):
        edifact.encode(answer(NO, "A05"), sending(asked=asked(purpose="Z93")))


def test_old_devices_have_an_address_and_a_foreign_order_its_right_receiver() -> None:
    order, facts = asked("17009", "Z13"), {"return_to": (Customer(name="Lager GmbH"), FACTS.location)}
    kept = said(answer(YES, "ZB5"), sending(asked=order, facts=facts))
    foreign = said(answer(NO, "Z07"), sending(asked=order, facts={"right_partner": "9900357000003"}))
    assert (kept[-2], foreign[-2]) == (f"NAD+Z22+++Lager GmbH:::::Z02+{ADDRESS}", "NAD+VY+9900357000003::293")


def test_a_fault_is_confirmed_with_its_end_or_refused_with_a_code() -> None:
    order = asked("23001", "4")
    confirmed = said(answer(YES), sending(asked=order, facts={"work_ends_at": datetime(2026, 11, 27, 16, tzinfo=UTC)}))
    refused = said(answer(NO, "ZB8"), sending(asked=order))
    assert confirmed[4:10] == [
        *("DOC+22+HUB-V-000101", "RFF+Z13:23004", "RFF+AAV:F-1", "LIN+1", "DTM+292:202611271600?+00:303", "STS+Z06+Z10")
    ]
    assert (confirmed[10], refused[5], refused[8]) == ("STS+E01++E15", "RFF+Z13:23003", "STS+E01++ZB8")


@pytest.mark.parametrize(
    ("order", "document", "field"),
    [
        (None, answer(YES), "asked"),
        (asked(role="lf"), answer(NO), "answer.code"),
        (asked("17009", "Z13"), answer(YES), "answer.code"),
        (replace(asked(), fixed_on=None), answer(YES), "fixed_on"),
        (asked(purpose="Z93"), answer(NO, "A04"), "window_from"),
        (asked(purpose="Z93"), answer(NO, "A99"), "answer.text"),
        (asked("17009", "Z13"), answer(YES, "ZB5"), "return_to"),
        (asked("17009", "Z13"), answer(NO, "Z07"), "right_partner"),
        (asked("23001", "4"), answer(YES), "work_ends_at"),
    ],
)
def test_an_answer_lacks_nothing(order: Any, document: Answer, field: str) -> None:
    with pytest.raises(MissingFact) as refused:
        edifact.encode(document, sending(asked=order))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("order", "document", "at"),
    [
        (asked(), answer(NO, "A04"), CHANGED_AT),
        (asked(), answer(YES, "A01"), CHANGED_AT),
        (asked("17009", "Z13"), answer(NO, "ZB4"), CHANGED_AT),
        (asked(purpose="Z93"), answer(NO, "A99", "x"), FIRST_WITHOUT),
    ],
)
def test_E18_a_code_of_another_list_or_another_time_is_not_sent(order: Any, document: Answer, at: datetime) -> None:
    with pytest.raises(CodeRefused):
        edifact.encode(document, sending(asked=order, at=at))


def test_a_document_of_a_type_that_changed_follows_the_row_of_its_day() -> None:
    rows = [(date(2025, 10, 1), {"code": "m", "tariffs": "ETZ"}), (date(2027, 1, 1), {"code": "m", "tariffs": "ZTZ"})]
    table = DeviceTypes.of(reversed(rows))
    days = (date(2025, 9, 30), date(2026, 12, 31), date(2027, 1, 1))
    assert [table.value("m", "tariffs", on) for on in days] == [None, "ETZ", "ZTZ"]


def test_the_readings_of_a_removal_alone_leave_as_one_message() -> None:
    removed = DeviceExchangeCompleted.model_validate(EXCHANGE.model_dump() | {"installed": ()})
    assert len(read(edifact.encode_readings(removed, sending())).whole().messages) == 1
