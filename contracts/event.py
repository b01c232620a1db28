"""What every fact of the hub has in common: a type name, a topic, an owner and a key."""

import re
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.ids import text_of

EVENTS: dict[str, type["Event"]] = {}
"""Every event of the hub by its type name; filled as the modules of this package are imported."""


class Part(BaseModel):
    """A value inside an event: frozen, closed against misspelt members, documented for subscribers."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True)


class Event(Part):
    """Something that happened. It has no clock and no id of its own: those are on its envelope."""

    # a process hears a few of the 70 events: what judges one is built when it is first met
    model_config = ConfigDict(defer_build=True)

    ce_type: ClassVar[str]
    topic: ClassVar[str]
    owner: ClassVar[str]
    key_field: ClassVar[str]

    def __init_subclass__(cls, *, topic: str, owner: str, version: int = 1, key: str = "case_id", **rest: Any) -> None:
        super().__init_subclass__(**rest)
        fact = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower().removeprefix(f"{owner}_")
        cls.ce_type, cls.topic, cls.owner, cls.key_field = f"rollout.{owner}.{fact}.v{version}", topic, owner, key
        if EVENTS.setdefault(cls.ce_type, cls).__qualname__ != cls.__qualname__:
            raise TypeError(f"{cls.ce_type} is defined twice")

    def key(self) -> str:
        """Events with one key keep their order on their topic."""
        key = getattr(self, self.key_field)
        return text_of(key) if isinstance(key, UUID) else str(key)

    def to_json(self) -> bytes:
        """The value on the wire: decimals as text, times in UTC, absent where there is nothing."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)

    @classmethod
    def from_json(cls, value: bytes | str) -> Self:
        """Read a value as a subscriber does: members that are new to us are passed over.

        Raises pydantic's ValidationError.
        """
        fact: Self = cls.__pydantic_validator__.validate_json(value, extra="ignore")
        return fact
