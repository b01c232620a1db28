"""Orders come in: stored first, applied once, answered once."""

from datetime import timedelta

import pytest

from contracts.cases import OrderAnswered
from contracts.codes import Answer
from contracts.handovers import MessageQuarantined
from contracts.orders import OrderAmended, OrderCancelled, OrderReceived
from kit import faults
from tests.services.mdm_adapter.erp import text
from tests.services.mdm_adapter.scenes import CASE, Scene, opened, order


async def test_J01_an_order_is_told_and_accepted(scene: Scene) -> None:
    await scene.comes(order())
    (fact,) = await scene.told()
    assert isinstance(fact, OrderReceived)
    assert (fact.order_key, fact.version, fact.address.street) == ("erp-a:WO-1", 1, "Am Hang")
    assert fact.contact is not None
    assert (fact.contact.phone, fact.device_plan.remove[0].serial) == ("+4915112345678", "1OLD0000009876")
    assert scene.erp.replies() == [("OK", ["0.0"])]


async def test_what_the_message_lacks_the_profile_fills(scene: Scene) -> None:
    await scene.comes(order())
    (fact,) = await scene.told()
    assert isinstance(fact, OrderReceived)
    assert (fact.operator, fact.origin, fact.legal_basis, fact.priority) == ("nord", "statutory", "mandatory", 50)
    assert [(item.role, item.device_type) for item in fact.device_plan.install] == [("meter", "mme_3ph")]
    assert fact.address.country == "DE"


async def test_with_AckRequired_a_receipt_goes_out_beside_the_answer(scene: Scene) -> None:
    await scene.comes(order(ack=True))
    assert scene.erp.replies() == [("OK", ["0.3"]), ("OK", ["0.0"])]


async def test_J53_the_same_bytes_a_hundred_times_are_one_event_and_equal_answers(scene: Scene) -> None:
    receipts = {await scene.comes(order()) for _ in range(100)}
    assert len(receipts) == 1
    assert await scene.names() == ["OrderReceived"]
    answers = {(text(each, "Reply/Result"), text(each, "Header/CorrelationID")) for each in scene.erp.got}
    assert (len(scene.erp.got), answers) == (100, {("OK", "M-1")})


async def test_J53_the_same_version_with_other_content_is_a_conflict(scene: Scene) -> None:
    await scene.comes(order())
    await scene.hears(opened())
    await scene.comes(order(message_id="M-2", city="Südstadt"))
    *_, entry = await scene.told()
    assert isinstance(entry, MessageQuarantined)
    assert (entry.partner, entry.cause, entry.case_id) == ("erp-a", "CONFLICT", CASE)
    assert scene.erp.replies()[-1] == ("FAILED", ["6.1"])


async def test_the_same_message_id_with_other_bytes_is_refused(scene: Scene) -> None:
    await scene.comes(order())
    await scene.comes(order("WO-2"))
    assert await scene.names() == ["OrderReceived", "MessageQuarantined"]
    assert [row.cause for row in await scene.rows("quarantine")] == ["ID_REUSED"]
    assert scene.erp.replies()[-1] == ("FAILED", ["2.15"])


async def test_another_message_with_the_same_content_gets_the_first_answer(scene: Scene) -> None:
    await scene.comes(order())
    await scene.comes(order(message_id="M-2"))
    assert await scene.names() == ["OrderReceived"]
    first, second = scene.erp.got
    assert text(second, "Header/CorrelationID") == "M-2"
    assert first.split(b"</m:Header>")[1] == second.split(b"</m:Header>")[1]


async def test_a_higher_version_amends_and_says_only_what_changed(scene: Scene) -> None:
    await scene.comes(order())
    await scene.comes(order(version="2", message_id="M-2", city="Südstadt"))
    _, fact = await scene.told()
    assert isinstance(fact, OrderAmended)
    said = {name for name, value in fact if value is not None}
    assert said == {"order_key", "partner", "version", "received_at", "address"}
    assert fact.address is not None
    assert fact.address.city == "Südstadt"


async def test_X_MAP_2_a_change_is_sparse(scene: Scene) -> None:
    await scene.comes(order())
    body = "<s:Work><s:Customers><s:phone><s:ituPhone/></s:phone></s:Customers></s:Work>"
    await scene.comes(order(version="2", verb="change", message_id="M-2", body=body))
    _, fact = await scene.told()
    assert isinstance(fact, OrderAmended)
    assert fact.contact is not None
    assert (fact.contact.name, fact.contact.phone, fact.address) == ("Ada Probe", None, None)


async def test_a_change_of_an_unknown_order_is_refused(scene: Scene) -> None:
    await scene.comes(order(version="2", verb="change"))
    assert (await scene.told(), scene.erp.replies()) == ([], [("FAILED", ["2.15"])])


async def test_an_older_version_that_was_never_seen_is_late_and_changes_nothing(scene: Scene) -> None:
    await scene.comes(order(version="3"))
    await scene.comes(order(version="2", message_id="M-2", city="Südstadt"))
    assert await scene.names() == ["OrderReceived"]
    assert (await scene.anomalies(), scene.erp.replies()[-1]) == (["order_late"], ("OK", ["0.0"]))


