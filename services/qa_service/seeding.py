"""The forms that a new installation starts with; each is told once."""

from collections.abc import Callable
from importlib.resources import files
from zoneinfo import ZoneInfo

from kit.store import Ref, Unit
from services.qa_service.domain.forms import Form, FormContent, form_id_of

SEEDED = ("meter_exchange_1.json",)


def contents() -> tuple[FormContent, ...]:
    """The forms as they are written down beside this module."""
    folder = files("services.qa_service") / "forms"
    return tuple(FormContent.model_validate_json((folder / name).read_bytes()) for name in SEEDED)


def seed_needs(_: Unit) -> list[Ref]:
    return [(Form, form_id_of(each.form_key, each.form_version)) for each in contents()]


def seeding(zone: str) -> Callable[[Unit], None]:
    """What is done at every start: whatever is there stays as it is."""

    def seed(unit: Unit) -> None:
        today = unit.now.astimezone(ZoneInfo(zone)).date()
        for content in contents():
            if unit.find(Form, form_id_of(content.form_key, content.form_version)) is None:
                unit.add(Form.activate(content, today))

    return seed
