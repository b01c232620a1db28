"""What an order does not say: the point, then the postcode, then the defaults of the partner say it."""

from datetime import date
from typing import Any

from contracts.codes import Scheme
from contracts.orders import OrderReceived
from kit.store import Unit
from services.mdm_adapter.documents.values import Location, Party
from services.mdm_adapter.domain.points import KnownArea, MasterData, Point, area_key
from services.mdm_adapter.filling import master_data_of
from tests.services.mdm_adapter.scenes import POINT, Scene, order

DAY = date(2026, 3, 2)
HERE = Location(
    street="Am Hang", number="7", postcode="00101", city="Nordstadt", country="DE", municipality="01001001", stage="S1"
)
BARE = f"""<s:Work><s:WorkTask><s:taskKind>exchange</s:taskKind>
  <s:UsagePoint><s:mRID>{POINT}</s:mRID></s:UsagePoint></s:WorkTask></s:Work>"""


async def known(scene: Scene, facts: MasterData, since: date | None = None) -> None:
    def command(unit: Unit) -> None:
        point = unit.find(Point, POINT)
        if point is None:
            point = Point(metering_point_id=POINT, scheme=Scheme.MELO)
            unit.add(point)
        point.learn(facts, since)

    await scene.run(command, needs=[(Point, POINT)])


async def the_order(scene: Scene) -> OrderReceived:
    (fact,) = [each for each in await scene.told() if isinstance(each, OrderReceived)]
    return fact


async def test_an_order_without_a_place_is_filled_from_its_point(scene: Scene) -> None:
    await known(scene, MasterData(location=HERE))
    await scene.comes(order(body=BARE))
    fact = await the_order(scene)
    assert (fact.address.street, fact.area.municipality, fact.area.stage) == ("Am Hang", "01001001", "S1")


async def test_without_point_and_place_the_order_is_refused_by_name(scene: Scene) -> None:
    await scene.comes(order(body=BARE))
    assert (await scene.told(), scene.erp.replies()) == ([], [("FAILED", ["2.32"])])


async def test_the_state_of_the_day_counts(scene: Scene) -> None:
    await known(scene, MasterData(location=HERE))
    await known(scene, MasterData(location=HERE.model_copy(update={"number": "8"})), DAY)
    await known(scene, MasterData(location=HERE.model_copy(update={"number": "9"})), date(2026, 3, 3))
    await scene.comes(order(body=BARE))
    assert (await the_order(scene)).address.number == "8"


async def test_a_postcode_says_municipality_and_stage_where_nobody_else_does(scene: Scene) -> None:
    area = KnownArea(area_key=area_key("DE", "00101"), municipality="01001001", stage="S7")
    await scene.run(lambda unit: unit.add(area), needs=[(KnownArea, area.area_key)])
    content = order().replace(b"<s:code>01001001</s:code>", b"")
    await scene.comes(content)
    fact = await the_order(scene)
    assert (fact.area.municipality, fact.area.stage) == ("01001001", "S7")


async def test_two_addresses_are_never_mixed(scene: Scene) -> None:
    elsewhere = HERE.model_copy(update={"street": "Am Ufer", "addition": "rear building"})
    await known(scene, MasterData(location=elsewhere))
    await scene.comes(order())
    fact = await the_order(scene)
    assert (fact.address.street, fact.address.addition) == ("Am Hang", None)


async def test_an_order_teaches_what_the_next_one_does_not_say(scene: Scene) -> None:
    await scene.comes(order())
    await scene.told_since()
    await scene.comes(order("WO-2", message_id="M-2", body=BARE))
    (fact,) = await scene.told_since()
    assert isinstance(fact, OrderReceived)
    assert (fact.address.street, fact.area.postcode) == ("Am Hang", "00101")


async def test_documents_ask_for_the_master_data_of_a_day(scene: Scene) -> None:
    parties = (Party(role="nb", id="9900001000002"), Party(role="nb", id="9900357000003", valid_from=DAY))
    await known(scene, MasterData(location=HERE, voltage="E06", parties=parties))
    await known(scene, MasterData(customer_class="company"), DAY)

    def ask(unit: Unit) -> Any:
        return master_data_of(unit, POINT, date(2026, 3, 1)), master_data_of(unit, POINT, DAY)

    before, after = await scene.run(ask, needs=[(Point, POINT)])
    assert (before.voltage, before.customer_class, before.parties) == ("E06", None, parties)
    assert (after.voltage, after.customer_class, after.location) == ("E06", "company", HERE)


async def test_a_party_that_the_order_does_not_name_is_that_of_the_point() -> None:
    below = MasterData(parties=(Party(role="nb", id="1"), Party(role="lf", id="2"))).content()
    above = MasterData(parties=(Party(role="lf", id="3"),)).content()
    assert above.filled(below).parties == (Party(role="lf", id="3"), Party(role="nb", id="1"))