async def test_an_order_without_address_is_refused_and_nothing_is_told(scene: Scene) -> None:
    body = (
        "<s:Work><s:WorkTask><s:taskKind>exchange</s:taskKind>"
        "<s:UsagePoint><s:mRID>707057500012345688</s:mRID></s:UsagePoint></s:WorkTask></s:Work>"
    )
    receipt = await scene.comes(order(body=body))
    assert (await scene.told(), scene.erp.replies()) == ([], [("FAILED", ["2.32"])])
    async with scene.partner() as client:
        answer = await client.get(f"/v1/in/erp-a/{receipt}")
    assert answer.json()["state"] == "REFUSED"
    assert answer.json()["records"][0]["findings"][0]["position"] == "address"


async def test_a_wrong_check_digit_is_answered_with_its_code_and_its_order(scene: Scene) -> None:
    await scene.comes(order(point="707057500012345672"))
    (message,) = scene.erp.got
    assert (text(message, "Reply/Error/code"), text(message, "Reply/Error/ID")) == ("2.12", "WO-1")


async def test_a_cancellation_waits_for_the_case(scene: Scene) -> None:
    await scene.comes(order())
    await scene.comes(order(version="2", verb="cancel", message_id="M-2", ack=True))
    *_, fact = await scene.told()
    assert isinstance(fact, OrderCancelled)
    assert (fact.version, fact.cancelled_by) == (2, "erp-a")
    assert scene.erp.replies() == [("OK", ["0.0"]), ("OK", ["0.3"])]


async def test_a_cancellation_of_the_same_version_again_has_no_second_effect(scene: Scene) -> None:
    await scene.comes(order())
    await scene.comes(order(version="2", verb="cancel", message_id="M-2"))
    await scene.comes(order(version="2", verb="cancel", message_id="M-3"))
    assert await scene.names() == ["OrderReceived", "OrderCancelled"]


async def test_J51_a_cancellation_that_comes_first_meets_its_order(scene: Scene) -> None:
    await scene.comes(order(version="1", verb="cancel", message_id="M-0"))
    assert await scene.told() == []
    await scene.comes(order())
    assert await scene.names() == ["OrderReceived", "OrderCancelled"]


async def test_J51_a_higher_version_than_the_cancellation_opens_normally(scene: Scene) -> None:
    await scene.comes(order(version="1", verb="cancel", message_id="M-0"))
    await scene.comes(order(version="2"))
    assert await scene.names() == ["OrderReceived"]


async def test_an_order_that_comes_again_after_its_cancellation_is_received_again(scene: Scene) -> None:
    await scene.comes(order())
    await scene.comes(order(version="2", verb="cancel", message_id="M-2"))
    await scene.comes(order(version="3", message_id="M-3"))
    assert await scene.names() == ["OrderReceived", "OrderCancelled", "OrderReceived"]


@pytest.mark.parametrize("point", ["in.archived", "in.parsed"])
async def test_X11_killed_after_storing_the_order_is_told_once_all_the_same(scene: Scene, point: str) -> None:
    def kill(name: str) -> None:
        if name == point:
            raise faults.Crashed

    with faults.armed(kill), pytest.raises(faults.Crashed):
        await scene.comes(order())
    before = await scene.told()
    await scene.works()
    assert (before, await scene.names(), scene.erp.replies()) == ([], ["OrderReceived"], [("OK", ["0.0"])])


async def test_two_orders_in_one_message_are_answered_one_by_one(scene: Scene) -> None:
    first = order().decode()
    second = order("WO-2", point="707057500012345672").decode()
    item = second[second.index("<s:ServiceOrder>") : second.index("</s:ServiceOrders>")]
    await scene.comes(first.replace("</s:ServiceOrders>", f"{item}</s:ServiceOrders>").encode())
    assert await scene.names() == ["OrderReceived"]
    assert scene.erp.replies() == [("PARTIAL", ["0.0", "2.12"])]


async def test_a_partner_that_wants_its_orders_decided_is_answered_when_they_are(scene: Scene) -> None:
    folder = scene.service.settings.data_dir / "partners"
    folder.mkdir()
    (folder / "erp-b.yaml").write_text(
        "id: erp-b\nname: ERP B\nrole: ERP\ndialects: [{dialect: cim_xml}]\n"
        "transports: {in: [{kind: rest}], out: [{kind: rest, url: 'http://erp-b.example/in'}]}\n"
        "defaults: {operator: nord, country: DE}\noptions: {auto_accept_orders: false}\n"
    )
    desk_partners = scene.service.ports["partner_rest"].desk.partners  # type: ignore[attr-defined]
    desk_partners.look_again()
    await scene.comes(order(), "erp-b")
    (fact,) = await scene.told()
    assert isinstance(fact, OrderReceived)
    assert fact.answer is not None
    assert (fact.answer.answer_by - fact.received_at, scene.erp.got) == (timedelta(hours=48), [])
    answered = OrderAnswered(
        case_id=CASE,
        order_key="erp-b:WO-1",
        order_version=1,
        decision=Answer.REFUSED,
        code="6.1",
        needs_text=False,
        actor="person:local:mia",
    )
    await scene.hears(answered)
    await scene.works()
    assert scene.erp.replies() == [("FAILED", ["6.1"])]
