"""Every EDIFACT file of the bad-input corpus gets the verdict of its manifest."""

import gzip
import resource
import time
from datetime import datetime
from pathlib import Path

import pytest

from services.mdm_adapter.dialects.edifact_fv.checking import Checked, Content, check
from services.mdm_adapter.dialects.edifact_fv.envelope import read
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.partners.profile import Profile

FILES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "badinput" / "edifact"
US, PARTNER = "9900000000002", "9900000000001"
PROFILE = Profile.model_validate(
    {
        "id": "partner",
        "name": "Partner",
        "role": "NB",
        "identity": [{"scheme": "bdew", "value": PARTNER}],
        "dialects": [{"dialect": "json_ce"}],
        "transports": {"in": [{"kind": "rest"}], "out": [{"kind": "rest"}]},
        "defaults": {"operator": "nord"},
    }
)
# fmt: off
CORE = {  # what syntax and envelope make of it: code, position, whether nobody is answered
    "una_short.edi":             ("22", "UNA.e1",     True),
    "unt_count_wrong.edi":       ("29", "m1.s4.e2",   False),
    "unt_ref_mismatch.edi":      ("28", "m1.s4.e3",   False),
    "unz_missing_truncated.edi": ("13", "UNZ",        False),
    "no_unh.edi":                ("33", "BGM.e1",     True),
    "two_interchanges.edi":      ("MULTIPLE_INTERCHANGES", "UNB", True),
    "control_chars.edi":         ("21", "m1.s2.e5.c1", False),
    "empty.edi":                 ("NOT_EDIFACT", "UNB", True),
    "huge_element.edi.gz":       ("TOO_LARGE", "UNB", True),
}
MARKET_RULES = {
    "wrong_recipient.edi":               ("7",  "UNB.e4",   Content.QUARANTINE),
    "unknown_sender.edi":                ("23", "UNB.e3",   Content.QUARANTINE),
    "message_type_not_in_directory.edi": ("14", "m1.s1.e3", Content.SYNTAX),
}
GOOD = ("valid.edi", "una_custom.edi", "newlines.edi", "release_escapes.edi", "charset_unoc_but_utf8.edi",
        "duplicate_interchange_ref.edi", "same_ref_other_content.edi")
# fmt: on


def content_of(name: str) -> bytes:
    data = (FILES / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def checked(name: str) -> Checked:
    return check(content_of(name), datetime(2026, 11, 21, 13, tzinfo=MARKET), PROFILE, own={US})


def test_every_file_of_the_corpus_is_asked_for() -> None:
    assert {path.name for path in FILES.iterdir()} == {*CORE, *MARKET_RULES, *GOOD}


@pytest.mark.parametrize("name", CORE)
def test_E04_a_broken_envelope_is_refused_with_code_and_place(name: str) -> None:
    found = checked(name)
    assert found.core is not None
    assert (found.core.code, found.core.position, found.is_quarantined) == CORE[name]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_envelope_is_read(name: str) -> None:
    found = checked(name)
    assert (found.core, found.messages) == (None, 1)


def test_E03_the_character_set_is_seen_and_no_character_is_lost() -> None:
    (message,) = read(content_of("charset_unoc_but_utf8.edi")).whole().messages
    assert (message.segments[1].at(5), checked("charset_unoc_but_utf8.edi").warnings[-1]) == (
        "Müller",
        "UTF8_UNDER_UNOC",
    )


def test_E03_released_characters_stand_for_themselves() -> None:
    (message,) = read(content_of("release_escapes.edi")).whole().messages
    assert message.segments[1].at(5) == "a'b+c:d?e"


def test_E03_other_service_characters_and_line_ends_change_no_value() -> None:
    plain = read(content_of("valid.edi")).whole()
    assert read(content_of("newlines.edi")).whole() == plain
    (message,) = read(content_of("una_custom.edi")).whole().messages
    assert message.segments[1].elements == (("7",), ("X",))


@pytest.mark.parametrize("name", MARKET_RULES)
def test_E04_what_the_market_does_not_take_is_refused_or_put_aside_without_an_answer(name: str) -> None:
    found = checked(name)
    (finding,) = found.findings
    assert (finding.code, finding.position, found.content) == MARKET_RULES[name]
    assert found.is_quarantined == (found.content is Content.QUARANTINE)


def test_a_huge_segment_is_put_aside_at_once_and_in_little_memory() -> None:
    data, began = content_of("huge_element.edi.gz"), time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = check(data, datetime(2026, 11, 21, 13, tzinfo=MARKET))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (found.core and found.core.code, time.monotonic() - began < 1, grown < 100 * 1024) == (
        "TOO_LARGE",
        True,
        True,
    )
