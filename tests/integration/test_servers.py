"""The local servers hold what the other tests rely on: they start, die and come back with their data."""

import os
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.servers import install
from tests.servers.postgres import Postgres, postgres_cluster
from tests.servers.processes import NotStarted, throwaway


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def test_a_new_database_is_empty_and_durable(new_database: Callable[[], str]) -> None:
    connection = await asyncpg.connect(plain(new_database()))
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert (tables, await connection.fetchval("SHOW fsync")) == (0, "on")
    finally:
        await connection.close()


async def test_postgres_comes_back_after_a_kill_with_what_was_committed() -> None:
    with postgres_cluster() as server:
        url = plain(server.create_database("kept"))
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
        server.kill()
        connection.terminate()
        server.restart()
        again = await asyncpg.connect(url)
        assert await again.fetchval("SELECT id FROM kept") == 7
        await again.close()


def test_postgres_takes_no_connection_without_the_password() -> None:
    with postgres_cluster() as server:
        (server.folder / "password").write_text("another")
        with pytest.raises(NotStarted, match="password authentication failed"):
            server.create_database("never")


def test_a_second_start_of_a_folder_changes_nothing() -> None:
    with throwaway("postgres") as folder:
        Postgres(folder).start()
        first = Postgres(folder).status()
        Postgres(folder).start()
        assert Postgres(folder).status() == first
        Postgres(folder).stop()


def test_a_stop_ends_only_the_process_that_the_folder_names(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()} 1")  # this pid, but a process of another time
    (tmp_path / "port").write_text("1")
    Postgres(tmp_path).stop()
    assert Postgres(tmp_path).status() == [("postgres", "127.0.0.1:1", None)]


@pytest.mark.parametrize(
    ("program", "package"), [("java", "default-jre-headless"), ("mvn", "maven"), ("postgres", "postgresql")]
)
def test_what_the_machine_lacks_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, program: str, package: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(install.Missing, match=f"It is missing.*apt-get install -y {package}"):
        install._installed(program, "It", lambda: None)


def test_what_an_installation_does_not_bring_is_still_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(install, "_update_package_lists", install._update_package_lists.__wrapped__)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(install.shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(install.subprocess, "run", lambda command, **_: ran.append(command))
    with pytest.raises(install.Missing, match="also after"):
        install._installed("mvn", "Maven", lambda: None)
    assert [command[:2] for command in ran] == [["apt-get", "update"], ["apt-get", "install"]]
