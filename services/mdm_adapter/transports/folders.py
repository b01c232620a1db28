"""What file transfer needs of a folder: whole files, free names, and who of several processes works in it."""

import fcntl
import os
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

CONTROL = ".ctl"
"""What the name of a control file has behind that of its file."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it: temporary name, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_plain(path: Path, most: int) -> bytes | None:
    """The bytes of a plain file; None: more than so many. Raises OSError for a link that has taken its place."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path.name} is no plain file")
        return None if status.st_size > most else file.read()


def free_name(folder: Path, name: str) -> Path:
    """A name in a folder; one that is taken gets a number."""
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{name}.{number}"
    return target


def control_of(path: Path) -> Path:
    """Where the control file of a file lies."""
    return path.with_name(f"{path.name}{CONTROL}")


class Instances:
    """The processes that work on the same folders: each holds a lock under its name, and loses it by ending."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, wanted: str) -> str:
        """Be known under this name until the process ends; where another one has it, with a number behind it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            name = wanted if number == 1 else f"{wanted}-{number}"
            lock = self._lock(name)
            if lock is not None:
                weakref.finalize(self, os.close, lock)
                return name
        raise AssertionError  # numbers do not end

    @contextmanager
    def ended(self, name: str) -> Iterator[bool]:
        """Whether nobody goes by this name any more; as long as it is asked, nobody begins to."""
        lock = self._lock(name)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                os.close(lock)

    def _lock(self, name: str) -> int | None:
        file = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file
