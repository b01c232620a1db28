"""When something is asked for: comparisons of facts, all of which must hold; the language of the notice rules."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from contracts.parts import Condition

MISSING = object()


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Numbers have an order; whatever cannot be compared does not hold."""
    return lambda found, wanted: isinstance(found, int) and isinstance(wanted, int) and compare(found, wanted)


OPERATIONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "eq": lambda found, wanted: found is not MISSING and found == wanted,
        "ne": lambda found, wanted: found is MISSING or found != wanted,
        "in": lambda found, wanted: isinstance(wanted, tuple) and found in wanted,
        "exists": lambda found, wanted: (found is not MISSING) is (wanted is not False),
        "gte": _ordered(lambda found, wanted: found >= wanted),
        "lt": _ordered(lambda found, wanted: found < wanted),
    }
)


def hold(conditions: Sequence[Condition] | None, facts: Mapping[str, Any]) -> bool:
    """Whether all of them hold; none at all always do."""
    return all(OPERATIONS[each.op](facts.get(each.field, MISSING), each.value) for each in conditions or ())
