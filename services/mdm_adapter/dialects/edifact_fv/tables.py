"""The tables of `data/`, read once: what changes with a format version is data with the day from which it holds."""

import csv
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data"


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of one CSV table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file, delimiter=";"))


@lru_cache(256)
def rows_at(name: str, on: date) -> tuple[dict[str, str], ...]:
    """The rows of one CSV table that hold on a day: `valid_from`, and `valid_to` where there is one, both inclusive."""
    day = on.isoformat()
    return tuple(row for row in rows(name) if row["valid_from"] <= day <= (row.get("valid_to") or "9999"))


@cache
def tree(name: str) -> dict[str, Any]:
    """One YAML table."""
    found: dict[str, Any] = yaml.safe_load((DATA / name).read_text("utf-8"))
    return found


@cache
def transliterations() -> dict[str, str]:
    """Characters that ISO 8859-1 has not, and how they are written."""
    return {row["character"]: row["written"] for row in rows("transliterations.csv")}
