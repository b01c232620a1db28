"""What the market must know of a type of device: its characteristics as codes, with the day from which they hold."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files

SEEDED_FROM = date(2025, 10, 1)


@dataclass(frozen=True, slots=True)
class DeviceTypes:
    """Characteristics by type of device; of two rows of a type the later one counts from its day on."""

    rows: Mapping[str, tuple[tuple[date, Mapping[str, str]], ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Iterable[tuple[date, Mapping[str, str]]]) -> "DeviceTypes":
        """Rows with the day from which each holds; `code` names the type."""
        found: dict[str, list[tuple[date, Mapping[str, str]]]] = {}
        for since, row in rows:
            found.setdefault(row["code"], []).append((since, row))
        return cls({code: tuple(sorted(each, key=lambda one: one[0])) for code, each in found.items()})

    @classmethod
    def seeded(cls) -> "DeviceTypes":
        """The types that every hub begins with."""
        return _seeded()

    def value(self, code: str, column: str, on: date) -> str | None:
        """One characteristic on a day; None: the type or the value is not known."""
        valid = [row for since, row in self.rows.get(code, ()) if since <= on]
        return (valid[-1].get(column) or None) if valid else None


@cache
def _seeded() -> DeviceTypes:
    text = (files("contracts") / "device_types.csv").read_text("utf-8")
    return DeviceTypes.of((SEEDED_FROM, row) for row in csv.DictReader(text.splitlines()))
