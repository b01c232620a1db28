"""The bus of the suite on Kafka: one broker for all tests, and for each of them topics and groups that are new."""

from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient

from kit.bus import Bus
from kit.kafka import KafkaBus

if TYPE_CHECKING:
    from tests.adapters.world import World


def kafka(world: "World") -> Bus:
    """A bus with the settings of the services on it."""
    return KafkaBus(world.tally.settings)


async def fresh(bootstrap: str) -> None:
    """Delete the hub's topics; with a topic go the offsets that groups have committed in it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if old := [name for name in await admin.list_topics() if name.startswith("rollout.")]:
            await admin.delete_topics(old)
    finally:
        await admin.close()
