"""The databases of an installation, opened for one command and closed again."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa

from hub.asking import UNREACHABLE, Failure
from hub.house import SERVICES
from kit.db import Db, database
from kit.settings import Settings


def settings_of(service: str, folder: Path) -> Settings:
    """The settings of one service, on this data directory; wrong ones end the process with exit code 2."""
    kind: type[Settings] = import_module(f"services.{service}.settings").Settings
    return kind.load(data_dir=folder)


@asynccontextmanager
async def opened(
    folder: Path, services: Iterable[str] = SERVICES, *, new: bool = False
) -> AsyncIterator[Mapping[str, Db]]:
    """The databases that are there, by service; with `new` files are made where there are none yet."""
    urls = {service: settings_of(service, folder).database(service) for service in services}
    there = {service: url for service, url in urls.items() if new or _exists(url)}
    if not there:
        raise Failure(UNREACHABLE, f"{folder} holds no database: start the hub once, or name another with --data")
    if new:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anything runs
    made = {service: database(url, pool_size=1) for service, url in there.items()}
    try:
        yield made
    except (OSError, sa.exc.DBAPIError) as error:
        raise Failure(UNREACHABLE, f"a database does not answer or has no tables ({_first(error)})") from error
    finally:
        for db in made.values():
            await db.close()


def _exists(url: str) -> bool:
    path = sa.make_url(url)
    return not path.drivername.startswith("sqlite") or Path(path.database or "").exists()


def _first(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}"
