"""What is only looked up: members under a key in one query, never written; and what many read without waiting."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from kit.rows import one_of
from kit.store import Aggregate, Listing, Mapped

metadata = sa.MetaData()
flats = sa.Table("flats", metadata, sa.Column("flat", sa.Text, primary_key=True), sa.Column("house", sa.Text))
words = sa.Table("words", metadata, sa.Column("word", sa.Text, primary_key=True), sa.Column("version", sa.Integer))


@dataclass(kw_only=True, eq=False)
class House(Aggregate):
    """The flats at one address."""

    house: str
    members: tuple[str, ...]

    def key(self) -> str:
        return self.house


@dataclass(kw_only=True, eq=False)
class Word(Aggregate):
    """A setting."""

    word: str

    def key(self) -> str:
        return self.word


HOUSES = Listing(
    House,
    sa.select(flats.c.house, flats.c.flat).where(one_of(flats.c.house, "keys")).order_by(flats.c.flat),
    lambda key, found: House(house=key, members=found),
)


@pytest.fixture
def db() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [{"flat": flat, "house": flat[0]} for flat in ("a1", "a2", "b1")]
        connection.execute(sa.insert(flats), rows)
        yield connection
    engine.dispose()


def test_members_of_many_keys_come_with_one_query_and_a_key_without_members_is_empty(db: sa.Connection) -> None:
    asked: list[str] = []
    sa.event.listen(db, "before_cursor_execute", lambda *said: asked.append(said[2]))
    found = HOUSES.load(db, ["a", "b", "c"])
    assert ({key: house.members for key, house in found.items()}, len(asked)) == (
        {"a": ("a1", "a2"), "b": ("b1",), "c": ()},
        1,
    )


def test_a_listing_is_never_written(db: sa.Connection) -> None:
    house = HOUSES.load(db, ["a"])["a"]
    house.members = ()
    HOUSES.save(db, [house], [house])
    assert HOUSES.load(db, ["a"])["a"].members == ("a1", "a2")


@pytest.mark.parametrize("locked", [True, False])
def test_what_hardly_anybody_changes_is_read_without_a_lock(locked: bool) -> None:
    select = Mapped(Word, words, locked=locked).select
    assert ("FOR UPDATE" in str(select.compile(dialect=postgresql.dialect()))) == locked
