"""A topic is read from its beginning to its end without joining a group, as the checks of invariants do."""

from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kit.kafka.whole import whole
from kit.settings import Kafka, Settings


async def test_every_record_of_a_topic_is_read_once_in_the_order_of_its_slots(kafka_bootstrap: str) -> None:
    settings, topic = Settings(kafka=Kafka(servers=kafka_bootstrap)), f"test.{uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 3, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        for number in range(300):
            await producer.send(topic, b"%d" % number, key=b"%d" % (number % 7))
    records = await whole(settings, topic)
    places = [(record.partition, record.offset) for record in records]
    assert (sorted(int(record.value or b"") for record in records), places) == (list(range(300)), sorted(set(places)))
    assert {record.partition for record in records} > {0}


async def test_a_topic_that_is_not_there_or_empty_has_no_records(kafka_bootstrap: str) -> None:
    settings, topic = Settings(kafka=Kafka(servers=kafka_bootstrap)), f"test.{uuid4().hex}"
    missing = await whole(settings, topic)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()
    assert (list(missing), list(await whole(settings, topic))) == ([], [])
