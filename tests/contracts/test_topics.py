"""Who owns which topic, who may read it, and what the types are called."""

import pytest

from contracts.catalogue import EVENTS, Event
from contracts.topics import OPERATIONS, SERVICE_OF, SERVICES, TOPICS

EVERY_EVENT = pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS.keys())


@EVERY_EVENT
def test_an_event_is_told_on_a_topic_of_its_owner(kind: type[Event]) -> None:
    assert TOPICS[kind.topic].owner == SERVICE_OF[kind.owner]


@pytest.mark.parametrize(
    ("name", "ce_type"),
    [
        ("CasePhaseChanged", "rollout.case.phase_changed.v1"),
        ("CaseCompleted", "rollout.case.completed.v1"),
        ("WorkOrderMoved", "rollout.case.work_order_moved.v1"),
        ("BookingRequested", "rollout.case.booking_requested.v1"),
        ("BookableFromSet", "rollout.booking.bookable_from_set.v1"),
        ("DeviceInstalled", "rollout.asset.device_installed.v1"),
        ("ReviewOpened", "rollout.qa.review_opened.v1"),
        ("HandoverRejected", "rollout.mdm.handover_rejected.v1"),
    ],
)
def test_a_type_is_called_as_the_page_says(name: str, ce_type: str) -> None:
    assert EVENTS[ce_type].__name__ == name


def test_there_are_eleven_topics_of_twelve_partitions() -> None:
    assert [topic.partitions for topic in TOPICS.values()] == [12] * 11


def test_the_readers_of_restricted_topics_are_few() -> None:
    readers = {name: topic.readers for name, topic in TOPICS.items() if topic.audience == "restricted"}
    assert readers == {
        "rollout.orders": {"case_service"},
        "rollout.visits": {"asset_service", "qa_service", "mdm_adapter", "cockpit_service"},
        "rollout.contacts": {"booking_service", "notification_service", "cockpit_service"},
        "rollout.messages": {"cockpit_service"},
        "rollout.dead-letters": {OPERATIONS},
    }


@pytest.mark.rule("SEC-KAF-01")
def test_the_table_gives_the_counted_rights_with_one_team() -> None:
    read = sum(len(topic.readers) + (topic.audience == "public") for topic in TOPICS.values())
    groups = len(SERVICES) + 1 + 1  # seven services, one team, operations
    assert (read + groups, sum(len(topic.writers) for topic in TOPICS.values())) == (67, 17)


def test_only_contacts_are_compacted() -> None:
    assert [name for name, topic in TOPICS.items() if topic.cleanup == "compact"] == ["rollout.contacts"]
    assert {topic.retention_days for topic in TOPICS.values() if topic.cleanup == "delete"} == {30}
