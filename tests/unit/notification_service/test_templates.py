"""Texts: the page's segments, what is refused, and how days and windows are said."""

from datetime import UTC, datetime

import pytest

from contracts.parts import Span
from services.notification_service.domain import templates
from services.notification_service.domain.operators import DEFAULT_OPERATORS
from services.notification_service.domain.segments import measure
from services.notification_service.domain.templates import PREFIX, SAMPLE, Template, Templates, checked
from services.notification_service.errors import MissingVariable, TemplateSyntax, TooLong, UnknownVariable
from services.notification_service.texts import TEXTS

LANGUAGES = ("de", "nb", "sv", "en")
AUENTAL = DEFAULT_OPERATORS[0]

# fmt: off
SEGMENTS = [
    ("booking_offer",          (2, 2, 2, 2)),
    ("booking_offer_by_phone", (2, 2, 2, 2)),
    ("booking_reminder",       (2, 1, 1, 2)),
    ("booking_confirmation",   (1, 1, 1, 1)),
    ("appointment_reminder",   (1, 1, 1, 1)),
    ("stop_work",              (1, 1, 1, 1)),
    ("opt_out_closing",        (1, 1, 1, 1)),
]
# fmt: on


@pytest.mark.parametrize(("key", "segments"), SEGMENTS)
def test_a_default_text_takes_as_many_segments_as_the_page_says(key: str, segments: tuple[int, ...]) -> None:
    texts = [Templates(TEXTS).get(key, language) for language in LANGUAGES]
    assert tuple(measure(text.render(SAMPLE)).segments for text in texts) == segments


def test_every_default_text_exists_in_every_language_in_gsm_7() -> None:
    found = {key: tuple(sorted(languages)) for key, languages in TEXTS.items()}
    assert set(found.values()) == {tuple(sorted(LANGUAGES))}
    bodies = [body for languages in TEXTS.values() for body in languages.values()]
    assert {measure(Template("", "", 1, body).render(SAMPLE)).encoding for body in bodies} == {"GSM-7"}


def test_a_missing_language_falls_back_to_the_operators_and_then_to_english() -> None:
    known = Templates({"booking_confirmation": {"nb": "{date} {window}", "en": "on {date} {window}"}})
    assert known.get("booking_confirmation", "fr", "nb").language == "nb"
    assert known.get("booking_confirmation", "fr", "de").language == "en"


@pytest.mark.parametrize(
    ("key", "body", "error"),
    [
        ("booking_confirmation", "{date} {window} {name}", UnknownVariable),
        ("booking_confirmation", "{date}", MissingVariable),
        ("booking_confirmation", "{date} {window", TemplateSyntax),
        ("booking_confirmation", "{date} {window} {date|upper}", TemplateSyntax),
        ("booking_confirmation", "{date} {window}" + "x" * 460, TooLong),
        ("booking_offer", "{date} {window} {portal_url}", MissingVariable),
    ],
)
def test_a_template_that_cannot_be_right_is_refused(key: str, body: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        checked(Template(key, "de", 1, body))


def test_a_syntax_error_names_its_position() -> None:
    with pytest.raises(TemplateSyntax) as refused:
        checked(Template("booking_confirmation", "de", 1, "{date} {window"))
    assert refused.value.position == 7


def test_a_text_without_a_value_is_not_sent() -> None:
    with pytest.raises(MissingVariable):
        Template("booking_confirmation", "de", 1, PREFIX + "{date}").render({"operator_name": "A"})


def test_times_are_said_in_the_operators_zone() -> None:
    start = datetime(2026, 12, 14, 9, tzinfo=UTC)
    window = Span(from_=start, to=datetime(2026, 12, 14, 11, tzinfo=UTC))
    assert templates.day_of(start, AUENTAL.calendar, "de") == "Mo 14.12.2026"
    assert templates.day_of(start, AUENTAL.calendar, "sv") == "må 14.12.2026"
    assert templates.window_of(window, AUENTAL.calendar) == "10:00-12:00"
    assert templates.deadline(datetime(2026, 12, 28, 11, tzinfo=UTC), AUENTAL.calendar, "de") == "Mo 28.12. 12:00"
