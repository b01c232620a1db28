"""The catalogue in code is the catalogue of the page: every event, every field, every closed list."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from contracts import codes
from contracts.catalogue import EVENTS

PAGE = (Path(__file__).resolve().parents[2] / "../shared/spec/events.md").read_text("utf-8")
MODELS = {event.__name__: event for event in EVENTS.values()}

GROUPS = {
    "C": {"case_id": False},
    "W": {"case_id": False, "work_order_id": False, "sequence": False},
    "H": {"case_id": False, "work_order_id": True, "fact": False, "attempt": False},
}
GROUPS["A"] = GROUPS["W"] | {"appointment_id": False, "revision": False, "attempt": False}
DEVICE = {"device_id": False, "serial": False, "manufacturer": False, "device_type": False}
MOVEMENTS = {"DeviceReceived", "DeviceMoved", "DeviceRejected", "DevicePicked", "DeviceReturned", "DeviceScrapped"}
IN_PROSE = {"OrderAmended", "CaseAmended", "AppointmentMoved", "NoticeFailed", "LetterPrinted", "AwardAnswered"}
"""Their rows say "as another event" or "what changed": here the named fields must be there, others may be."""


def rows() -> list[tuple[str, list[str], str]]:
    """Topic, events and text of the fields, for every row of the tables of §3."""
    found = []
    for section in re.split(r"^### ", PAGE.split("## 3. Catalogue")[1].split("## 4.")[0], flags=re.MULTILINE)[1:]:
        topic = section.split(" ", 1)[0]
        for line in section.splitlines():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
            if len(cells) == 3 and cells[0].startswith("`"):
                found.append((topic, re.findall(r"`([A-Z]\w+)`", cells[0].split(" A1")[0]), cells[1]))
        if topic == "rollout.messages":
            found.append((topic, ["MessageRecorded"], section.split("`MessageRecorded`: ")[1].split(". Told")[0]))
    return found


def without_insides(text: str) -> str:
    """Brackets hold the insides of values and remarks: they are read by people only."""
    while (shorter := re.sub(r"\{[^{}]*\}|\[[^][]*\]|\([^()]*\)", "", text)) != text:
        text = shorter
    return text


def fields_of(text: str) -> dict[str, bool]:
    """Names of the fields in a row, and whether each is optional."""
    fields: dict[str, bool] = {}
    for token in re.split(r",| and | ; ", without_insides(text)):
        word = token.strip().removeprefix("+ ")
        if word in GROUPS:
            fields |= GROUPS[word]
        elif named := re.match(r"([a-z][a-z0-9_]*)(†?\??)(\s|$)", word):
            fields[named.group(1)] = "?" in word
    return fields


def told(name: str) -> dict[str, bool]:
    fields = MODELS[name].model_fields.items()
    return {field.alias or python: not field.is_required() for python, field in fields}


ROWS = {name: (topic, text) for topic, names, text in rows() for name in names}


def test_every_event_of_the_page_has_a_model_and_no_other() -> None:
    assert set(MODELS) == set(ROWS) - {"RecordDeadLettered"}
    assert len(MODELS) == 72


@pytest.mark.parametrize("name", MODELS)
def test_an_event_stands_on_the_topic_of_the_page(name: str) -> None:
    assert MODELS[name].topic == ROWS[name][0]


@pytest.mark.parametrize("name", sorted(MODELS.keys() - IN_PROSE))
def test_an_event_has_the_fields_of_the_page(name: str) -> None:
    topic, text = ROWS[name]
    page = fields_of(re.split(r" ; |; \*\*", text)[0])
    if topic == "rollout.assets" and not name.startswith("Material"):
        page |= DEVICE
    if name in MOVEMENTS:
        page |= dict.fromkeys(GROUPS["W"], True)
    if name in {"MaterialReserved", "MaterialMissing"}:
        page |= {"needed_on": True}  # a request may name no day (MaterialRequested)
    assert told(name) == page


@pytest.mark.parametrize("name", sorted(IN_PROSE))
def test_an_event_described_in_prose_has_the_fields_that_are_named(name: str) -> None:
    own = ROWS[name][1].split(" ; ")[-1]
    page = {field for field in fields_of(own) if field not in {"as", "any", "plus"}}
    assert page <= told(name).keys()
    assert page


def test_what_is_told_as_another_event_has_its_fields() -> None:
    assert told("AppointmentProposed").items() <= told("AppointmentMoved").items()
    assert told("NoticeSent").keys() - {"sent_at", "sent_on"} <= told("NoticeFailed").keys()
    assert told("OrderReceived").keys() - {"order_no"} <= told("OrderAmended").keys()
    public = told("CaseOpened").keys() - {"case_id", "operator", "flow_version"}  # never change
    assert public <= told("CaseAmended").keys()


def list_of(name: str) -> str:
    """The right cell of a code list of §2."""
    found = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert found is not None, name
    return re.sub(r"\\\|", " ", found.group(1))


def words(text: str) -> set[str]:
    return set(re.findall(r"\b[A-Za-z][A-Za-z0-9_]*\b", re.sub(r"\(.*?\)|`.*?`", "", text)))


@pytest.mark.parametrize(
    ("name", "part", "code_list"),
    [
        ("origin", 0, codes.Origin),
        ("legal_basis", 0, codes.LegalBasis),
        ("metering_point_scheme", 0, codes.Scheme),
        ("question cause", 0, codes.QuestionCause),
        ("fact", 0, codes.Fact),
        ("decision (fact cancelled)", 0, codes.Decision),
        ("level; authority", 0, codes.Level),
        ("level; authority", 1, codes.Authority),
        ("hub_reason", 0, codes.HubReason),
        ("exception type", 0, codes.ExceptionType),
        ("rework kind; reason", 0, codes.ReworkKind),
        ("rework kind; reason", 1, codes.ReworkReason),
        ("finding rule; severity", 1, codes.Severity),
        ("purge scope; reason", 0, codes.PurgeScope),
        ("purge scope; reason", 1, codes.PurgeReason),
        ("comms", 0, codes.Comms),
        ("confirmed by; agreed_via", 0, codes.ConfirmedBy),
        ("confirmed by; agreed_via", 1, codes.AgreedVia),
        ("reading of a reply; match", 0, codes.Reading),
        ("reading of a reply; match", 1, codes.Match),
        ("notice permanence; cause", 0, codes.Permanence),
        ("work order kind (open)", 0, codes.WorkOrderKind),
    ],
)
def test_a_code_list_is_that_of_the_page(name: str, part: int, code_list: type[StrEnum]) -> None:
    text = list_of(name).split(";")[part].split(". ")[0]
    assert {code.value for code in code_list} == words(text)


@pytest.mark.parametrize(
    ("name", "code_list"),
    [
        ("release reason", codes.ReleaseReason),
        ("device role", codes.DeviceRole),
        ("move reason (open)", codes.MoveReason),
        ("sub_reason (open, per operator)", codes.SubReason),
        ("channel", codes.Channel),
        ("comms", codes.CommsCause),
        ("order kind → case_type", codes.OrderKind),
        ("order kind → case_type", codes.CaseType),
    ],
)
def test_every_code_of_a_list_stands_on_the_page(name: str, code_list: type[StrEnum]) -> None:
    assert {code.value for code in code_list} <= words(list_of(name))


def test_the_failure_causes_are_the_technical_hub_reasons_and_those_of_the_page() -> None:
    own = words(list_of("failure cause (HandoverFailed)").split(", or ")[1])
    assert {cause.value for cause in codes.FailureCause} == own | {
        reason.value for reason in codes.HubReason if reason.technical
    }


def test_there_are_34_moves_12_states_and_12_phases() -> None:
    assert (len(codes.Move), len(codes.State), len(codes.Phase)) == (34, 12, 12)
    assert [move.value for move in codes.Move] == [f"T{number:02}" for number in range(1, 35)]


def test_every_result_has_the_outcome_of_the_lifecycle() -> None:
    outcomes = {result.value: result.outcome.value for result in codes.Result}
    assert outcomes == {
        "OK": "OK",
        "DOCS_INCOMPLETE": "PARTIAL",
        "COMMS_PENDING": "PARTIAL",
        "NOT_AT_HOME": "FAILED",
        "MATERIAL_MISSING": "FAILED",
    }


def test_an_order_kind_opens_its_type_of_case() -> None:
    row = list_of("order kind → case_type")
    for kind in codes.OrderKind:
        assert f"{kind.value} → {kind.case_type.value}" in row


def test_three_reasons_to_release_are_caused_by_the_case() -> None:
    caused = [reason.value for reason in codes.ReleaseReason if reason.caused_by_case]
    assert caused == ["on_hold", "closed", "superseded"]


def test_priorities_of_partners_have_the_values_of_the_page() -> None:
    assert list(codes.PRIORITY_OF_PARTNER.items()) == [(1, 90), (2, 70), (3, 50), (4, 30), (5, 10)]
