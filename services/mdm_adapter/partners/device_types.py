"""Market characteristics of device types that the operator adds to those every hub begins with, as rows with a day."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contracts.ids import Code
from services.mdm_adapter.dialects.edifact_fv.device_types import SEEDED_FROM, DeviceTypes


class DeviceTypeRow(BaseModel):
    """What the market must know of a type from a day on; a column that is not named stays as it was before."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    code: Code = Field(examples=["mme_3ph"])
    valid_from: date
    values: dict[str, str] = Field(min_length=1, examples=[{"mounting": "DPA", "tariffs": "ETZ"}])
    """By column of `contracts/device_types.csv`."""


_ROWS = TypeAdapter(tuple[DeviceTypeRow, ...])
LONGEST = 40


@dataclass
class LiveDeviceTypes:
    """The characteristics in force now; what was edited at the desk is taken over without a restart."""

    now: DeviceTypes = field(default_factory=DeviceTypes.seeded)
    own: tuple[DeviceTypeRow, ...] = ()

    def take(self, own: Iterable[DeviceTypeRow]) -> None:
        """Take over what was edited."""
        self.own = tuple(own)
        self.now = DeviceTypes.of((row.valid_from, {"code": row.code, **row.values}) for row in all_rows(self.own))


@cache
def seeded() -> tuple[DeviceTypeRow, ...]:
    """The rows that every hub begins with."""
    text = (files("contracts") / "device_types.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(DeviceTypeRow(code=row.pop("code"), valid_from=SEEDED_FROM, values=dict(row)) for row in rows)


def columns() -> tuple[str, ...]:
    """The characteristics that there are."""
    return tuple(seeded()[0].values)


def all_rows(own: Iterable[DeviceTypeRow]) -> list[DeviceTypeRow]:
    """Seeded and own rows by type and day, each with every column that is known by then."""
    found, before = list[DeviceTypeRow](), dict[str, Mapping[str, str]]()
    for row in sorted((*seeded(), *own), key=lambda each: each.valid_from):
        values = before[row.code] = {**before.get(row.code, {}), **row.values}
        found.append(row.model_copy(update={"values": dict(values)}))
    return sorted(found, key=lambda each: (each.code, each.valid_from))


def faults(rows: Iterable[DeviceTypeRow]) -> list[str]:
    """What is wrong with rows that are to be added."""
    wrong, seen = list[str](), set[tuple[str, date]]()
    for number, row in enumerate(rows, 1):
        for column, value in row.values.items():
            if column not in columns():
                wrong.append(f"row {number}: {column[:LONGEST]}: is none of {', '.join(columns())}")
            elif len(value) > LONGEST or not value.isprintable():
                wrong.append(f"row {number}: {column}: at most {LONGEST} printable characters")
        if row.valid_from < SEEDED_FROM:
            wrong.append(f"row {number}: valid_from: not before {SEEDED_FROM}")
        if (row.code, row.valid_from) in seen:
            wrong.append(f"row {number}: code: stands there twice, for the same day")
        seen.add((row.code, row.valid_from))
    return wrong


def written(rows: Iterable[DeviceTypeRow]) -> str:
    """Rows as the text that is kept."""
    return json.dumps(_ROWS.dump_python(tuple(rows), mode="json"), ensure_ascii=False, sort_keys=True)


def read(text: str) -> tuple[DeviceTypeRow, ...] | None:
    """The rows of a kept text; None where it no longer fits."""
    try:
        return _ROWS.validate_json(text)
    except ValidationError:
        return None
