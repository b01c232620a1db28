"""CIM XML at the adapter's doors: what is wrong is said by envelope and payload apart, and nothing is called."""

from datetime import timedelta

import httpx
import pytest

from contracts.codes import MasterDataOrigin, Scheme
from contracts.orders import MasterDataReceived
from contracts.parts import Change
from services.mdm_adapter.dialects.cim_xml import messages
from services.mdm_adapter.dialects.sending import Sending
from services.mdm_adapter.documents.corrected import Corrected, CorrectedField
from services.mdm_adapter.documents.device_announced import DeviceAnnounced
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.values import MeteringPoint, ReportedDevice
from tests.services.mdm_adapter.erp import accepts, text
from tests.services.mdm_adapter.scenes import AT, POINT, Scene, order

SENDING = Sending("M-2", "M-2", "ERP-A", AT - timedelta(hours=1))
DONE = DeviceExchangeCompleted(
    order_no="WO-1",
    order_version=1,
    metering_point=MeteringPoint(id=POINT, scheme=Scheme.MELO),
    started_at=AT,
    finished_at=AT,
    installed=(ReportedDevice(serial="1EMH0012345678"),),
)


@pytest.mark.parametrize(
    ("was", "now", "code", "xpath"),
    [
        (b"<s:taskKind>exchange<", b"<s:taskKind>swap<", "1.8", "/ServiceOrders/ServiceOrder/Work/WorkTask/taskKind"),
        (b"s:ServiceOrders", b"s:serviceorders", "2.5", "/serviceorders"),
        (b"TC57/2011/ServiceOrders#", b"TC57/2013/ServiceOrders#", "1.9", "/ServiceOrders"),
    ],
)
async def test_X04_a_good_envelope_with_a_bad_payload_is_answered_with_code_and_place(
    scene: Scene, was: bytes, now: bytes, code: str, xpath: str
) -> None:
    content = order().replace(was, now)
    await scene.comes(content)
    (answer,) = scene.erp.got
    assert (text(answer, "Reply/Result"), text(answer, "Header/CorrelationID")) == ("FAILED", "M-1")
    found = {(text_of(error, "code"), text_of(error, "xpath")) for error in errors(answer)}
    assert (code, xpath) in found
    assert content in [row.content for row in await scene.rows("archive") if row.direction == "in"]


def errors(answer: bytes) -> list[str]:
    return answer.decode().split("<m:Error>")[1:]


def text_of(error: str, name: str) -> str:
    return error.partition(f"<m:{name}>")[2].partition("<")[0]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/steal", "http://erp-a.example/other", "file:///etc/passwd"])
async def test_X23_a_reply_address_is_kept_and_never_called(scene: Scene, address: str) -> None:
    called = []

    async def answer(request: httpx.Request) -> httpx.Response:
        called.append(str(request.url))
        return accepts(await request.aread())

    scene.service.ports["partner_rest"].client = httpx.AsyncClient(transport=httpx.MockTransport(answer))  # type: ignore[attr-defined]
    asked = f"<m:AsyncReplyFlag>true</m:AsyncReplyFlag><m:ReplyAddress>{address}</m:ReplyAddress>"
    content = order().replace(b"</m:Source>", b"</m:Source>" + asked.encode())
    await scene.comes(content)
    assert (await scene.names(), set(called)) == (["OrderReceived"], {"http://erp-a.example/in"})
    assert [row.content for row in await scene.rows("archive") if row.direction == "in"] == [content]


async def test_a_noun_that_no_flow_takes_yet_is_answered_as_unknown(scene: Scene) -> None:
    devices = messages.encode_devices([DeviceAnnounced(serial="1EMH0012345678")], SENDING)
    await scene.comes(devices)
    assert (await scene.names(), scene.erp.replies()) == ([], [("FAILED", ["2.5"])])


async def test_a_changed_linkage_corrects_master_data(scene: Scene) -> None:
    await scene.given_a_case()
    said = Corrected(
        order_no="WO-1",
        order_version=2,
        changes=(CorrectedField(field="access_note", old="ring twice", new="key at number 9"),),
    )
    await scene.comes(messages.encode_corrected(said, DONE, SENDING))
    (fact,) = await scene.told_since()
    assert isinstance(fact, MasterDataReceived)
    assert (fact.order_key, fact.version, fact.origin) == ("erp-a:WO-1", 2, MasterDataOrigin.PARTNER)
    assert fact.changed == {"access_note": Change(old="ring twice", new="key at number 9")}


async def test_a_correction_of_nothing_that_is_known_is_put_aside(scene: Scene) -> None:
    said = Corrected(order_no="WO-9", changes=(CorrectedField(field="access_note", new="x"),))
    await scene.comes(messages.encode_corrected(said, DONE, SENDING))
    assert [row.cause for row in await scene.rows("quarantine")] == ["UNCORRELATED"]
