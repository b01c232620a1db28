"""One interchange of every message of ours to the market, for other readers."""

from datetime import UTC, date, datetime

from services.mdm_adapter.dialects.edifact_fv import messages as edifact
from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.documents.answer import Answer, ItemAnswer, ItemState, Reason
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import Customer
from tests.unit.mdm_adapter.edifact.letters import interchange, order
from tests.unit.mdm_adapter.edifact.sendings import (
    ANNOUNCED_IMS,
    ANNOUNCED_MME,
    EXCHANGE,
    FACTS,
    asked,
    failed,
    sending,
)

WINDOW = {"window_from": date(2027, 2, 1), "window_to": date(2027, 3, 1)}
ENDS = {"work_ends_at": datetime(2026, 11, 27, 16, tzinfo=UTC)}
RETURN = {"return_to": (Customer(name="Lager GmbH"), FACTS.location)}
WITHDRAWN = {"withdrawn": ("D-1", "D-2")}
CONTACT = {"contact": Customer(name="Leitstelle", email="messstelle@example.de")}


def decided(state: ItemState, code: str, text: str | None = None) -> Answer:
    return Answer(items=(ItemAnswer(item="D1", state=state, reasons=(Reason(code=code, text=text),)),), **WINDOW)


def owed(data: bytes) -> bytes:
    given = sending("1200")
    content = edifact.receipt(data, check(data, given.at), given)
    assert content is not None
    return content


YES, NO = ItemState.ACCEPTED, ItemState.REFUSED
_FULL = interchange(("ORDERS", order("17011", "Z12", head=["DTM+203:202701142300?+00:303"])))
_LATE = sending(facts={"failure_text": "Zählerplatz fehlt"}, ordered=True)
# fmt: off
BUILT: dict[str, bytes] = {
    "21029 ims":  edifact.encode(ANNOUNCED_IMS, sending(role=Role.WMSB)),
    "21029 lf":   edifact.encode(ANNOUNCED_IMS, sending(role=Role.LF)),
    "21029 mme":  edifact.encode(ANNOUNCED_MME, sending(role=Role.LF)),
    "21027":      edifact.encode(failed(), sending()),
    "21025":      edifact.encode(failed(), sending(role=Role.LF)),
    "21027 A99":  edifact.encode(failed("other"), _LATE),
    "55643":      edifact.encode(EXCHANGE, sending()),
    "55653":      edifact.encode(EXCHANGE, sending(role=Role.LF)),
    "55663":      edifact.encode(EXCHANGE, sending(role=Role.WMSB)),
    "13017":      edifact.encode_readings(EXCHANGE, sending()),
    "13006":      edifact.encode_withdrawal(EXCHANGE, sending(facts=WITHDRAWN)),
    "19005":      edifact.encode(decided(YES, "A02"), sending(asked=asked(), facts=CONTACT)),
    "19006":      edifact.encode(decided(NO, "A04"), sending(asked=asked(purpose="Z93"), facts=CONTACT)),
    "19015":      edifact.encode(decided(YES, "ZB5"), sending(asked=asked("17009", "Z13"), facts=RETURN)),
    "19016":      edifact.encode(decided(NO, "E17"), sending(asked=asked("17009", "Z13"))),
    "23003":      edifact.encode(decided(NO, "Z29"), sending(asked=asked("23001", "4"))),
    "23004":      edifact.encode(decided(YES, "E15"), sending(asked=asked("23001", "4"), facts=ENDS)),
    "APERAK 313": owed(_FULL),
    "CONTRL":     owed(_FULL[:-3]),
}
# fmt: on
