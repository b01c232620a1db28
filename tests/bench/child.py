"""A process that is measured: it takes its arguments as JSON, and says what it measured as one JSON line."""

import asyncio
import json
import os
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from kit import logs

ROOT = Path(__file__).resolve().parents[2]
Measured = dict[str, float]


def main(run: Callable[..., Awaitable[Measured]]) -> None:
    """What a measured module calls when it is a process of its own."""
    logs.configure("error", "json", sys.stderr)
    sys.stdout.write(json.dumps(uvloop.run(run(**json.loads(sys.argv[1])))) + "\n")


def measure(module: str, **arguments: Any) -> Measured:
    """Run a module of this folder as a process and take what it measured."""
    command = [sys.executable, "-m", f"tests.bench.{module}", json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, env=environment())
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def launch(module: str, **arguments: Any) -> "subprocess.Popen[bytes]":
    """Start a module of this folder as a process beside others; what it says goes to our standard error."""
    command = [sys.executable, "-m", f"tests.bench.{module}", json.dumps(arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, env=environment())


def environment() -> dict[str, str]:
    """Ours, without settings of the hub that somebody has for another purpose."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}


def cpu_seconds() -> float:
    """What this process has used so far, in user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def psql(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own, outside of what is measured."""

    async def run() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
