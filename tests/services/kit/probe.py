"""A service of notes: small, but with every kind of route that the web side of the kit serves."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel
from uuid_utils.compat import uuid7

from kit.aggregate import Aggregate, Mapped
from kit.auth import Principal, Scope, Signer, needs, open_route, system
from kit.clock import ManualClock
from kit.db import Id, database, kernel
from kit.errors import Conflict, NotFound, Refused, Unavailable
from kit.handlers import Handlers
from kit.http import SubjectOf, etag, expected_version, the_store, web
from kit.settings import Settings
from kit.store import Store, Unit
from kit.testing import numbered_ids

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
metadata = sa.MetaData()
kernel(metadata)
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("note_id", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
)


@dataclass(kw_only=True, eq=False)
class Note(Aggregate):
    """A number under an id."""

    note_id: UUID
    number: int

    def key(self) -> str:
        return str(self.note_id)


class NoteRequest(BaseModel):
    """What may be written down."""

    number: int
    at: datetime | None = None


class NoteView(BaseModel):
    """A note as it is shown."""

    note_id: UUID
    number: int
    at: datetime | None = None


class NumberRefused(Refused):
    """Some numbers are not wanted."""

    code = "number-refused"

    def __init__(self, number: int) -> None:
        super().__init__("this number is not wanted")
        self.allowed = [1, 2, 3]
        self._seen = number


router = APIRouter()
TheStore = Annotated[Store, Depends(the_store)]
Writer = Annotated[Principal, Depends(needs("case:comment"))]


@router.post("/v1/notes", status_code=201)
async def write(request: NoteRequest, writer: Writer, store: TheStore) -> NoteView:
    """Write a note down."""

    def command(unit: Unit) -> NoteView:
        if request.number == 13:
            raise NumberRefused(request.number)
        note = Note(note_id=unit.new_id(), number=request.number)
        unit.add(note)
        return NoteView(note_id=note.note_id, number=note.number, at=request.at)

    return await store.run(writer, command)


@router.post("/v1/notes/by-location", status_code=201)
async def locate(request: NoteRequest, writer: Writer, store: TheStore, response: Response) -> dict[str, int]:
    """Write a note down and say where it is."""

    def command(unit: Unit) -> UUID:
        note = Note(note_id=unit.new_id(), number=request.number)
        unit.add(note)
        return note.note_id

    response.headers["Location"] = f"/v1/notes/{await store.run(writer, command)}"
    return {"number": request.number}


@router.put("/v1/notes/{note_id}")
async def change(
    note_id: UUID, change: NoteRequest, request: Request, writer: Writer, store: TheStore, response: Response
) -> NoteView:
    """Change a note that one has seen."""
    seen = expected_version(request)

    def command(unit: Unit) -> NoteView:
        note = unit.get(Note, str(note_id))
        if seen is not None and seen != note.version:
            raise Conflict("it was changed meanwhile")
        note.number = change.number
        return NoteView(note_id=note.note_id, number=note.number)

    view = await store.run(writer, command, needs=[(Note, str(note_id))])
    response.headers["ETag"] = etag((seen or 1) + 1)
    return view


@router.get("/v1/notes/{note_id}")
async def show(note_id: UUID, reader: Annotated[Principal, Depends(needs("case:read"))], store: TheStore) -> NoteView:
    """One note."""
    where = notes.c.note_id == note_id
    row = await store.read(lambda db: db.execute(sa.select(notes).where(where)).one_or_none())
    if row is None:
        raise NotFound(f"{reader.id} asked for {note_id}")
    return NoteView(note_id=row.note_id, number=row.number)


@router.get("/v1/notes")
async def page(_: Annotated[Principal, Depends(needs("case:read"))], limit: int = 50) -> dict[str, int]:
    """So many notes."""
    return {"limit": limit}


@router.post("/v1/upload", dependencies=[Depends(needs("evidence:upload"))], max_body_size=2_000_000)
async def upload(request: Request) -> dict[str, int]:
    """Something that is no JSON."""
    return {"bytes": len(await request.body())}


@router.post("/v1/defect/{kind}", dependencies=[Depends(open_route("breaks on purpose"))])
async def defect(kind: str) -> None:
    """Break."""
    if kind == "away":
        raise Unavailable("the database is away")
    if kind == "refused":
        raise ConnectionRefusedError("10.0.0.7")
    raise RuntimeError("Erika Müller, Hauptstraße 1")


@router.get("/page", dependencies=[Depends(open_route("shows a page"))])
async def html() -> Response:
    """A page."""
    return Response("<p>", media_type="text/html; charset=utf-8")


@router.get("/whoami", dependencies=[Depends(open_route("shows who is seen"))])
async def whoami(request: Request) -> dict[str, Any]:
    """The address that the service sees."""
    return {"client": request.client.host if request.client else None, "scheme": request.url.scheme}


@dataclass
class Probe:
    """The service of notes, on a database of its own."""

    settings: Settings
    store: Store
    signer: Signer
    clock: ManualClock
    router: APIRouter = field(default_factory=lambda: router)
    handlers: Handlers = field(default_factory=lambda: Handlers(Note))
    name: str = "case_service"
    subject_of: SubjectOf = lambda _, subject: subject
    app: FastAPI = field(init=False)

    def token(self, *roles: str, scope: Scope | None = None, name: str = "anna") -> dict[str, str]:
        """The header of somebody with these roles."""
        text = self.signer.person(f"person:local:{name}", roles or ["dispatcher"], scope, self.clock.now())
        return {"Authorization": f"Bearer {text}"}

    def client(self, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """A client of a dispatcher, or of whoever these headers make it."""
        headers = self.token() if headers is None else headers
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://localhost", headers=dict(headers)
        )

    def beside(self) -> "Probe":
        """The same service once more, as another process on the same database has it."""
        url, kinds = self.settings.database("case_service"), self.store.repositories
        store = Store("case_service", database(url), kinds, self.clock, uuid7, self.store.actor)
        other = replace(self, store=store)
        other.app = web(other)
        return other

    async def written(self) -> int:
        """How many notes there are."""
        return await self.store.read(lambda db: db.scalar(sa.select(sa.func.count()).select_from(notes)) or 0)


@asynccontextmanager
async def probing(folder: Path, **more: Any) -> AsyncIterator[Probe]:
    """The service, on an empty database."""
    clock, signer = ManualClock(MORNING), Signer.new("rollout-hub")
    await asyncio.to_thread(signer.write_jwks, folder / "jwks.json")
    settings = Settings(data_dir=folder, **more)
    db = database(settings.database("case_service"))
    store = Store("case_service", db, {Note: Mapped(Note, notes)}, clock, numbered_ids(), system("case_service"))
    await db.transact(metadata.create_all)
    probe = Probe(settings, store, signer, clock)
    probe.app = web(probe)
    try:
        yield probe
    finally:
        await db.close()
