"""Logs: known fields only, no values in phrases, no flood."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from kit import logs


class Lines(io.StringIO):
    """What was written, as objects."""

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.all[-1]


@pytest.fixture
def moved() -> list[float]:
    return [0.0]


@pytest.fixture
def lines(moved: list[float]) -> Iterator[Lines]:
    """Logging as a service has it, put back as it was afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    out = Lines()
    logs.configure("info", "json", out, lambda: moved[0])
    yield out
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.rule("SEC-PII-02")
def test_only_known_fields_are_written(lines: Lines) -> None:
    logs.get("kit.relay").info("facts told", count=3, service="case_service", phone="+4915112345678", case_id="c-1")
    assert lines.last.keys() == {"time", "level", "service", "event", "logger", "case_id", "count"}
    assert "+49" not in lines.getvalue()


def test_a_line_tells_when_in_utc_and_from_where(lines: Lines) -> None:
    logs.get("kit.relay").info("facts told")
    assert lines.last["time"].endswith("Z")
    assert len(lines.last["time"]) == len("2026-03-02T08:00:00.000Z")
    assert (lines.last["level"], lines.last["logger"]) == ("info", "kit.relay")


@pytest.mark.rule("SEC-PII-02")
def test_a_stack_tells_places_and_classes_but_no_words_of_the_error(lines: Lines) -> None:
    log = logs.get("kit.http")
    try:
        int("Erika Müller, Hauptstraße 1")
    except ValueError:
        log.exception("defect")
    assert lines.last["error"] == "ValueError"
    assert "test_logs.py:" in lines.last["stack"]
    assert "Müller" not in lines.getvalue()


@pytest.mark.rule("SEC-PII-02")
def test_lines_of_libraries_lose_the_values_that_were_put_into_them(lines: Lines) -> None:
    logging.getLogger("aiokafka").warning("Unable to connect to %s", "Erika Müller")
    assert (lines.last["event"], lines.last["logger"]) == ("Unable to connect to %s", "aiokafka")
    assert "Müller" not in lines.getvalue()


def test_a_repeated_warning_is_written_once_in_ten_seconds_with_the_number_left_out(
    lines: Lines, moved: list[float]
) -> None:
    log = logs.get("kit.kafka")
    for _ in range(100):
        log.warning("the broker is away")
    log.warning("something else")
    assert len(lines.all) == 2
    moved[0] = 10.0
    log.warning("the broker is away")
    assert lines.last["count"] == 99


def test_what_is_below_the_level_is_not_written(lines: Lines) -> None:
    logs.get("kit").debug("batch applied")
    assert lines.getvalue() == ""


def test_fields_of_the_request_at_work_go_along(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(service="case_service", trace_id="abc"):
        logs.get("kit").info("request")
    assert (lines.last["service"], lines.last["trace_id"]) == ("case_service", "abc")


def test_people_get_lines_instead_of_objects() -> None:
    out = io.StringIO()
    logs.configure("info", "console", out)
    logs.get("kit.relay").info("facts told", count=3, phone="+4915112345678")
    structlog.reset_defaults()
    assert "facts told" in out.getvalue()
    assert "count=3" in out.getvalue()
    assert "+49" not in out.getvalue()
