"""PostgreSQL on loopback: its own cluster, owned by an unprivileged user, with a password of its own."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.servers.install import postgres_binaries
from tests.servers.processes import (
    NotStarted,
    as_user,
    end,
    free_ports,
    launch,
    running,
    tail,
    throwaway,
    wait_ready,
)

USER = "hub"

SETTINGS = """listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
max_connections = 200
password_encryption = 'scram-sha-256'
fsync = on
log_min_messages = warning
"""


class Postgres:
    """A cluster in a folder: data, socket, password, log and pid file. `start` and `stop` may be called at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int((self.folder / "port").read_text())

    def url(self, database: str) -> str:
        """The address of one database, for SQLAlchemy on asyncpg."""
        return f"postgresql+asyncpg://{USER}:{quote(self._password())}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make the cluster if there is none, start it if it does not run, and wait until it takes connections."""
        if not (self.folder / "port").exists():
            self._lay_out()
        if running(self.folder) is not None:
            return
        deadline = time.monotonic() + 30
        while True:
            self._forget_the_dead()
            launch(self.folder, [self._program("postgres"), "-D", self.data], self._user())
            try:
                wait_ready(self.folder, self._answers)
            except NotStarted:
                # Processes of a postmaster that was killed a moment ago may still hold the shared memory.
                if "shared memory block" not in tail(self.folder) or time.monotonic() > deadline:
                    raise
            else:
                return

    def stop(self) -> None:
        """Fast shutdown: sessions are cut, what was committed is safe; the data stays."""
        end(self.folder, signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL the postmaster; its sessions end with it."""
        end(self.folder, signal.SIGKILL)

    def restart(self) -> None:
        """Start again after `kill` or `stop`, on the same port."""
        self.start()

    def create_database(self, name: str) -> str:
        """Make an empty database; returns its address."""
        owned = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name]
        self._run([self._program("createdb"), *owned], PGPASSWORD=self._password())
        return self.url(name)

    def status(self) -> list[tuple[str, str, int | None]]:
        """Name, address and pid (None: it does not run)."""
        if not (self.folder / "port").exists():
            return []
        return [("postgres", f"127.0.0.1:{self.port}", running(self.folder))]

    def _lay_out(self) -> None:
        sockets, user = self.folder / "socket", self._user()
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.data, sockets):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            if user:
                shutil.chown(folder, user)
        self._make(user)
        (port,) = free_ports(1)
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(SETTINGS.format(port=port, sockets=sockets))
        (self.folder / "port").write_text(str(port))

    def _make(self, user: str | None) -> None:
        """Run initdb with a fresh password, which only the cluster's user may read."""
        password = self.folder / "password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        options = ["-U", USER, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C", "--no-instructions"]
        if user:
            shutil.chown(password, user)
        self._run([self._program("initdb"), "-D", self.data, *options, f"--pwfile={password}"], user=user)

    def _run(self, command: Sequence[str | Path], user: str | None = None, **environment: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "LC_ALL": "C", **environment},
            capture_output=True,
            text=True,
            check=False,
            **as_user(user),
        )
        if done.returncode:
            raise NotStarted(f"{Path(command[0]).name} failed: {done.stderr.strip()}")

    def _answers(self) -> bool:
        asked: list[str | Path] = [
            self._program("pg_isready"),
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-t",
            "2",
        ]
        return subprocess.run(asked, check=False).returncode == 0

    def _forget_the_dead(self) -> None:
        """Free the locks of a postmaster that is gone or a zombie; PostgreSQL itself takes a zombie for alive.

        Its data lock gets our pid, which PostgreSQL takes for stale because we are the parent; so it still looks
        whether the shared memory that the lock names is in use.
        """
        lock = self.data / "postmaster.pid"
        if lock.exists():
            lock.write_text("\n".join([str(os.getpid()), *lock.read_text().splitlines()[1:], ""]))
        for file in (self.folder / "socket").glob(".s.PGSQL.*"):
            file.unlink()

    def _password(self) -> str:
        return (self.folder / "password").read_text()

    def _program(self, name: str) -> Path:
        return postgres_binaries() / name

    @staticmethod
    def _user() -> str | None:
        """PostgreSQL refuses to run as root: then its own user does, or nobody."""
        if os.geteuid() != 0:
            return None
        return next(user for user in ("postgres", "nobody") if user in {entry.pw_name for entry in pwd.getpwall()})


@contextmanager
def postgres_cluster() -> Iterator[Postgres]:
    """A cluster that lives as long as the block, and nothing of it stays."""
    with throwaway("postgres") as folder:
        cluster = Postgres(folder)
        cluster.start()
        yield cluster
        cluster.stop()
