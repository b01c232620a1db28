"""One line per happening: a fixed phrase and named fields from a short list, so that nothing personal gets in."""

import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FIELDS = (
    *("time", "level", "service", "event", "logger", "trace_id", "correlation_id", "case_id", "event_id", "type"),
    *("principal", "route", "status", "seconds", "error_code", "error", "count", "topic", "key", "reader", "stack"),
)
"""The only fields that are ever written (SEC-PII-02); whatever else is given is dropped."""
QUIET_SECONDS = 10.0
"""The same warning of the same logger is written at most once in so long, then with the number left out."""
DEEPEST_STACK = 30
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

get = structlog.get_logger
bind = structlog.contextvars.bind_contextvars


def configure(
    level: Literal["debug", "info", "warning", "error"] = "info",
    form: Literal["json", "console"] = "json",
    stream: TextIO | None = None,
    seconds: Callable[[], float] = time.monotonic,
) -> None:
    """Send every line, also those of libraries, one way: JSON objects, or coloured lines for people."""
    out = stream or sys.stdout
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _name,
        Quiet(seconds),
        _stamp,
        _stack,
        _allowed,
        structlog.dev.ConsoleRenderer(colors=out.isatty()) if form == "console" else _json,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=_Lines(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [Foreign()]
    root.setLevel(logging.WARNING)  # what libraries do well is not worth a line
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # uvicorn sets its own handlers up unless told
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"


class Quiet:
    """Lets a repeated warning through once in a while; a broker that is away would write a hundred lines a second."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def __call__(self, _: WrappedLogger, method: str, line: EventDict) -> EventDict:
        if method not in ("warning", "warn"):
            return line
        which, now = (str(line.get("logger", "")), str(line["event"])), self._seconds()
        written, left_out = self._last.get(which, (-QUIET_SECONDS, 0))
        if now - written < QUIET_SECONDS:
            self._last[which] = (written, left_out + 1)
            raise structlog.DropEvent
        self._last[which] = (now, 0)
        if left_out:
            line["count"] = left_out
        return line


class Named(structlog.WriteLogger):
    """A logger that knows its module."""

    def __init__(self, name: str, out: TextIO) -> None:
        super().__init__(out)
        self.name = name


class Foreign(logging.Handler):
    """Lines of libraries: their fixed phrase without the values that they put into it."""

    def emit(self, record: logging.LogRecord) -> None:
        method = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        phrase = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        log = structlog.get_logger().bind(logger=record.name)
        getattr(log, method if method in LEVELS else "info")(phrase, exc_info=record.exc_info or None)


def _name(logger: WrappedLogger, _: str, line: EventDict) -> EventDict:
    line.setdefault("logger", logger.name)
    return line


def _stamp(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line["time"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return line


def _stack(_: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Where an error came from: classes and places only, for its words may hold values."""
    given = line.pop("exc_info", None)
    found = sys.exc_info() if given is True else (type(given), given, getattr(given, "__traceback__", None))
    error, trace = (given[1], given[2]) if isinstance(given, tuple) else found[1:]
    if given and isinstance(error, BaseException):
        line.setdefault("error", type(error).__name__)
        if method in ("error", "exception", "critical"):
            line["stack"] = _places(trace)
    return line


def _places(trace: TracebackType | None) -> str:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{'/'.join(code.co_filename.split('/')[-2:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " > ".join(places[-DEEPEST_STACK:])


def _allowed(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {name: line[name] for name in FIELDS if line.get(name) is not None}


def _json(_: WrappedLogger, __: str, line: MutableMapping[str, Any]) -> str:
    return orjson.dumps(line, default=str).decode()


class _Lines:
    """Makes loggers that know their name and write to one stream."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, *names: str) -> WrappedLogger:
        return Named(names[0] if names else "", self._out)
