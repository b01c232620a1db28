"""Bad JSON: the verdicts of the manifest, and all of JSONTestSuite, at the door of a service."""

import csv
import tarfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from kit.auth import Principal, needs
from kit.http import web
from kit.jsons import Unreadable, read
from tests.services.kit.probe import Probe, probing

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/badinput"
MANIFEST = (SAMPLES / "MANIFEST.csv").read_text("utf-8").splitlines()
ROWS = [row for row in csv.DictReader(MANIFEST) if row["file"].startswith("json/")]
SUITE = "third_party/JSONTestSuite-test_parsing.tar.gz"
REFUSED_FOR_GOOD = {
    "y_object_duplicated_key.json": "json/duplicate-member",
    "y_object_duplicated_key_and_value.json": "json/duplicate-member",
    "y_object_escaped_null_in_key.json": "json/text",
    "y_string_null_escape.json": "json/text",
}
"""What the suite calls JSON, and means two things or cannot be kept."""


class Strict(BaseModel):
    """What the manifest's bodies are read as: every member that a sample rightly has."""

    a: int = 0
    n: int = 0
    f: float = 0.0
    s: str = ""
    id: int = 0


router = APIRouter()


@router.post("/v1/strict")
async def take(body: Strict, _: Annotated[Principal, Depends(needs("case:comment"))]) -> Strict:
    """Give back what was understood."""
    return body


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with probing(tmp_path) as probe:
        strict = Probe(probe.settings, probe.store, probe.signer, probe.clock, router=router)
        strict.app = web(strict)
        async with strict.client() as found:
            yield found


def suite() -> Iterator[tuple[str, bytes]]:
    with tarfile.open(SAMPLES / SUITE) as archive:
        for member in archive:
            if member.name.endswith(".json") and (file := archive.extractfile(member)) is not None:
                yield Path(member.name).name, file.read()


async def post(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.post("/v1/strict", content=content, headers={"Content-Type": "application/json"})


@pytest.mark.rule("SEC-IN-01")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
async def test_the_manifests_json_gets_its_verdict(client: httpx.AsyncClient, row: dict[str, str]) -> None:
    content = (SAMPLES / row["file"]).read_bytes()
    began = time.process_time()
    answer = await post(client, content)
    problem = answer.json()
    assert (str(answer.status_code), problem["code"]) == (row["expected_verdict"], "invalid-body")
    assert problem["errors"][0]["code"] == row["expected_error_code"]
    assert {"pointer", "line"} & problem["errors"][0].keys()
    assert time.process_time() - began < 1 + len(content) / 1_000_000  # what grows with the square takes minutes


def test_the_manifest_and_the_folder_name_the_same_files() -> None:
    assert {row["file"] for row in ROWS} == {f"json/{path.name}" for path in (SAMPLES / "json").iterdir()}


@pytest.mark.rule("SEC-IN-01")
@pytest.mark.rule("SEC-IN-04")
async def test_all_318_files_of_the_suite_are_read_or_refused_as_the_manifest_says(client: httpx.AsyncClient) -> None:
    wrong, counts = [], {"y": 0, "n": 0, "i": 0}
    for name, content in suite():
        counts[name[0]] += 1
        verdict, code = 0, ""
        try:
            read(content)
        except Unreadable as error:
            verdict, code = error.status, error.errors[0].code
        answer = await post(client, content)
        if name[0] == "y":
            right = code == REFUSED_FOR_GOOD.get(name, "")
        elif name[0] == "n":
            right = verdict == 400
        else:
            right = verdict in (0, 400, 422)
        if not right or not 200 <= answer.status_code < 500 or (verdict and answer.status_code != verdict):
            wrong.append((name, verdict, code, answer.status_code))
    assert wrong == []
    assert counts == {"y": 95, "n": 188, "i": 35}


async def test_what_fits_is_taken(client: httpx.AsyncClient) -> None:
    assert (await post(client, b'{"n": 1, "s": "\\ud83d\\ude00"}')).json()["s"] == "😀"
