"""The tables of `data/`, read once: what changes with a format version is data with the day from which it holds."""

import csv
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@cache
def transliterations() -> dict[str, str]:
    """Characters that ISO 8859-1 has not, and how they are written."""
    return {row["character"]: row["written"] for row in rows("transliterations.csv")}
