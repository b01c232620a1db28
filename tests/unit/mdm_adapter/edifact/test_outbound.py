"""What leaves is judged more strictly than what comes; and no message, however made, takes long to judge."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from services.mdm_adapter.dialects.edifact_fv.outbound import own_faults
from tests.unit.mdm_adapter.edifact.letters import (
    MSB,
    NB,
    NOW,
    begin,
    changed,
    iftsta,
    interchange,
    judged,
    master_data,
    parties,
    readings,
    utilmd,
)

OWN = sorted((Path(__file__).resolve().parents[4].parent / "shared" / "samples" / "edifact" / "own").glob("*.edi"))


OTHERS = [line.replace(NB, "9900357000004") for line in iftsta("21027", "Z15+Z13+Z74")]


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.name)
def test_the_own_samples_may_leave(file: Path) -> None:
    assert own_faults(file.read_bytes(), NOW) == []


@pytest.mark.parametrize(
    ("type_", "body", "expected"),
    [
        ("MSCONS", readings(), ["UNB_0026_MISSING"]),
        ("IFTSTA", iftsta("21027", "Z15+Z13"), ["Z29 m1.s8 STS+Z15"]),
        (
            "IFTSTA",
            [line.replace(NB, "9900357000004") for line in iftsta("21027", "Z15+Z13+Z74")],
            ["MPID_CHECK_DIGIT:9900357000004", "UNB_NAD_MISMATCH"],
        ),
        ("UTILMD", utilmd(changed(master_data(), "SEQ+Z20+1", "RFF+Z14:X")), ["Z29 SEQ+Z20", "D-DEV-1 m1.s15 RFF+Z14"]),
        ("UTILMD", utilmd([*master_data(), "SEQ+Z13+1", "CAV+Z30:::X"]), ["Z29 SEQ+Z05", "D-DEV-1 m1.s28 CAV+Z30"]),
    ],
)
def test_E13_what_is_only_a_warning_from_others_is_a_fault_of_ours(
    type_: str, body: list[str], expected: list[str]
) -> None:
    assert own_faults(interchange((type_, body)), NOW) == expected


def test_E13_an_interchange_that_cannot_be_read_never_leaves() -> None:
    assert own_faults(interchange(("MSCONS", readings()))[:-3], NOW) == ["13 UNZ"]


def many(unit: list[str], count: int) -> list[str]:
    return [line for _ in range(count) for line in unit]


def steps(type_: str, body: list[str]) -> int:
    """How many steps of the interpreter it takes to judge a message: the same on every machine."""
    count, before = 0, sys.gettrace()

    def trace(frame: FrameType, _event: str, _arg: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines, count = True, False, count + 1
        return trace

    sys.settrace(trace)
    try:
        judged(type_, body)
    finally:
        sys.settrace(before)
    return count


def periods(count: int) -> list[str]:
    named = range(2, count)
    return utilmd([*master_data(), *(f"RFF+Z49::{i}" for i in named), *(f"SEQ+Z18+{i}" for i in named)])


def heads(count: int) -> list[str]:
    return [*begin("E03+D1"), *parties(), *many(["FTX+ZZZ"], count), *many(["IDE+24+V", "RFF+Z13:55022"], count)]


def wrong_parties(count: int) -> list[str]:
    return [
        *iftsta("21027", "Z15+Z13+Z74"),
        *(f"NAD+MS+{NB}::{i}" for i in range(count)),
        *many([f"NAD+MR+{MSB}"], count),
    ]


WORST: dict[str, tuple[str, Callable[[int], list[str]]]] = {
    "positions": ("MSCONS", lambda count: [*readings(), *many(["LIN+1", "QTY+67:x"], count)]),
    "periods": ("UTILMD", periods),
    "findings": ("UTILMD", lambda count: utilmd([*master_data(), *many(["SEQ+Z18+9", "QTY+1:x"], count)])),
    "heads": ("UTILMD", heads),
    "parties": ("IFTSTA", wrong_parties),
}


@pytest.mark.parametrize("which", WORST)
def test_E05_judging_takes_steps_in_proportion_to_the_size(which: str) -> None:
    type_, make = WORST[which]
    judged(type_, make(1))  # what is made once does not count
    assert steps(type_, make(2_000)) < 8 * 1.5 * steps(type_, make(250))
