"""The OpenAPI document of a service, from its routes; nothing is opened that stays."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hub.house import build
from kit.http import web


def described(service: str) -> dict[str, Any]:
    """Paths, bodies and answers of one service."""
    with TemporaryDirectory() as folder:
        made = build(service, {"data_dir": Path(folder)})
        document: dict[str, Any] = web(made, authenticate=made.authenticate).openapi()
    return document
