"""Every XML file of the bad-input corpus gets the verdict of its manifest; no file and no address in it is opened."""

import csv
import ctypes
import gzip
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.mdm_adapter.app import build
from services.mdm_adapter.dialects.cim_xml.messages import decode
from services.mdm_adapter.dialects.cim_xml.parsing import XmlRefused, read, registry_of
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.erp import Erp
from tests.services.mdm_adapter.scenes import Scene, order

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "badinput"
ROWS = {
    row["file"]: row
    for row in csv.DictReader((CORPUS / "MANIFEST.csv").read_text(encoding="utf-8").splitlines())
    if row["file"].startswith("xml/") and row["file"].endswith(".xml")
}
NAMESPACE = "urn:example:hub:order:v1"
REGISTRY = registry_of([(NAMESPACE, "order", "order", CORPUS / "xml" / "order-v1.xsd")])
IN_OPEN, IN_NONBLOCK = 0x20, 0o4000
SECRET = b"a-marker-that-must-not-appear"


class Watched:
    """A file and an address that a message may name; what is opened of them is counted by the system itself."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "secret.txt"
        self.path.write_bytes(SECRET)
        libc = ctypes.CDLL(None, use_errno=True)
        self.watch = libc.inotify_init1(IN_NONBLOCK)
        libc.inotify_add_watch(self.watch, str(self.path).encode(), IN_OPEN)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/x"

    def opened(self) -> tuple[int, int]:
        """How often the file was opened, and the address called, since this was last asked."""
        try:
            files = len(os.read(self.watch, 4096)) // 16
        except BlockingIOError:
            files = 0
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return files, 0
        connection.close()
        return files, 1

    def fill(self, content: bytes) -> bytes:
        """The content with the names of the file and of the address in their places."""
        return content.replace(b"@@SECRET_URI@@", self.path.as_uri().encode()).replace(
            b"@@LOOPBACK_URL@@", self.url.encode()
        )

    def close(self) -> None:
        os.close(self.watch)
        self.listener.close()


@contextmanager
def watched_in(folder: Path) -> Iterator[Watched]:
    """Watch for the time of a test."""
    watched = Watched(folder)
    try:
        yield watched
    finally:
        watched.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with watched_in(tmp_path) as found:
        yield found


def verdict(content: bytes) -> str:
    """Accepted with the id that was read, or the first code."""
    try:
        root = read(content, REGISTRY)
    except XmlRefused as refused:
        return "LEAKED" if SECRET.decode() in str(refused.findings) else refused.findings[0].code
    return f"accept, id={root.findtext(f'{{{NAMESPACE}}}id')}"


def test_the_watch_itself_sees_a_file_and_an_address_that_are_opened(watched: Watched) -> None:
    watched.path.read_bytes()
    with socket.create_connection(watched.listener.getsockname()):
        assert watched.opened() == (1, 1)


def test_every_xml_row_of_the_manifest_has_its_file() -> None:
    assert {f"xml/{path.name}" for path in (CORPUS / "xml").glob("*.xml")} == ROWS.keys()


@pytest.mark.parametrize("name", sorted(ROWS))
def test_X01_an_xml_file_of_the_corpus_gets_the_verdict_of_its_manifest(name: str, watched: Watched) -> None:
    row, content = ROWS[name], watched.fill((CORPUS / name).read_bytes())
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = verdict(content)
    seconds, grown = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    wanted = row["expected_verdict"] if row["expected_verdict"].startswith("accept") else row["expected_error_code"]
    assert found == wanted
    assert watched.opened() == (0, 0)
    assert (seconds < 1, grown < 50_000) == (True, True)


MORE = {
    "doctype in UTF-16": ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE order><order/>'.encode("utf-16"), "DTD"),
    "doctype after a plain beginning": (b'<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE a><a/>', "DTD"),
    "doctype that is text": (
        b'<?xml version="1.0" encoding="UTF-8"?><order xmlns="%s"><id>4711</id><!-- <!DOCTYPE a> --></order>'
        % NAMESPACE.encode(),
        "accept, id=4711",
    ),
    "doctype after a comment": (b"<!--" + b"x" * 5000 + b"--><!DOCTYPE a><a/>", "DTD"),
    "parameter entity": (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "@@LOOPBACK_URL@@"> %p;]><a/>', "DTD"),
    "external DTD": (b'<!DOCTYPE a SYSTEM "@@LOOPBACK_URL@@"><a/>', "DTD"),
    "public DTD": (b'<!DOCTYPE a PUBLIC "x" "@@SECRET_URI@@"><a/>', "DTD"),
    "two roots": (b"<a/><b/>", "NOT_WELL_FORMED"),
    "trailing garbage": (b"<a/>x", "NOT_WELL_FORMED"),
    "NUL": (b"<a>\0</a>", "NOT_WELL_FORMED"),
    "UTF-16 without BOM": ("<a/>".encode("utf-16-le"), "NOT_WELL_FORMED"),
    "UTF-32": ("<a/>".encode("utf-32"), "NOT_WELL_FORMED"),
    "an encoding nobody agreed on": (b'<?xml version="1.0" encoding="KOI8-R"?><a/>', "NOT_WELL_FORMED"),
    "100,000 deep": (b"<a>" * 100_000, "DEPTH"),
    "101 deep": (b"<a>" * 101 + b"</a>" * 101, "DEPTH"),
    "100 deep": (b"<a>" * 100 + b"</a>" * 100, "NAMESPACE"),
    "no namespace": (b"<order><id>1</id></order>", "NAMESPACE"),
    "other name": (f'<Order xmlns="{NAMESPACE}"/>'.encode(), "NOUN"),
    "100,000 attributes": (
        f'<order xmlns="{NAMESPACE}" '.encode() + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/>",
        "SCHEMA",
    ),
    "too large": (b"<a>" + b"x" * 10_000_000 + b"</a>", "TOO_LARGE"),
    "schemaLocation": (
        f'<order xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{NAMESPACE} @@LOOPBACK_URL@@"><id>4711</id></order>'.encode(),
        "accept, id=4711",
    ),
    "prefix": (f'<p:order xmlns:p="{NAMESPACE}"><p:id>4711</p:id></p:order>'.encode(), "accept, id=4711"),
    "CDATA": (f'<order xmlns="{NAMESPACE}"><id><![CDATA[47]]>11</id></order>'.encode(), "accept, id=4711"),
    "BOM": (f'\ufeff<order xmlns="{NAMESPACE}"><id>4711</id></order>'.encode(), "accept, id=4711"),
    "UTF-16 with BOM": (f'<order xmlns="{NAMESPACE}"><id>4711</id></order>'.encode("utf-16"), "accept, id=4711"),
    "PI in a value": (f'<order xmlns="{NAMESPACE}"><id>47<?x y?>11</id></order>'.encode(), "accept, id=4711"),
}


@pytest.mark.parametrize("case", sorted(MORE))
def test_X01_X02_an_attack_or_oddity_gets_its_verdict_within_a_second(case: str, watched: Watched) -> None:
    content, wanted = MORE[case]
    start = time.process_time()
    assert verdict(watched.fill(content)) == wanted
    assert (watched.opened(), time.process_time() - start < 1) == ((0, 0), True)


def test_a_refusal_names_at_most_twenty_findings_with_line_and_path() -> None:
    content = f'<order xmlns="{NAMESPACE}">\n{"<x/>" * 30}</order>'.encode()
    with pytest.raises(XmlRefused) as refusal:
        read(content, REGISTRY)
    (first, *_), more = refusal.value.findings, len(refusal.value.findings)
    assert (first.line, more <= 20, "x" in (first.xpath or "")) == (2, True, True)


@given(some.binary(max_size=300))
def test_SEC_IN_04_only_our_own_error_leaves_the_reader(data: bytes) -> None:
    assert verdict(data) in {"NOT_WELL_FORMED", "DTD", "NAMESPACE", "DEPTH"}


@given(some.integers(0, len(order()) - 1), some.binary(min_size=1, max_size=4))
def test_SEC_IN_04_a_damaged_order_is_read_or_refused_with_findings(at: int, damage: bytes) -> None:
    whole = order()
    decoded = decode(whole[:at] + damage + whole[at + len(damage) :], None, None)
    assert decoded.findings or decoded.items


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    opened = await Scene.open(build, tmp_path, settings=Settings, partner_urls={"erp-a": "http://erp-a.example/in"})
    opened.erp = Erp()
    port = opened.service.ports["partner_rest"]
    port.client = httpx.AsyncClient(transport=httpx.MockTransport(opened.erp.answer))  # type: ignore[attr-defined]
    yield opened
    await opened.close()


async def test_J60_the_corpus_over_the_door_is_stored_refused_and_told_to_nobody(
    scene: Scene, watched: Watched
) -> None:
    contents = [watched.fill((CORPUS / name).read_bytes()) for name in sorted(ROWS)]
    async with scene.partner() as client:
        headers = {"Content-Type": "application/xml"}
        answers = [await client.post("/v1/in/erp-a", content=content, headers=headers) for content in contents]
        await scene.works()
        states = {(await client.get(answer.json()["status_url"])).json()["state"] for answer in answers}
    assert ({answer.status_code for answer in answers}, states) == ({202}, {"REFUSED"})
    assert (await scene.told(), watched.opened()) == ([], (0, 0))
    assert sorted(row.content for row in await scene.rows("archive") if row.direction == "in") == sorted(set(contents))
    for table in ("orders", "quarantine", "dossiers", "parked_keys"):
        assert await scene.rows(table) == []


async def test_X02_a_packed_message_that_unpacks_to_too_much_is_put_aside_unread(scene: Scene) -> None:
    bomb = gzip.compress(b"<a>" + b" " * 5_000_000 + b"</a>")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await scene.comes(bomb)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert [row.cause for row in await scene.rows("quarantine")] == ["INFLATION"]
    assert (len(bomb) < 10_000, grown < 64_000) == (True, True)


async def test_X02_a_packed_order_is_read_as_if_it_were_not(scene: Scene) -> None:
    await scene.comes(gzip.compress(order()))
    assert await scene.names() == ["OrderReceived"]
