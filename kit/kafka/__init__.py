"""The Kafka bus, by FastStream and aiokafka exactly as the messaging page says: only this package imports them."""

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from contracts.topics import Topic
from kit.bus import Deliver, OutboxRow, Positions, Sent, Slot
from kit.errors import Refused
from kit.kafka.client import administration, client, limit_logs
from kit.kafka.reading import KafkaSubscription
from kit.kafka.telling import Teller
from kit.settings import Settings

BROKERS_FOR_COPIES, COPIES = 3, 3
DAY_MS = 24 * 60 * 60 * 1000


class PartitionsChanged(Refused):
    """A topic has another number of partitions than the table says; changing it would break the order of its keys."""

    code = "partitions-changed"

    def __init__(self, topic: str, found: int, expected: int) -> None:
        super().__init__(
            f"{topic} has {found} partitions, the table says {expected}; a topic is never changed in place"
        )
        self.topic, self.found, self.expected = topic, found, expected


class KafkaBus:
    """One producer, made anew after every failure, and one consumer per reader."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._teller = Teller(settings)
        self._readers: list[KafkaSubscription] = []

    async def start(self) -> None:
        """Nothing is connected yet: producer and consumers connect when they are needed, for as long as it takes."""
        limit_logs()

    async def stop(self) -> None:
        for reader in self._readers:
            await reader.stop()
        await self._teller.stop()

    async def provision(self, topics: Iterable[Topic]) -> None:
        """Make missing topics: three copies of which two must answer, where there are three brokers.

        Raises PartitionsChanged, and Unavailable while no broker answers.
        """
        async with administration(self._settings) as admin:
            there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
            brokers = (await admin.describe_cluster())["brokers"]
            copies = COPIES if len(brokers) >= BROKERS_FOR_COPIES else 1
            missing = []
            for topic in topics:
                found = there.get(topic.name)
                if found is None:
                    missing.append(_new(topic, copies))
                elif found != topic.partitions:
                    raise PartitionsChanged(topic.name, found, topic.partitions)
            answers = (await admin.create_topics(missing)).topic_errors if missing else ()
            for _, code, *_ in answers:
                if code and for_code(code) is not TopicAlreadyExistsError:  # another service was first
                    raise for_code(code)

    async def send(self, rows: Sequence[OutboxRow]) -> Sent:
        """Send all slots in parallel, and in each slot one batch after the other."""
        return await self._teller.send(rows)

    def told(self, topics: Iterable[str]) -> None:
        """Readers hear from the broker."""

    async def ends(self, topics: Iterable[str]) -> Mapping[Slot, int]:
        """Next offset that each slot will give. Raises Unavailable while no broker answers."""
        async with administration(self._settings) as admin:
            known = await admin.describe_topics(list(topics))
            slots = [
                TopicPartition(topic["topic"], part["partition"]) for topic in known for part in topic["partitions"]
            ]
            async with AIOKafkaConsumer(**client(self._settings)) as consumer:
                found = await consumer.end_offsets(slots)
        return {Slot(*slot): end for slot, end in found.items()}

    def listen(
        self, reader: str, topics: Sequence[str], deliver: Deliver, positions: Positions, *, batch_max: int = 500
    ) -> KafkaSubscription:
        """Join the reader's group as soon as a broker answers and has the topics."""
        subscription = KafkaSubscription(self._settings, reader, topics, deliver, positions, batch_max)
        self._readers.append(subscription)
        return subscription


def _new(topic: Topic, copies: int) -> NewTopic:
    """Records carry the time of sending, from which a broker's retention counts; `ce_time` says when it was told."""
    configuration = {
        "cleanup.policy": topic.cleanup,
        "min.insync.replicas": str(max(1, copies - 1)),
        "unclean.leader.election.enable": "false",
        "message.timestamp.type": "CreateTime",
    }
    if topic.retention_days is not None:
        configuration["retention.ms"] = str(topic.retention_days * DAY_MS)
    if topic.compaction_days is not None:
        configuration["max.compaction.lag.ms"] = str(topic.compaction_days * DAY_MS)
    return NewTopic(topic.name, topic.partitions, copies, topic_configs=configuration)
