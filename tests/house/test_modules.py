"""Every module says in one sentence what it is for."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("contracts", "kit", "services", "simulators", "hub")
LONGEST = 400


def faults(code: str) -> list[str]:
    """What is missing in a module."""
    words = ast.get_docstring(ast.parse(code)) or ""
    first = words.split("\n\n")[0].strip()
    found = [] if first else ["no docstring"]
    return found if not first or first.rstrip("`\"'")[-1] in ".:;!?)" else [*found, "the docstring is no sentence"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_opens_with_a_sentence(room: str) -> None:
    files = [file for file in sorted((ROOT / room).rglob("*.py")) if "versions" not in file.parts]
    found = {str(file.relative_to(ROOT)): faults(file.read_text("utf-8")) for file in files}
    assert ({name: what for name, what in found.items() if what}, bool(files)) == ({}, True)


def test_no_module_is_longer_than_a_person_reads() -> None:
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py") if "versions" not in file.parts]
    long = {str(file.relative_to(ROOT)) for file in files if len(file.read_text("utf-8").splitlines()) > LONGEST}
    assert long == set()


def test_a_module_without_words_is_found() -> None:
    assert [faults("import os"), faults('"""words"""'), faults('"""A sentence."""')] == [
        ["no docstring"],
        ["the docstring is no sentence"],
        [],
    ]
