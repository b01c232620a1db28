"""The vendor's door over HTTP: send, ask, and for tests the log of every phone."""

import hmac
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulators.sms_gateway.gateway import SmsGateway, Taken
from simulators.sms_gateway.script import Try


class LostConnection(Response):
    """An answer that ends before it began: the server hangs up, the client never learns what became of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def asgi(gateway: SmsGateway) -> Starlette:
    """The door of one gateway."""

    async def send(request: Request) -> Response:
        """`POST /api/sms`: profile seven."""
        if not _knows(gateway, request):
            return JSONResponse({"success": "900"}, 401)
        asked = await request.json()
        met, taken = gateway.send(asked["to"], asked["from"], asked["text"], asked["foreign_id"])
        return _answer(met, taken)

    async def status(request: Request) -> Response:
        """`GET /api/status?foreign_id=`: what became of a text; 404 if it was never taken."""
        if not _knows(gateway, request):
            return JSONResponse({"success": "900"}, 401)
        taken = gateway.taken.get(request.query_params.get("foreign_id", ""))
        if taken is None:
            return JSONResponse({"error": "unknown foreign_id"}, 404)
        return JSONResponse({"id": taken.provider_id, "foreign_id": taken.client_ref, "status": taken.status})

    async def log(_request: Request) -> Response:
        """`GET /log`: every text that was taken, and how often its phone rang."""
        return JSONResponse([_shown(taken) for taken in gateway.taken.values()])

    async def say(request: Request) -> Response:
        """`POST /say {from, text}`: answer as the customer."""
        asked = await request.json()
        gateway.say(asked["from"], asked["text"])
        return JSONResponse({"due": True}, 202)

    routes = [
        Route("/api/sms", send, methods=["POST"]),
        Route("/api/status", status, methods=["GET"]),
        Route("/log", log, methods=["GET"]),
        Route("/say", say, methods=["POST"]),
    ]
    return Starlette(routes=routes)


def _knows(gateway: SmsGateway, request: Request) -> bool:
    return hmac.compare_digest(request.headers.get("x-api-key", "").encode(), gateway.api_key.encode())


def _answer(met: Try, taken: Taken | None) -> Response:
    match met:
        case Try.ACCEPT if taken is not None:
            return JSONResponse({"success": "100", "messages": [{"id": taken.provider_id, "success": True}]})
        case Try.BUSY:
            return JSONResponse({"error": "slow down"}, 429)
        case Try.BROKEN:
            return JSONResponse({"error": "try later"}, 503)
        case Try.LIE:
            return JSONResponse({"error": "oops"}, 500)
        case Try.MUMBLE:
            return JSONResponse({"thanks": "a lot"})
        case Try.REFUSE:
            return JSONResponse({"success": "202", "messages": []})
    return LostConnection()


def _shown(taken: Taken) -> dict[str, Any]:
    return {
        "client_ref": taken.client_ref,
        "to": taken.to,
        "text": taken.text,
        "at": taken.at.isoformat(),
        "rings": taken.rings,
        "status": taken.status,
    }
