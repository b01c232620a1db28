"""Bad HTTP, as raw bytes to the real server: the verdicts of the manifest."""

import asyncio
import csv
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from kit.http import server_options
from tests.services.kit.probe import Probe, probing

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/badinput"
MANIFEST = (SAMPLES / "MANIFEST.csv").read_text("utf-8").splitlines()
ROWS = {row["file"]: row for row in csv.DictReader(MANIFEST) if row["file"].startswith("http/")}


class Served:
    """The service of notes behind the server that services run on."""

    def __init__(self, probe: Probe, port: int) -> None:
        self.probe, self.port = probe, port

    async def sends(self, content: bytes) -> tuple[list[int], bytes]:
        """Send raw bytes, close our side, and read to the end: the status of every answer, and all of it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(content)
        await writer.drain()
        heard = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        lines = [line for line in heard.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
        return [int(line.split(b" ")[1]) for line in lines], heard


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with probing(tmp_path) as probe:
        options = {**server_options(probe.settings), "lifespan": "off"}
        running = uvicorn.Server(uvicorn.Config(probe.app, **options))
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            task = asyncio.create_task(running.serve([listening]))
            yield Served(probe, listening.getsockname()[1])
            running.should_exit = True
            await task


def sample(name: str, host: str | None = None) -> bytes:
    """A file of the manifest; `Host: h` becomes the served host where the manifest says so."""
    content = (SAMPLES / name).read_bytes()
    if host is not None:
        content = content.replace(b"Host: h\r\n", f"Host: {host}\r\n".encode())
    return content


def closing(content: bytes) -> bytes:
    """The same request, as the last one of its connection."""
    return content.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)


def test_the_manifest_and_the_folder_name_the_same_files() -> None:
    assert set(ROWS) == {f"http/{path.name}" for path in (SAMPLES / "http").iterdir()}


@pytest.mark.parametrize("host", [None, "127.0.0.1"])
async def test_a_length_beside_chunks_is_refused_and_the_connection_closed(server: Served, host: str | None) -> None:
    smuggled = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    statuses, _ = await server.sends(sample("http/cl_te.raw", host) + smuggled)
    assert ROWS["http/cl_te.raw"]["expected_verdict"].startswith("400")
    assert statuses == [400]


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x5\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
    ],
)
async def test_doubtful_framing_is_refused_and_the_connection_closed(server: Served, framing: bytes) -> None:
    statuses, _ = await server.sends(
        b"POST /v1/notes HTTP/1.1\r\nHost: 127.0.0.1\r\n" + framing + b"\r\nhello" + b"GET /page HTTP/1.1\r\n\r\n"
    )
    assert statuses == [400]


@pytest.mark.rule("SEC-SES-04")
async def test_a_spoofed_host_is_not_answered_for(server: Served) -> None:
    statuses, heard = await server.sends(closing(sample("http/host_spoof.raw")))
    assert statuses == [int(ROWS["http/host_spoof.raw"]["expected_verdict"])]
    assert b"evil.example" not in heard


async def test_a_request_without_a_host_is_not_answered_for(server: Served) -> None:
    statuses, _ = await server.sends(b"GET /page HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert statuses == [421]


async def test_two_hosts_are_none(server: Served) -> None:
    hosts = b"Host: 127.0.0.1\r\nHost: evil.example\r\n"
    statuses, _ = await server.sends(b"GET /page HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
    assert statuses == [421]


async def test_an_encoded_way_up_leads_nowhere(server: Served) -> None:
    statuses, _ = await server.sends(closing(sample("http/path_traversal.raw", "127.0.0.1")))
    assert statuses == [int(ROWS["http/path_traversal.raw"]["expected_verdict"])]


async def test_a_forwarded_address_is_believed_from_nobody(server: Served) -> None:
    plain = b"GET /whoami HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    spoofed = sample("http/xff_spoof.raw", "127.0.0.1").replace(b"GET /x ", b"GET /whoami ")
    spoofed = spoofed.replace(
        b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https"
    )
    seen = []
    for request in (plain, spoofed):
        statuses, heard = await server.sends(closing(request))
        assert statuses == [200]
        seen.append(json.loads(heard.rpartition(b"\r\n\r\n")[2]))
    assert seen == [{"client": "127.0.0.1", "scheme": "http"}] * 2
    statuses, _ = await server.sends(closing(sample("http/xff_spoof.raw", "127.0.0.1")))
    assert statuses == [404]


@pytest.mark.rule("SEC-HARD-03")
async def test_no_answer_names_the_server(server: Served) -> None:
    _, heard = await server.sends(closing(b"GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
    assert b"\r\nserver:" not in heard.lower()
    assert b"uvicorn" not in heard.lower()


@pytest.mark.rule("SEC-IN-01")
async def test_a_body_that_is_announced_as_too_large_is_not_waited_for(server: Served) -> None:
    token = server.probe.token()["Authorization"]
    head = f"POST /v1/notes HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\nContent-Length: 1000001\r\n"
    statuses, heard = await server.sends(f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n".encode())
    assert statuses == [413]
    assert b"json/limit" in heard
