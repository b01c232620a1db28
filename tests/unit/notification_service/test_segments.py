"""Segments of an SMS: the page's vectors."""

import pytest

from services.notification_service.domain.segments import measure

# fmt: off
VECTORS = [
    ("",                                "GSM-7",   0, 0),
    ("a" * 160,                         "GSM-7", 160, 1),
    ("a" * 161,                         "GSM-7", 161, 2),
    ("a" * 306,                         "GSM-7", 306, 2),
    ("a" * 307,                         "GSM-7", 307, 3),
    ("a" * 158 + "€",                   "GSM-7", 160, 1),
    ("a" * 159 + "€",                   "GSM-7", 161, 2),
    ("a" * 152 + "€" + "a" * 151,       "GSM-7", 305, 2),
    ("a" * 152 + "€" + "a" * 152,       "GSM-7", 306, 3),
    ("æøåäöüß",                         "GSM-7",   7, 1),
    ("–",                               "UCS-2",   1, 1),
    ("č",                               "UCS-2",   1, 1),
    ("á",                               "UCS-2",   1, 1),
    ("`",                               "UCS-2",   1, 1),
    ("ж" * 70,                          "UCS-2",  70, 1),
    ("ж" * 71,                          "UCS-2",  71, 2),
    ("ж" * 134,                         "UCS-2", 134, 2),
    ("ж" * 135,                         "UCS-2", 135, 3),
    ("😀" * 35,                         "UCS-2",  70, 1),
    ("😀" * 36,                         "UCS-2",  72, 2),
    ("ж" * 66 + "😀" + "ж" * 65,        "UCS-2", 133, 2),
    ("ж" * 66 + "😀" + "ж" * 66,        "UCS-2", 134, 3),
    ("Ç",                               "GSM-7",   1, 1),
    ("ç",                               "UCS-2",   1, 1),
    ("^{}\\[~]|€\f",                    "GSM-7",  20, 1),
]
# fmt: on


@pytest.mark.parametrize(("text", "encoding", "units", "segments"), VECTORS)
def test_a_text_is_measured_as_the_network_does(text: str, encoding: str, units: int, segments: int) -> None:
    assert measure(text) == (encoding, units, segments)
