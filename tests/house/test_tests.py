"""A test that cannot fail is a defect: every test function asserts something, by itself or through what it calls."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
RAISES = frozenset({"raises", "fail", "warns"})


def without_assertion(code: str) -> list[str]:
    """Names of test functions in which nothing is asserted."""
    tree = ast.parse(code)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    asserting = {name for name, node in functions.items() if _asserts(node)}
    while more := {name for name, node in functions.items() if set(_called(node)) & asserting} - asserting:
        asserting |= more
    return sorted(name for name in functions if name.startswith("test_") and name not in asserting)


def _asserts(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or bool(RAISES & set(_called(function)))


def _called(function: ast.AST) -> Iterator[str]:
    """What is called, or handed to something that calls it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def test_every_test_asserts_something() -> None:
    files = sorted(TESTS.rglob("test_*.py"))
    found = {str(file.relative_to(TESTS)): without_assertion(file.read_text("utf-8")) for file in files}
    assert {name: tests for name, tests in found.items() if tests} == {}
    assert len(files) > 50


def test_no_test_sleeps_is_skipped_or_expected_to_fail() -> None:
    marks = ("pytest.mark.skip", "pytest.skip(", "pytest.mark.xfail", "pytest.xfail(", "time" + ".sleep(")
    me = Path(__file__)
    found = [
        f"{file.relative_to(TESTS)}: {mark}"
        for file in sorted(TESTS.rglob("test_*.py"))
        if file != me
        for mark in marks
        if mark in file.read_text("utf-8")
    ]
    assert found == []


def test_a_test_without_assertion_is_found() -> None:
    code = "def test_a():\n    x = 1\n\nasync def test_b():\n    assert x\n\n"
    code += "def test_c():\n    with pytest.raises(E):\n        f()\n"
    assert without_assertion(code) == ["test_a"]


def test_an_assertion_in_a_function_of_the_same_module_counts() -> None:
    code = "def holds():\n    assert 1\n\ndef test_a():\n    holds()\n\ndef test_b():\n    elsewhere()\n"
    assert without_assertion(code) == ["test_b"]
