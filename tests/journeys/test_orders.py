"""Orders and data: amendments, copies, two partners for one piece of work, files nobody knows, waivers."""

from tests.journeys.playing import Played
from tests.journeys.test_good_way import GOOD_WAY


def test_J52_another_door_stops_the_technician_until_somebody_has_seen_it(played: Played) -> None:
    order = played.orders["J52"]
    assert order.moves() == ["T01", "T04", "T07", "T34", "T18", "T20", "T21"]
    assert order.exceptions() == [("raised", "master_data_conflict"), ("resolved", "master_data_conflict")]
    (amended,) = order.of("cases", "amended")
    assert {"address", "device_plan"} <= set(amended["changed"])
    removed = [fact["serial"] for fact in order.of("assets", "device_removed")]
    assert removed[0].startswith("1OLD01")
    assert [fact["version"] for fact in order.of("contacts", "contact_recorded")] == [1, 2]
    assert order.in_order("cases", "material_requested", "material_released", "material_requested")
    assert order.phase == "COMPLETED"


def test_J53_the_same_bytes_twenty_times_are_one_order_and_equal_answers(played: Played) -> None:
    order = played.orders["J53"]
    assert len(order.log.sent) == 20
    assert len(set(order.log.sent)) == 1
    assert order.names("cases").count("opened") == 1
    assert order.names("orders").count("order_received") <= 1
    assert order.phase == "COMPLETED"


def test_J54_two_partners_order_the_same_work_and_both_hear_of_it(played: Played) -> None:
    order = played.orders["J54a"]
    assert order.names("cases").count("opened") == 1
    (amended,) = order.of("cases", "amended")
    assert (amended["changed"], len(amended["orders"])) == (["orders"], 2)
    told = {fact["recipient"] for fact in order.of("handovers", "handover_sent", fact="exchange_completed")}
    assert (order.log.documents, told) == (["change"], {"erp-a", "mdm-b"})
    assert (order.phase, order.moves(), len(order.handovers())) == ("COMPLETED", GOOD_WAY, 1)


def test_J54_the_work_ends_when_the_last_partner_withdraws(played: Played) -> None:
    order = played.orders["J54b"]
    assert order.moves() == ["T01", "T04", "T07", "T29", "T31"]
    answered = [(fact["decision"], fact["order_key"].partition(":")[0]) for fact in order.handovers("cancelled")]
    assert answered == [("confirmed", "mdm-b"), ("confirmed", "erp-a")]
    assert "still_wanted" in order.hotlist
    assert order.phase == "CANCELLED"


def test_J60_an_unknown_partners_file_waits_until_its_profile_is_there(played: Played) -> None:
    assert "UNKNOWN_PARTNER RETRIED" in played.quarantined
    assert played.orders["J60"].phase == "COMPLETED"


def test_J66_a_waiver_of_two_persons_stands_in_for_the_review(played: Played) -> None:
    order = played.orders["J66"]
    assert (order.phase, order.moves()) == ("COMPLETED", GOOD_WAY)
    assert order.exceptions() == [("raised", "qa_waiver"), ("approved", "qa_waiver"), ("resolved", "qa_waiver")]
    assert ("action:approve_exception", "four-eyes") in order.refused
    assert order.names("quality") == ["review_opened"]
    (done,) = order.of("cases", "completed")
    assert done["evidence"][2].get("exception_id")
