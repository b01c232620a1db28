"""Which column of somebody's files is what: kept with the profile, or given with the file."""

from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from services.mdm_adapter.errors import BadMapping


def _is_date_form(form: str) -> str:
    if not all(mark in form for mark in ("%d", "%m")) or not ("%Y" in form or "%y" in form):
        raise ValueError("a form of dates names %d, %m and %Y")
    return form


class Formats(BaseModel):
    """How the file writes dates and numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    date: Annotated[str, AfterValidator(_is_date_form)] = "%Y-%m-%d"
    decimal: Annotated[str, Field(pattern=r"^[.,]$")] = "."


class ColumnMap(BaseModel):
    """Which column of a file is what; columns that it does not name are left aside."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    columns: dict[str, str] = Field(max_length=200)
    """Name in the file -> name or path of ours."""
    constants: dict[str, str | int | bool] = Field({}, max_length=200)
    """What every row says, unless it says something else."""
    formats: Formats = Formats()
    key: tuple[str, ...] = ()
    """What may stand in a file only once; without it the names of the kind."""


def read_map(text: str) -> ColumnMap:
    """A mapping file (YAML). Raises BadMapping, naming every place."""
    try:
        return ColumnMap.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise BadMapping([f"not YAML: {getattr(error, 'problem', '')}"]) from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise BadMapping([f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found]) from None
