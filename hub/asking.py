"""The command line as a client of running services: where they are, who we are, and what their refusals mean for us."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

DONE, NO, WRONG, PARTLY, UNREACHABLE, NOT_ALLOWED = 0, 1, 2, 3, 4, 5
"""Exit codes (operations page, section 7); 70 is a defect, 130 an interruption."""
SHORT_NAMES = ("case", "booking", "asset", "qa", "notification", "mdm", "cockpit")
SECONDS = 30.0

Url = Annotated[
    str | None, typer.Option("--url", help="Where the hub is; default HUB_URL, else hub.address in --data.")
]
TokenFile = Annotated[Path | None, typer.Option("--token-file", help="File with a token; default hub.token in --data.")]
Data = Annotated[Path | None, typer.Option("--data", help="Data directory; default HUB_DATA_DIR, else ./data.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for the audit.")]


class Failure(Exception):
    """A command cannot do what it was asked for: what is wrong, what to do about it, and the exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def data_dir(given: Path | None) -> Path:
    """The data directory that a command works on."""
    return given or Path(os.environ.get("HUB_DATA_DIR", "data"))


def say(words: str) -> None:
    """A message for people, on standard error."""
    sys.stderr.write(f"{words}\n")


def show(value: Any, as_json: bool, *columns: str) -> None:
    """A result, on standard output: JSON, or one line per row with these columns."""
    if as_json or not isinstance(value, list) or not columns:
        sys.stdout.write(f"{json.dumps(value, indent=None if as_json else 1, ensure_ascii=False, default=str)}\n")
        return
    for row in value:
        sys.stdout.write("  ".join(str(row.get(name, "")) for name in columns) + "\n")


class Services:
    """The running services, as one person or key."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    @classmethod
    def found(cls, url: str | None, token_file: Path | None, data: Path | None) -> "Services":
        """By options, else by the environment, else by the files that a running hub leaves in its data directory."""
        folder = data_dir(data)
        address = url or os.environ.get("HUB_URL") or _content(folder / "hub.address")
        if not address:
            raise Failure(UNREACHABLE, f"no hub runs on {folder}: start one with `hub up`, or name it with --url")
        file = token_file or (Path(named) if (named := os.environ.get("HUB_TOKEN_FILE")) else folder / "hub.token")
        token = (os.environ.get("HUB_TOKEN") if token_file is None else None) or _content(file)
        if not token:
            raise Failure(NOT_ALLOWED, f"no token in {file}: name one with --token-file or HUB_TOKEN")
        return cls(address, token)

    def at(self, service: str, path: str) -> str:
        """The address of a path of a service; HUB_URL may hold `{service}` where each has an address of its own."""
        if "{service}" in self.url:
            return self.url.replace("{service}", service) + path
        return f"{self.url}/api/{service}{path}"

    def get(self, service: str, path: str, **query: Any) -> Any:
        """Ask; what is None is not asked for."""
        return self._call("GET", service, path, params={name: v for name, v in query.items() if v is not None})

    def page(self, service: str, path: str) -> str:
        """Ask for what people read instead of JSON."""
        return str(self._call("GET", service, path, headers={"Accept": "text/html"}))

    def content(self, service: str, path: str) -> bytes:
        """Ask for bytes."""
        found = self._answer("GET", service, path)
        return bytes(found.content)

    def post(self, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """Have something done."""
        return self._call("POST", service, path, json=dict(body))

    def send(self, service: str, path: str, content: bytes, media_type: str) -> Any:
        """Hand a file in."""
        return self._call("POST", service, path, content=content, headers={"Content-Type": media_type})

    def _call(self, method: str, service: str, path: str, headers: Mapping[str, str] | None = None, **how: Any) -> Any:
        answer = self._answer(method, service, path, headers, **how)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.json() if is_json else answer.text

    def _answer(
        self, method: str, service: str, path: str, headers: Mapping[str, str] | None = None, **how: Any
    ) -> Any:
        import httpx

        own = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        try:
            answer = httpx.request(method, self.at(service, path), headers=own, timeout=SECONDS, **how)
        except httpx.TransportError as error:
            words = f"{self.url} does not answer ({type(error).__name__}): is the hub running? `hub up` starts it"
            raise Failure(UNREACHABLE, words) from None
        if answer.is_success:
            return answer
        raise Failure(exit_code(answer.status_code), _problem(answer.status_code, answer.text))


def exit_code(status: int) -> int:
    """What an HTTP status means for the shell."""
    if status in (401, 403):
        return NOT_ALLOWED
    return UNREACHABLE if status in (502, 503, 504) else 70 if status >= 500 else NO


def _problem(status: int, text: str) -> str:
    """The words of a problem with what it names beside them."""
    try:
        said = json.loads(text)
    except ValueError:
        return f"{status}: {text[:200]}"
    frame = ("type", "title", "status", "code", "detail", "instance", "request_id")
    rest = {name: value for name, value in said.items() if name not in frame and value}
    words = f"{said.get('code', status)}: {said.get('detail', '')}"
    return f"{words} {json.dumps(rest, ensure_ascii=False)}" if rest else words


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
