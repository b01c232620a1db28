"""The local servers hold what the other tests rely on: they start, die and come back with their data."""

import os
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.servers.kafka import kafka_cluster, knows
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


def test_three_kafka_nodes_go_on_without_one_and_take_it_back() -> None:
    with kafka_cluster(nodes=3) as cluster:
        ports = [int(address.rpartition(":")[2]) for _, address, _ in cluster.status()]
        cluster.kill(2)
        assert knows(ports[0], {1, 3})
        cluster.restart(2)
        assert all(knows(port, {1, 2, 3}) for port in ports)
