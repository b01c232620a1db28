"""An ERP that keeps what it is sent and answers by script; it reads XML with a few lines of its own."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from lxml import etree

M = "http://iec.ch/TC57/2011/schema/message"


def text(message: bytes, path: str) -> str:
    """The first text on a path of local names."""
    return etree.fromstring(message).findtext("/".join(f"{{*}}{step}" for step in path.split("/"))) or ""


def reply(to: str, result: str = "OK", code: str = "0.0", *, order: str | None = None, message_id: str = "") -> bytes:
    """A ResponseMessage of ERP A; with `order` its error names that order."""
    named = f'<m:ID kind="name">{order}</m:ID>' if order else ""
    level = "INFORM" if result == "OK" else "FATAL"
    return (
        f'<m:ResponseMessage xmlns:m="{M}"><m:Header><m:Verb>reply</m:Verb><m:Noun>ServiceOrders</m:Noun>'
        f"<m:Timestamp>2026-03-02T08:00:00Z</m:Timestamp><m:Source>ERP-A</m:Source>"
        f"<m:MessageID>{message_id or f'R-{to}'}</m:MessageID><m:CorrelationID>{to}</m:CorrelationID></m:Header>"
        f"<m:Reply><m:Result>{result}</m:Result><m:Error><m:code>{code}</m:code><m:level>{level}</m:level>"
        f"<m:reason>a text of the partner</m:reason>{named}</m:Error></m:Reply></m:ResponseMessage>"
    ).encode()


def fault(code: str) -> bytes:
    """A FaultMessage: it names nothing that it answers."""
    return (
        f'<m:FaultMessage xmlns:m="{M}"><m:Reply><m:Result>FAILED</m:Result>'
        f"<m:Error><m:code>{code}</m:code></m:Error></m:Reply></m:FaultMessage>"
    ).encode()


Script = Callable[[bytes], httpx.Response]


def accepts(message: bytes) -> httpx.Response:
    """OK 0.0 in the body of the 200, to whatever expects an answer."""
    if b"ResponseMessage" in message:
        return httpx.Response(200)
    return httpx.Response(200, content=reply(text(message, "Header/CorrelationID")))


@dataclass
class Erp:
    """The other end of erp-a."""

    script: Script = accepts
    got: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Keep what came, answer by script."""
        content = await request.aread()
        self.got.append(content)
        self.keys.append(request.headers["idempotency-key"])
        return self.script(content)

    def replies(self) -> list[tuple[str, list[str]]]:
        """Result and codes of every ResponseMessage that came."""
        found = [message for message in self.got if b"ResponseMessage" in message]
        return [(text(each, "Reply/Result"), re.findall(r"<m:code>([^<]+)", each.decode())) for each in found]

    def reports(self) -> list[bytes]:
        """Everything that is no answer."""
        return [message for message in self.got if b"ResponseMessage" not in message]
