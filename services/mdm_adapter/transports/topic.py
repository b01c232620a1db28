"""In-house partners on a Kafka cluster of their own: a record of theirs is a message, and so is one of ours."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kit import faults
from kit.auth import Scope
from kit.effects import Done, Failed, Outcome, Transient
from kit.errors import Unavailable
from kit.store import Store
from services.mdm_adapter import store as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.policy import SEND_AGAIN
from services.mdm_adapter.errors import BadProfile, SecretMissing
from services.mdm_adapter.partners.profile import Profile, Topic
from services.mdm_adapter.receiving import Arriving
from services.mdm_adapter.settings import Cluster
from services.mdm_adapter.transports.rest import REASON, Receive

if TYPE_CHECKING:
    from kit.kafka.foreign import ForeignReader, ForeignWriter, Place

GROUP = "mdm_adapter"
REPLY, NOTIFY = "reply", "notify"
"""Verbs: an answer to a message of the partner, or news."""


class Topics:
    """Looks into the topics of all partners that have one; the offset follows once a message is stored."""

    def __init__(self, clusters: Mapping[str, Cluster], desk: Desk, receive: Receive) -> None:
        self.clusters, self.desk, self.receive = clusters, desk, receive
        self._readers: dict[tuple[str, str, str], ForeignReader] = {}

    async def poll(self) -> bool:
        """Take what lies there; True if there was anything."""
        found = False
        for profile in self.desk.partners.all():
            for agreed in profile.transports.in_:
                if isinstance(agreed, Topic) and agreed.cluster in self.clusters:
                    found |= await self._look(profile, agreed)
        return found

    async def close(self) -> None:
        """Leave all groups."""
        for reader in self._readers.values():
            await reader.stop()

    async def _look(self, profile: Profile, agreed: Topic) -> bool:
        reader = self._reader(profile.id, agreed)
        taken = await reader.take()
        stored = False
        try:
            for record in taken:
                place = f"{agreed.cluster}/{record.topic}/{record.partition}/{record.offset}"
                once = f"topic/{place}/{sha256(record.value).hexdigest()}"
                await self.receive(Arriving(profile.id, record.value, "topic", place, once=once))
                await reader.done(record)
                faults.point("in.receipt_sent")
            stored = True
        finally:
            if not stored:  # whatever stopped us: what was read and not stored is read again
                await reader.stop()
        return bool(taken)

    def _reader(self, partner: str, agreed: Topic) -> "ForeignReader":
        key = (partner, agreed.cluster, agreed.topic)
        if key not in self._readers:
            from kit.kafka.foreign import ForeignReader  # the embedded hub loads no client of Kafka

            place = place_of(self.clusters[agreed.cluster], self.desk)
            self._readers[key] = ForeignReader(place, agreed.topic, f"{GROUP}.{partner}")
        return self._readers[key]


class TopicPort:
    """Writes our messages to the partner's topic, under the point's key: messages of a point keep their order."""

    repeatable = True
    retry: Sequence[timedelta] = SEND_AGAIN

    def __init__(self, store: Store, desk: Desk, clusters: Mapping[str, Cluster], reading: Topics) -> None:
        self.store, self.desk, self.clusters, self.reading = store, desk, clusters, reading
        self._writers: dict[str, ForeignWriter] = {}

    async def send(self, _reference: str, payload: Mapping[str, Any]) -> Outcome:
        """One try; the message's id in the headers tells a repeated record from a second one."""
        profile, message_id = self.desk.partners.find(payload["partner"]), UUID(payload["message_id"])
        agreed = profile.out if profile else None
        now = self.store.clock.now()
        found = await self.store.read(lambda db: queries.to_send(db, Scope.everything(REASON), message_id, now))
        faults.point("in.committed")
        if found is None or not isinstance(agreed, Topic) or agreed.cluster not in self.clusters:
            return Failed("no_recipient")
        if found.stale:
            return Failed(found.stale)
        if found.answers_to and self.desk.waiting.gives(found.answers_to, found.dialect, found.content):
            return Done(str(message_id))
        headers = {
            "message_id": str(message_id),
            "correlation_id": found.correlation_id or str(message_id),
            "noun": found.document,
            "verb": REPLY if found.answers_to else NOTIFY,
            "sha256": sha256(found.content).hexdigest(),
        }
        try:
            writer = self._writer(agreed.cluster)
            return Done(await writer.write(agreed.topic, found.metering_point_id, found.content, headers))
        except SecretMissing:
            return Failed("no_secret")
        except Unavailable:
            return Transient("unreachable")

    async def ask(self, _reference: str) -> Outcome | None:
        """Nobody looks through a topic for one record; a repeated one names the same message."""
        return None

    async def close(self) -> None:
        """Let go of all clusters."""
        await self.reading.close()
        for writer in self._writers.values():
            await writer.stop()

    def _writer(self, cluster: str) -> "ForeignWriter":
        if cluster not in self._writers:
            from kit.kafka.foreign import ForeignWriter  # the embedded hub loads no client of Kafka

            self._writers[cluster] = ForeignWriter(place_of(self.clusters[cluster], self.desk))
        return self._writers[cluster]


def refuse_unknown_clusters(profiles: Iterable[Profile], clusters: Mapping[str, Cluster]) -> None:
    """A topic lies in a cluster that the settings describe. Raises BadProfile."""
    for profile in profiles:
        for agreed in (*profile.transports.in_, *profile.transports.out):
            if isinstance(agreed, Topic) and agreed.cluster not in clusters:
                raise BadProfile(profile.id, [f"transports: partner_clusters has no cluster {agreed.cluster}"])


def place_of(cluster: Cluster, desk: Desk) -> "Place":
    """How a cluster is reached, its password read. Raises SecretMissing."""
    from kit.kafka.foreign import Place

    password = desk.secrets.read(cluster.password) if cluster.password else None
    return Place(cluster.servers, cluster.protocol, cluster.mechanism, cluster.user, password, cluster.ca_file)
