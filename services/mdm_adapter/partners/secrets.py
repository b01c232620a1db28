"""Where the secrets lie that profiles only name: a file each, read whenever it is needed, so that it can be changed."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.mdm_adapter.errors import SecretMissing

MARK = "ref:"


@dataclass(frozen=True)
class Secrets:
    """The files of one folder."""

    folder: Path

    def read(self, reference: str) -> str:
        """The secret of that name. Raises SecretMissing where there is none, or where others can read it."""
        path = self.folder / reference.removeprefix(MARK)
        try:
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SecretMissing(reference, "others can read it")
            return path.read_text("utf-8").strip()
        except OSError:
            raise SecretMissing(reference, "there is no such file") from None

    def read_all(self, references: Iterable[str]) -> list[str]:
        """Secrets of which each is good enough. Raises SecretMissing."""
        return [self.read(each) for each in references]
