"""Apache Kafka on loopback: one node or three, combined broker and controller, as the design page measured it."""

import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.servers.install import KAFKA, cache_folder, java, kafka_jars, locked
from tests.servers.processes import NotStarted, end, free_ports, launch, running, tail, throwaway, wait_ready

HEAP = ["-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr"]

LOG4J = """status=error
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %m (%c)%n
"""

METADATA, METADATA_VERSION = 3, 4


class Kafka:
    """A cluster in a folder: its settings, data, logs and pid files. `start` and `stop` may be called at any time."""

    def __init__(self, folder: Path, java_options: Sequence[str] | None = None) -> None:
        self.folder = folder.absolute()
        self._java_options = java_options

    @property
    def bootstrap(self) -> str:
        """Addresses of all nodes, `host:port` separated by commas."""
        return ",".join(f"127.0.0.1:{port}" for port in self._plan()["ports"])

    def start(self, nodes: int = 1) -> None:
        """Start every node that does not run, and wait until all of them know each other."""
        if not (self.folder / "cluster.json").exists():
            self._lay_out(nodes)
        if len(self._nodes()) != nodes:
            raise NotStarted(f"{self.folder} holds a cluster of {len(self._nodes())} nodes; stop and delete it first")
        self._launch([node for node in self._nodes() if running(self._node(node)) is None])

    def stop(self) -> None:
        """End every node in good order; the data stays."""
        for node in self._nodes():
            if pid := running(self._node(node)):
                os.kill(pid, signal.SIGTERM)  # all at once: the last two of three could not agree on anything
        for node in self._nodes():
            end(self._node(node), signal.SIGTERM)

    def kill(self, node: int = 1) -> None:
        """SIGKILL one node."""
        end(self._node(node), signal.SIGKILL)

    def restart(self, node: int = 1) -> None:
        """Start one node again, on its port and with its data, and wait until it is part of the cluster."""
        self._launch([node])

    def status(self) -> list[tuple[int, str, int | None]]:
        """Node, address and pid (None: it does not run)."""
        if not (self.folder / "cluster.json").exists():
            return []
        ports = self._plan()["ports"]
        return [(node, f"127.0.0.1:{ports[node - 1]}", running(self._node(node))) for node in self._nodes()]

    def _plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = json.loads((self.folder / "cluster.json").read_text())
        return plan

    def _nodes(self) -> range:
        return range(1, len(self._plan()["ports"]) + 1) if (self.folder / "cluster.json").exists() else range(0)

    def _node(self, node: int) -> Path:
        return self.folder / f"node{node}"

    def _lay_out(self, nodes: int) -> None:
        """Choose ports, write every node's settings and format its data folder."""
        ports = free_ports(2 * nodes)
        plan: dict[str, Any] = {"ports": ports[:nodes], "controllers": ports[nodes:], "id": _cluster_id()}
        for node in range(1, nodes + 1):
            folder = self._node(node)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / "log4j2.properties").write_text(LOG4J)
            (folder / "server.properties").write_text(settings(node, plan, folder / "data"))
        formatting = [self._format(self._node(node), plan["id"]) for node in range(1, nodes + 1)]
        for node, process in enumerate(formatting, 1):
            if process.wait() != 0:
                raise NotStarted(f"the data folder could not be formatted:\n{tail(self._node(node))}")
        (self.folder / "cluster.json").write_text(json.dumps(plan))

    def _format(self, folder: Path, cluster: str) -> "subprocess.Popen[bytes]":
        tool: list[str | Path] = [
            "kafka.tools.StorageTool",
            "format",
            "-t",
            cluster,
            "-c",
            folder / "server.properties",
        ]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(self._java(*tool), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _java(self, *program: str | Path) -> list[str | Path]:
        options = class_archive() if self._java_options is None else self._java_options
        logging = "-Dlog4j2.configurationFile=log4j2.properties"
        command: list[str | Path] = [java(), *HEAP, *options, logging, "-cp", kafka_jars(), *program]
        return command

    def _launch(self, nodes: list[int]) -> None:
        for node in nodes:
            folder = self._node(node)
            launch(folder, self._java("kafka.Kafka", folder / "server.properties"))
        everybody = {node for node in self._nodes() if running(self._node(node))}
        for node in nodes:
            port = self._plan()["ports"][node - 1]
            wait_ready(self._node(node), lambda port=port: knows(port, everybody))  # type: ignore[misc]


@contextmanager
def kafka_cluster(nodes: int = 1) -> Iterator[Kafka]:
    """A cluster that lives as long as the block, and nothing of it stays."""
    with throwaway("kafka") as folder:
        cluster = Kafka(folder)
        cluster.start(nodes)
        yield cluster


def settings(node: int, plan: dict[str, Any], data: Path) -> str:
    """The server.properties of one node."""
    voters = ",".join(f"{number}@127.0.0.1:{port}" for number, port in enumerate(plan["controllers"], 1))
    port, controller = plan["ports"][node - 1], plan["controllers"][node - 1]
    copies = min(3, len(plan["ports"]))
    in_sync = max(1, copies - 1)
    return f"""process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=12
default.replication.factor={copies}
min.insync.replicas={in_sync}
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor={copies}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
log.cleaner.dedupe.buffer.size=16777216
"""


def knows(port: int, brokers: set[int]) -> bool:
    """The node on this port answers a Metadata request, and names these brokers and a controller."""
    body = struct.pack(">hhih", METADATA, METADATA_VERSION, 1, -1) + struct.pack(">i?", 0, False)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            (size,) = struct.unpack(">i", _exactly(connection, 4))
            known, controller = _brokers(_exactly(connection, size))
    except OSError:
        return False
    return brokers <= known and controller >= 0


def _brokers(answer: bytes) -> tuple[set[int], int]:
    """Broker ids and controller id of a Metadata response, version 4."""
    at, (count,) = 12, struct.unpack_from(">i", answer, 8)  # behind correlation id and throttle time
    found = set()
    for _ in range(count):
        found.add(struct.unpack_from(">i", answer, at)[0])
        at = _behind_text(answer, _behind_text(answer, at + 4) + 4)  # host, port, rack
    (controller,) = struct.unpack_from(">i", answer, _behind_text(answer, at))  # behind the cluster id
    return found, controller


def _behind_text(answer: bytes, at: int) -> int:
    (length,) = struct.unpack_from(">h", answer, at)  # -1: null
    return at + 2 + max(0, int(length))


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        if not (part := connection.recv(size - len(got))):
            raise ConnectionResetError("the broker hung up")
        got += part
    return got


def _cluster_id() -> str:
    """22 characters; none that a command line takes for an option."""
    return "k" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]


@cache
def class_archive() -> list[str]:
    """Java's options for a faster start: Kafka's classes as they lie in memory, written once by a broker that ends."""
    version = sha256(subprocess.run([java(), "-version"], capture_output=True, check=True).stderr).hexdigest()[:8]
    archive = cache_folder() / f"kafka-{KAFKA}-{version}.jsa"
    with locked(archive.with_suffix(".lock")):
        if not archive.exists():
            _write_class_archive(archive)
    return [f"-XX:SharedArchiveFile={archive}"]


def _write_class_archive(archive: Path) -> None:
    begun = archive.with_suffix(".part")
    with throwaway("archive") as folder:
        cluster = Kafka(folder, [f"-XX:ArchiveClassesAtExit={begun}"])
        cluster.start()
        cluster.stop()
    begun.rename(archive)
