"""The rules of who may import whom hold, and each of them bites: one forbidden import is planted per rule."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contracts", "kit", "services", "simulators", "hub")
ARROWS = "contracts <- kit <- services | simulators <- hub"
APART = "services never import each other"
DOMAINS = "domains do no input or output"
KAFKA = "only kit.kafka imports FastStream and aiokafka"
ROOMS = "inside a service: app > api | handlers > store > tables > domain > errors"

PLANTED = [
    (ARROWS, "contracts/topics.py", "import kit.bus"),
    (ARROWS, "kit/bus.py", "import services.case_service.errors"),
    (ARROWS, "kit/bus.py", "import simulators"),
    (ARROWS, "services/case_service/errors.py", "import simulators"),
    (ARROWS, "simulators/__init__.py", "import services.case_service.errors"),
    (ARROWS, "services/case_service/errors.py", "import hub"),
    (APART, "services/asset_service/handlers.py", "import services.case_service.errors"),
    (DOMAINS, "services/case_service/domain/case.py", "import sqlalchemy"),
    (DOMAINS, "services/booking_service/domain/__init__.py", "from asyncio import sleep"),
    (DOMAINS, "services/qa_service/domain/__init__.py", "import kit.db"),
    (KAFKA, "kit/relay.py", "from aiokafka import AIOKafkaProducer"),
    (KAFKA, "services/mdm_adapter/app.py", "import faststream.kafka"),
    (ROOMS, "services/case_service/errors.py", "import services.case_service.domain"),
    (ROOMS, "services/case_service/domain/case.py", "import services.case_service.tables"),
    (ROOMS, "services/case_service/tables.py", "import services.case_service.store"),
    (ROOMS, "services/case_service/store.py", "import services.case_service.handlers"),
    (ROOMS, "services/case_service/handlers.py", "import services.case_service.api"),
    (ROOMS, "services/case_service/api/__init__.py", "import services.case_service.app"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and its rules."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / ".importlinter", copy)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "schemas", "examples")
        )
    return copy


def verdicts(tree: Path) -> dict[str, str]:
    """What import-linter says of each contract: KEPT or BROKEN."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    plain = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(tree), "COLUMNS": "200"}
    done = subprocess.run([*command, "--no-cache"], cwd=tree, env=plain, capture_output=True, text=True, check=False)
    said = dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))
    assert said, done.stdout + done.stderr
    return said


@contextmanager
def planted(file: Path, line: str) -> Iterator[None]:
    was = file.read_text()
    file.write_text(f"{was}\n{line}\n")
    try:
        yield
    finally:
        file.write_text(was)


def test_every_import_of_the_tree_is_allowed() -> None:
    assert verdicts(ROOT) == dict.fromkeys((ARROWS, APART, DOMAINS, KAFKA, ROOMS), "KEPT")


@pytest.mark.parametrize(("rule", "file", "line"), PLANTED, ids=[f"{file}: {line}" for _, file, line in PLANTED])
def test_a_forbidden_import_breaks_its_rule(tree: Path, rule: str, file: str, line: str) -> None:
    with planted(tree / file, line):
        assert verdicts(tree)[rule] == "BROKEN"
