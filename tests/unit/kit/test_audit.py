"""The canonical text and the links of the chain, by the vector of the security page, section 13."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest

from kit.anchors import day_at
from kit.audit import Entry, canonical, genesis, shard_of, text_of

CASE = "0197f000-0000-7000-8000-000000000001"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPENED = Entry("case:open", f"case/{CASE}", "key:4f7q2m6xk3ab", "c-1", NOON, {"order": "4711", "move": None})
PLANNED = Entry(
    "work_order:plan",
    f"work_order/{CASE}/1",
    "person:local:anna",
    "c-2",
    NOON + timedelta(seconds=1),
    {"from": "OPEN", "move": "T01", "to": "PLANNING"},
)
BEGIN = "dac82ff3a5260660e4d4978654615e84d70657ad3bbc00c006cbb86d2384499f"
LINKS = [
    "fab1e97e313b0a5e2585fb88591b808ab14dcd07fc039509e9fc107a02f430da",
    "6647140db0cc70b09e068e6df2faaaa1aec32d3bd5a307125d00d876e478e954",
]


def text(seq: int, entry: Entry) -> bytes:
    return canonical("case_service", 42, seq, entry, text_of(entry.details))


def test_a_case_and_all_that_is_in_it_stand_in_one_shard() -> None:
    assert (shard_of(OPENED.subject), shard_of(PLANNED.subject)) == (42, 42)


def test_the_canonical_text_is_the_one_of_the_vector() -> None:
    assert text(1, OPENED).decode() == (
        '{"action":"case:open","actor":"key:4f7q2m6xk3ab","at":"2026-11-21T12:00:00.000000Z","correlation":"c-1",'
        '"details":{"move":null,"order":"4711"},"seq":1,"service":"case_service","shard":42,'
        f'"subject":"case/{CASE}"}}'
    )


def test_SEC_AUD_03_the_links_are_those_of_the_vector() -> None:
    link = genesis("case_service", 42)
    begin, links = link.hex(), []
    for seq, entry in enumerate((OPENED, PLANNED), 1):
        link = sha256(link + text(seq, entry)).digest()
        links.append(link.hex())
    assert (begin, links) == (BEGIN, LINKS)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 21, 0, 4, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 21, 0, 5, tzinfo=UTC), date(2026, 11, 21)),
        (datetime.fromisoformat("2026-11-21T01:04:00+01:00"), date(2026, 11, 20)),
        (datetime.fromisoformat("2026-11-21T23:00:00-02:00"), date(2026, 11, 22)),
    ],
)
def test_SEC_AUD_02_a_day_is_sealed_from_five_past_midnight_utc(now: datetime, day: date) -> None:
    assert day_at(now) == day
