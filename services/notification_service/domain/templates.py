"""How a text is made from a template: variables only, no logic; what cannot be right is refused before it is used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.parts import Span
from services.notification_service.domain.calendars import Calendar
from services.notification_service.domain.segments import measure
from services.notification_service.errors import MissingVariable, TemplateSyntax, TooLong, UnknownVariable

PREFIX = "{operator_name}: "
"""Stands before each text."""

MOST_SEGMENTS = 3
LAST_RESORT = "en"

ALLOWED = frozenset({"operator_name", "date", "window", "answer_by", "code", "portal_url", "service_phone"})
"""SMS name no person, address, meter or reading (D-DP-4)."""

LETTER_ALLOWED = ALLOWED | {"alternatives", "reply_number"}
"""A letter stands in an envelope: whom it is for stands on it, and it may say more."""

REQUIRED: Mapping[str, frozenset[str]] = {
    "booking_offer": frozenset({"date", "window", "code", "portal_url"}),
    "booking_offer_by_phone": frozenset({"date", "window", "code", "service_phone"}),
    "booking_reminder": frozenset({"date", "window", "code"}),
    "booking_confirmation": frozenset({"date", "window"}),
    "appointment_reminder": frozenset({"date", "window"}),
    "appointment_moved": frozenset({"date", "window", "service_phone"}),
    "appointment_cancelled": frozenset({"date", "window"}),
    "stop_work": frozenset({"date", "window", "service_phone"}),
    "opt_out_closing": frozenset(),
    "booking_letter": frozenset({"date", "window", "code", "alternatives", "service_phone"}),
    "booking_letter_alone": frozenset({"date", "window", "code", "service_phone"}),
    "statutory_37": frozenset({"service_phone"}),
}

SAMPLE: Mapping[str, str] = {
    "operator_name": "Stadtwerke Auental",
    "date": "Mo 14.12.2026",
    "window": "10:00-12:00",
    "answer_by": "Mo 28.12. 12:00",
    "code": "P69-6HK-2HN",
    "service_phone": "00000 123456",
    "reply_number": "+4915700000001",
    "alternatives": "Mo 14.12.2026, 10:00-12:00",
    "portal_url": "https://t.example/r/" + "A" * 22,
}
"""Values that stand for the longest ones in use."""

_VARIABLE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text in one language and version; a notice keeps the version that it was rendered with."""

    key: str
    language: str
    version: int
    body: str

    def render(self, values: Mapping[str, str]) -> str:
        """The text with its values; raises MissingVariable where there is none."""
        if missing := sorted(self.variables - values.keys()):
            raise MissingVariable(self.key, missing)
        return _VARIABLE.sub(lambda found: values[found[1]], self.body)

    @property
    def variables(self) -> frozenset[str]:
        return frozenset(_VARIABLE.findall(self.body))


def checked(
    template: Template, allowed: frozenset[str] = ALLOWED, most_segments: int | None = MOST_SEGMENTS
) -> Template:
    """The template itself, if it may be used; raises what is wrong with it. A letter has no segments."""
    rest = _VARIABLE.sub(lambda found: " " * len(found[0]), template.body)
    if (at := next((at for at, symbol in enumerate(rest) if symbol in "{}"), None)) is not None:
        raise TemplateSyntax(template.key, template.language, at)
    if unknown := sorted(template.variables - allowed):
        raise UnknownVariable(template.key, unknown)
    if missing := sorted(REQUIRED.get(template.key, frozenset()) - template.variables):
        raise MissingVariable(template.key, missing)
    if most_segments is not None and (segments := measure(template.render(SAMPLE)).segments) > most_segments:
        raise TooLong(template.key, template.language, segments)
    return template


class Templates:
    """The active templates of one channel, by key and language: of SMS, or of letters."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]], version: int = 1, *, letters: bool = False) -> None:
        prefix, allowed = ("", LETTER_ALLOWED) if letters else (PREFIX, ALLOWED)
        most_segments = None if letters else MOST_SEGMENTS
        self._by_key = {
            (key, language): checked(Template(key, language, version, prefix + body), allowed, most_segments)
            for key, languages in texts.items()
            for language, body in languages.items()
        }

    def get(self, key: str, *languages: str) -> Template:
        """The template in the first of these languages that it exists in, else in English."""
        for language in (*languages, LAST_RESORT):
            if found := self._by_key.get((key, language)):
                return found
        raise MissingVariable(key, ["text"])


_DAYS: Mapping[str, tuple[str, ...]] = {
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
    "nb": ("ma", "ti", "on", "to", "fr", "lø", "sø"),
    "sv": ("må", "ti", "on", "to", "fr", "lö", "sö"),
    "en": ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"),
}


def day_of(moment: datetime, calendar: Calendar, language: str) -> str:
    """A day as the customer reads it, `Mo 14.12.2026`."""
    local = calendar.local(moment)
    return f"{_weekday(local, language)} {local:%d.%m.%Y}"


def deadline(moment: datetime, calendar: Calendar, language: str) -> str:
    """Day and time until when to answer, `Mo 28.12. 12:00`."""
    local = calendar.local(moment)
    return f"{_weekday(local, language)} {local:%d.%m. %H:%M}"


def window_of(span: Span, calendar: Calendar) -> str:
    """From when to when, `10:00-12:00`."""
    return f"{calendar.local(span.from_):%H:%M}-{calendar.local(span.to):%H:%M}"


def _weekday(local: datetime, language: str) -> str:
    return _DAYS.get(language, _DAYS[LAST_RESORT])[local.weekday()]
