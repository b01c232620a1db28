"""The list of crash points and the calls in the code are the same: a point that nobody passes tests nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

from kit.faults import POINTS

ROOT = Path(__file__).resolve().parents[2]


def passed(code: str) -> Iterator[str]:
    """The points that this code passes: `faults.point("…")`."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "point":
            (name,) = node.args
            yield name.value if isinstance(name, ast.Constant) else ast.unparse(name)


def test_every_listed_point_is_passed_and_every_passed_one_is_listed() -> None:
    files = [file for room in ("kit", "services", "hub") for file in sorted((ROOT / room).rglob("*.py"))]
    found = {name for file in files for name in passed(file.read_text("utf-8"))}
    assert found == set(POINTS)


def test_a_point_by_a_name_that_is_not_written_down_is_found() -> None:
    assert list(passed("faults.point('a.b')\nfaults.point(name)\nother('c')")) == ["a.b", "name"]
