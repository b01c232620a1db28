"""`python -m simulators.sms_gateway`: the vendor as a process of its own, with drawn customers."""

import argparse
import asyncio
from pathlib import Path

import uvicorn

from kit.clock import clock_of
from simulators.sms_gateway.app import asgi
from simulators.sms_gateway.gateway import SmsGateway
from simulators.sms_gateway.script import Script, Shares

LOOK_SECONDS = 0.2


async def serve(gateway: SmsGateway, port: int) -> None:
    """Answer requests and make calls as they fall due, until stopped."""
    server = uvicorn.Server(uvicorn.Config(asgi(gateway), host="127.0.0.1", port=port, log_level="critical"))
    calling = asyncio.create_task(_call(gateway))
    try:
        await server.serve()
    finally:
        calling.cancel()
        await gateway.close()


async def _call(gateway: SmsGateway) -> None:
    while True:
        await gateway.act(gateway.clock.now())
        await gateway.clock.wait_until(gateway.next_due(), LOOK_SECONDS)


def main() -> None:
    """Options instead of settings: this is no part of the hub."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=8090)
    options.add_argument("--callback-url", default="http://127.0.0.1:8080/api/notification/v1/sms/seven/in")
    options.add_argument("--api-key", default="sim-api-key")
    options.add_argument("--signing-key", default="sim-signing-key")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--clock", type=Path, help="file with the instant that is now")
    given = options.parse_args()
    gateway = SmsGateway(
        clock_of(given.clock),
        Script(given.seed, Shares()),
        callback_url=given.callback_url,
        api_key=given.api_key,
        signing_key=given.signing_key,
    )
    asyncio.run(serve(gateway, given.port))


if __name__ == "__main__":
    main()
