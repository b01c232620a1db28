"""The audit on both databases: it only grows, each day is sealed once, and whatever is tampered with is found."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kit import audit, tables
from kit.anchors import Anchors
from kit.auth import system
from kit.clock import ManualClock
from kit.db import Db, database
from kit.proof import prove
from kit.settings import Settings
from kit.store import Store
from kit.testing import numbered_ids
from kit.types import is_sqlite
from tests.adapters.world import World, accepted, until

SERVICE = "case_service"
CASES = [f"0197f000-0000-7000-8000-{number:012}" for number in range(1, 5)]
SHARD = 42
"""Of the first case."""
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
T, HEADS, SEALS = tables.audit, tables.audit_heads, tables.audit_anchors


class Book:
    """An audit with its seals, and somebody who may do everything with the database."""

    def __init__(self, db: Db, folder: Path) -> None:
        self.db, self.clock = db, ManualClock(MONDAY)
        self.settings = Settings(data_dir=folder)
        self.store = Store(SERVICE, db, {}, self.clock, numbered_ids(), system(SERVICE))
        self.anchors = Anchors(self.store, self.settings)

    async def write(self, rows: int = 3, cases: Iterable[str] = CASES) -> None:
        """So many changes of each case, in transactions of their own."""
        for number in range(rows):
            for case in cases:
                await self.store.run(
                    self.store.actor,
                    lambda unit, case=case, number=number: unit.audit("case:change", f"case/{case}", number=number),  # type: ignore[misc]
                )

    async def tomorrow(self) -> None:
        self.clock.advance(timedelta(days=1))
        await self.anchors.keep()

    async def found(self, **how: Any) -> list[tuple[int | None, int | None, str]]:
        """What the proof finds."""
        proof = await prove(self.db, SERVICE, self.settings.anchors_path, **how)
        return [(each.shard, each.seq, each.what) for each in proof.breaks]

    async def tampers(self, *statements: sa.Executable) -> None:
        """The triggers are no obstacle to an owner of the database."""

        def work(db: sa.Connection) -> None:
            for trigger in triggers(db):
                db.execute(sa.text(f"DROP TRIGGER {trigger}"))
            for statement in statements:
                db.execute(statement)

        await self.db.transact(work)

    async def rows(self, table: sa.Table = T) -> list[sa.Row[Any]]:
        return list(await self.db.read(lambda db: db.execute(sa.select(table).order_by(*table.primary_key)).all()))

    async def row(self, seq: int) -> sa.Row[Any]:
        return next(row for row in await self.rows() if (row.shard, row.seq) == (SHARD, seq))


def triggers(db: sa.Connection) -> list[str]:
    if is_sqlite(db.dialect):
        return [each.name for each in db.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))]
    found = db.execute(sa.text("SELECT DISTINCT tgname FROM pg_trigger WHERE NOT tgisinternal"))
    return [f"{each.tgname} ON audit" for each in found]


@pytest.fixture(params=["sqlite", "postgres"])
async def book(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Book]:
    """Three rows for each of four cases, sealed on Tuesday; then two more, not sealed."""
    url = f"sqlite:///{tmp_path}/one.db"
    if request.param == "postgres":
        new_database: Callable[[], str] = request.getfixturevalue("new_database")
        url = new_database()
    db = database(url)
    await db.transact(tables.KERNEL.create_all)
    made = Book(db, tmp_path)
    await made.write()
    await made.tomorrow()
    await made.write(2)
    yield made
    await db.close()


def of(seq: int) -> sa.ColumnElement[bool]:
    return (T.c.shard == SHARD) & (T.c.seq == seq)


def rechained(rows: Iterable[sa.Row[Any]], **changed: Any) -> list[dict[str, Any]]:
    """The rows of a shard with other values in the first of them, and every hash made to fit."""
    link, made = audit.genesis(SERVICE, SHARD), []
    for row in rows:
        values = {**row._asdict(), **(changed if row.seq == 1 else {})}
        entry = audit.Entry(*(values[name] for name in ("action", "subject", "actor", "correlation", "at")), {})
        link = sha256(link + audit.canonical(SERVICE, SHARD, row.seq, entry, values["details"])).digest()
        made.append({**values, "hash": link})
    return made


async def test_SEC_AUD_03_what_was_written_is_proved_with_its_seals(book: Book) -> None:
    proof = await prove(book.db, SERVICE, book.settings.anchors_path)
    assert (proof.breaks, proof.rows, proof.anchors) == ([], 20, 1)


@pytest.mark.parametrize("act", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"])
async def test_SEC_AUD_01_the_database_refuses_to_change_the_audit(book: Book, act: str) -> None:
    before = await book.rows()
    with pytest.raises(sa.exc.DBAPIError, match=r"append-only|syntax error"):  # SQLite knows no TRUNCATE
        await book.db.transact(lambda db: db.execute(sa.text(act)))
    assert await book.rows() == before


async def test_SEC_AUD_03_an_edited_row_is_found(book: Book) -> None:
    await book.tampers(sa.update(T).where(of(2)).values(actor="person:local:mallory"))
    assert await book.found() == [(SHARD, 2, "the row does not fit its hash, or not the row before it")]


async def test_SEC_AUD_03_an_edited_row_whose_hash_was_made_anew_is_found(book: Book) -> None:
    first, second = (await book.row(1)), (await book.row(2))
    forged = rechained([first, second], actor="person:local:mallory")[0]
    await book.tampers(sa.update(T).where(of(1)).values(actor=forged["actor"], hash=forged["hash"]))
    assert [each[:2] for each in await book.found()] == [(SHARD, 2)]


async def test_SEC_AUD_03_a_deleted_row_is_found(book: Book) -> None:
    await book.tampers(sa.delete(T).where(of(2)))
    assert await book.found() == [(SHARD, 3, "a gap behind 1")]


async def test_SEC_AUD_03_an_inserted_row_is_found(book: Book) -> None:
    row = (await book.row(5))._asdict() | {"seq": 6, "actor": "person:local:mallory"}
    link = (await book.row(5)).hash
    entry = audit.Entry(*(row[name] for name in ("action", "subject", "actor", "correlation", "at")), {})
    row["hash"] = sha256(link + audit.canonical(SERVICE, SHARD, 6, entry, row["details"])).digest()
    await book.tampers(sa.insert(T).values(**row))
    assert await book.found() == [(SHARD, 6, "rows behind the head, which says 5")]


async def test_SEC_AUD_03_an_inserted_row_with_its_head_does_not_fit_its_neighbours(book: Book) -> None:
    later = [(await book.row(seq))._asdict() | {"seq": seq + 1} for seq in (3, 4, 5)]
    forged = (await book.row(3))._asdict() | {"actor": "person:local:mallory"}
    await book.tampers(
        sa.delete(T).where(T.c.shard == SHARD, T.c.seq >= 3),
        *(sa.insert(T).values(**row) for row in (forged, *later)),
        sa.update(HEADS).where(HEADS.c.shard == SHARD).values(seq=6),
    )
    assert (SHARD, 3) in [each[:2] for each in await book.found()]


async def test_SEC_AUD_03_swapped_rows_are_found(book: Book) -> None:
    second, third = (await book.row(2))._asdict(), (await book.row(3))._asdict()
    await book.tampers(
        sa.delete(T).where(T.c.shard == SHARD, T.c.seq.in_([2, 3])),
        sa.insert(T).values(**second | {"seq": 3}),
        sa.insert(T).values(**third | {"seq": 2}),
    )
    found = await book.found()
    assert {each[:2] for each in found} >= {(SHARD, 2), (SHARD, 3)}


async def test_SEC_AUD_03_a_tail_that_is_cut_off_is_found_by_its_head(book: Book) -> None:
    await book.tampers(sa.delete(T).where(of(5)))
    assert await book.found() == [(SHARD, 5, "the end is cut off: the head saw 5 rows, there are 4")]


async def test_SEC_AUD_03_a_tail_that_is_cut_off_with_its_head_is_found_by_the_seal(book: Book) -> None:
    second = await book.row(2)
    await book.tampers(
        sa.delete(T).where(T.c.shard == SHARD, T.c.seq > 2),
        sa.update(HEADS).where(HEADS.c.shard == SHARD).values(seq=2, hash=second.hash),
    )
    words = "the end is cut off: the anchor of 2026-03-03 saw 3 rows, there are 2"
    assert await book.found() == [(SHARD, 3, words)]


async def test_SEC_AUD_03_a_shard_that_is_gone_with_its_head_is_found_by_the_seal(book: Book) -> None:
    await book.tampers(sa.delete(T).where(T.c.shard == SHARD), sa.delete(HEADS).where(HEADS.c.shard == SHARD))
    assert [each[:2] for each in await book.found()] == [(SHARD, 1)]


async def test_SEC_AUD_03_a_chain_that_was_written_anew_is_found_by_the_seal(book: Book) -> None:
    made = rechained([row for row in await book.rows() if row.shard == SHARD], actor="person:local:mallory")
    await book.tampers(
        sa.delete(T).where(T.c.shard == SHARD),
        sa.insert(T).values(made),
        sa.update(HEADS).where(HEADS.c.shard == SHARD).values(hash=made[-1]["hash"]),
    )
    assert await book.found() == [(SHARD, 3, "not the row that the anchor of 2026-03-03 saw")]


async def test_SEC_AUD_03_a_chain_that_was_written_anew_with_all_seals_of_the_table_is_found_by_their_copies(
    book: Book,
) -> None:
    made = rechained([row for row in await book.rows() if row.shard == SHARD], actor="person:local:mallory")
    await book.tampers(
        sa.delete(T).where(T.c.shard == SHARD),
        sa.insert(T).values(made),
        sa.update(HEADS).where(HEADS.c.shard == SHARD).values(hash=made[-1]["hash"]),
        sa.delete(SEALS),
    )
    found = await book.found()
    assert (None, None, "the anchor of 2026-03-03 is missing in the table") in found
    assert (SHARD, 3, "not the row that the anchor of 2026-03-03 saw") in found


async def test_SEC_AUD_02_a_seal_that_somebody_else_signed_is_not_ours(book: Book, tmp_path: Path) -> None:
    stranger = Book(book.db, tmp_path / "elsewhere")
    await book.tampers(sa.delete(SEALS))
    stranger.clock.set(book.clock.now())
    await stranger.anchors.keep()
    copy = book.settings.anchors_path / SERVICE / "2026-03-03.jws"
    copy.write_text((await book.rows(SEALS))[0].jws, "ascii")
    found = await book.found()
    assert [what for _, _, what in found] == ["the anchor of 2026-03-03 is not ours: unknown-key"]


async def test_SEC_AUD_02_each_seal_names_the_one_before_it(book: Book) -> None:
    await book.tomorrow()
    first, second = await book.rows(SEALS)
    assert (first.previous, second.previous) == ("", sha256(first.jws.encode()).hexdigest())
    assert second.heads[str(SHARD)][0] == 5
    assert await book.found() == []


async def test_SEC_AUD_02_a_seal_that_was_taken_out_leaves_a_gap(book: Book) -> None:
    await book.tomorrow()
    await book.tampers(sa.delete(SEALS).where(SEALS.c.day == datetime(2026, 3, 3, tzinfo=UTC).date()))
    (book.settings.anchors_path / SERVICE / "2026-03-03.jws").unlink()
    assert [what for _, _, what in await book.found()] == ["the anchor of 2026-03-04 does not follow the one before it"]


async def test_SEC_AUD_02_a_day_is_sealed_once_by_however_many_processes(book: Book) -> None:
    others = [Book(book.db, book.settings.data_dir) for _ in range(2)]
    for other in (book, *others):
        other.clock.set(MONDAY + timedelta(days=2))
        await other.anchors.keep()
        await other.anchors.keep()
    assert [row.day.isoformat() for row in await book.rows(SEALS)] == ["2026-03-03", "2026-03-04"]
    assert await book.found() == []


async def test_SEC_AUD_02_after_a_pause_the_present_day_is_sealed(book: Book) -> None:
    book.clock.advance(timedelta(days=20))
    due = await book.anchors.keep()
    assert [row.day.isoformat() for row in await book.rows(SEALS)] == ["2026-03-03", "2026-03-23"]
    assert due == datetime(2026, 3, 24, 0, 5, tzinfo=UTC)


async def test_SEC_AUD_02_a_copy_that_a_crash_prevented_is_written_at_the_next_start(book: Book) -> None:
    copy = book.settings.anchors_path / SERVICE / "2026-03-03.jws"
    kept = copy.read_text("ascii")
    copy.unlink()
    again = Book(book.db, book.settings.data_dir)
    again.clock.set(book.clock.now())
    await again.anchors.keep()
    assert copy.read_text("ascii") == kept


async def test_where_nothing_was_written_nothing_is_sealed(tmp_path: Path) -> None:
    db = database(f"sqlite:///{tmp_path}/empty.db")
    await db.transact(tables.KERNEL.create_all)
    book = Book(db, tmp_path)
    await book.anchors.keep()
    assert (await book.rows(SEALS), await book.found()) == ([], [])
    await db.close()


async def test_what_a_seal_covers_can_be_believed(book: Book) -> None:
    await book.tampers(sa.update(T).where(of(2)).values(actor="person:local:mallory"))
    day = datetime(2026, 3, 3, tzinfo=UTC).date()
    assert await book.found(since=day) == []
    await book.tampers(sa.update(T).where(of(4)).values(actor="person:local:mallory"))
    assert [each[:2] for each in await book.found(since=day)] == [(SHARD, 4)]


async def test_SEC_AUD_02_a_service_at_work_seals_each_day_by_itself(world: World) -> None:
    copy = world.folder / "anchors" / "mdm_adapter" / "2026-03-03.jws"

    async def sealed() -> bool:
        return copy.exists()

    await world.start()
    await world.tell(accepted(1, 1))
    world.clock.set(MONDAY + timedelta(days=1))
    await until(sealed)
    proof = await prove(world.adapter.store.db, "mdm_adapter", world.folder / "anchors")
    assert (proof.breaks, proof.rows) == ([], 1)
