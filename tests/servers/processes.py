"""Server processes that outlive the command that started them, each named by a pid file in its own folder."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

STEP = 0.03  # seconds between two looks
_children: dict[int, "subprocess.Popen[bytes]"] = {}


class NotStarted(RuntimeError):
    """A server ended or did not answer in time. The message ends with the last lines of its log."""


def state_folder(name: str) -> Path:
    """Where the command line keeps a cluster of this repository, unless told otherwise.

    Under the folder for temporary files: PostgreSQL runs as another user, who may not enter a home directory.
    """
    repository = sha256(str(Path(__file__).resolve().parents[2]).encode()).hexdigest()[:8]
    return own_folder() / repository / name


def own_folder(root: Path | None = None) -> Path:
    """A folder under the one for temporary files that this user made, and may only be written by this user."""
    folder = (root or Path(tempfile.gettempdir())) / f"rollout-hub-{os.geteuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise NotStarted(f"{folder} belongs to somebody else; set TMPDIR to another folder")
    return folder


@contextmanager
def throwaway(name: str, root: Path | None = None) -> Iterator[Path]:
    """A folder for clusters that live as long as the block: at its end they are killed and the folder is gone."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=own_folder(root)))
    folder.chmod(0o711)
    (folder / "owner").write_text(_name(os.getpid()))
    try:
        yield folder
    finally:
        _clear(folder)


def clear_orphans(root: Path | None = None) -> None:
    """Clear the throwaway folders whose owner was killed before it could."""
    for folder in own_folder(root).iterdir():
        if (folder / "owner").exists() and _named(folder / "owner") is None:
            _clear(folder)


def launch(folder: Path, command: Sequence[str | Path], user: str | None = None) -> int:
    """Start a process in a session of its own and write its pid file; output goes to `log` in the folder."""
    drop = as_user(user)
    with (folder / "log").open("ab") as log:
        child = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **drop
        )
    _children[child.pid] = child  # kept, so that a killed server is reaped and no zombie
    (folder / "pid").write_text(_name(child.pid))
    return child.pid


def as_user(user: str | None) -> dict[str, Any]:
    """Options of subprocess to run a program as another user, in that user's own group only."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def running(folder: Path) -> int | None:
    """The pid that this folder names, if that very process still runs."""
    return _named(folder / "pid")


def end(folder: Path, how: signal.Signals, seconds: float = 20) -> None:
    """Signal the process of this folder and wait; one that does not end in time is killed."""
    pid = running(folder)
    if pid is None:
        return
    os.kill(pid, how)
    if not _until(lambda: running(folder) is None, seconds):
        os.kill(pid, signal.SIGKILL)
        _until(lambda: running(folder) is None, seconds)


def wait_ready(folder: Path, ready: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a started server answers; says why when it does not."""
    if not _until(lambda: ready() or running(folder) is None, seconds) or running(folder) is None:
        raise NotStarted(f"the server of {folder} is not ready:\n{tail(folder)}")


def tail(folder: Path) -> str:
    """The last lines that a server logged."""
    log = folder / "log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else "no log"


def free_ports(count: int) -> list[int]:
    """Free loopback ports below those that the system gives to outgoing connections, so a restart finds them free."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        if port not in found and _is_free(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _clear(folder: Path) -> None:
    for file in folder.rglob("pid"):
        end(file.parent, signal.SIGKILL)
    # Sessions of a killed postmaster may still be writing their last file.
    _until(lambda: _removed(folder), 5)


def _removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _name(pid: int) -> str:
    return f"{pid} {_born(pid)}"


def _named(file: Path) -> int | None:
    """The pid in a pid file, unless that process is gone."""
    try:
        pid, born = file.read_text().split(maxsplit=1)
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if _born(int(pid)) == born else None


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP)
    return True


def _born(pid: int) -> str | None:
    """When a process started: with its pid this names it for good. None if it is gone or a zombie."""
    if child := _children.get(pid):
        child.poll()
    if sys.platform == "linux":
        try:
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if state in "ZX" else fields[18]
    told = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = told.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()
