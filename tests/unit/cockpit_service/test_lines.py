"""A line of the timeline shows codes, never what is personal."""

import pytest

from contracts.event import Event
from contracts.parts import Personal
from contracts.samples import example
from services.cockpit_service.lines import SHOWN, text_of
from services.cockpit_service.projections import PROJECTIONS


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.__name__)
def test_no_line_shows_a_personal_field(kind: type[Event]) -> None:
    fields = kind.model_fields
    marked = [name for name in SHOWN[kind] if any(isinstance(each, Personal) for each in fields[name].metadata)]
    assert not marked


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.__name__)
def test_every_event_has_a_short_line(kind: type[Event]) -> None:
    text = text_of(example(kind))
    assert text is not None
    assert "None" not in text
    assert len(text) < 200


def test_what_is_folded_is_shown_as_well() -> None:
    assert PROJECTIONS.keys() <= SHOWN.keys()
