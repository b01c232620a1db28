"""What is agreed with partners, at the desk: profiles, what codes mean, device types; judging a file without effect."""

import asyncio
import json
from collections import Counter
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from contracts.codes import Fact, HubReason
from kit.problems import refusals
from services.mdm_adapter import store_beside as queries
from services.mdm_adapter.agreeing import (
    judged_codes,
    judged_device_types,
    judged_profile,
    needs_agreement,
    put,
    takes_two,
)
from services.mdm_adapter.api.asking import (
    FindingView,
    MapEditor,
    Reader,
    SettingEditor,
    SettingReader,
    TheStore,
    View,
    WithReason,
)
from services.mdm_adapter.api.partners import MESSAGE_BYTES
from services.mdm_adapter.checking import check
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.agreements import DEVICE_TYPES, codes_of, profile_of
from services.mdm_adapter.errors import BadProfile, NoSuchThing, ReasonMissing
from services.mdm_adapter.partners import device_types
from services.mdm_adapter.partners.codes import CodeRow
from services.mdm_adapter.partners.device_types import DeviceTypeRow
from services.mdm_adapter.partners.profile import Profile
from services.mdm_adapter.refreshing import Refreshing

MOST_ROWS = 5_000
PROFILE = {
    "id": "erp-x",
    "name": "ERP X",
    "role": "ERP",
    "identity": [{"scheme": "name", "value": "ERP-X"}],
    "dialects": [{"dialect": "cim_xml"}],
    "transports": {"in": [{"kind": "rest"}], "out": [{"kind": "file_drop"}]},
    "defaults": {"operator": "nord", "country": "DE"},
}


class PartnerView(BaseModel):
    """A partner as far as its profile is no secret."""

    id: str
    name: str
    role: str
    dialects: list[tuple[str, date | None]]
    way_out: str | None
    accept: str


class EditionView(View):
    """One version that came into force."""

    number: int
    text: str
    by: str
    confirmed_by: str | None
    reason: str
    at: datetime


class ProposalView(BaseModel):
    """A change that waits for a second person: who says the same once more puts it in force."""

    text: str
    by: str
    reason: str
    at: datetime


class PartnerDetail(BaseModel):
    """A profile in force, where it comes from, what was in force before, and what is proposed."""

    profile: Profile
    edited: bool
    """Here at the desk; else it is a file."""
    proposal: ProposalView | None
    versions: list[EditionView]


class PutProfile(WithReason):
    """A profile with the members of its file, and why it is changed."""

    profile: dict[str, JsonValue] = Field(examples=[PROFILE])


class Put(BaseModel):
    """What became of a change."""

    state: str = Field(examples=["in_force"])
    """in_force, or proposed: it waits for a second person who puts the same."""
    number: int
    """Of the version in force; 0: there is none."""


class CodeView(BaseModel):
    """What one code of a partner means, from a day on; without a list it holds for the code in every list."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    partner_code: str = Field(min_length=1, max_length=80, examples=["4711"])
    list: str | None = Field(None, max_length=80, examples=["E_0250"])
    hub_reason: HubReason
    action: str | None = Field(None, max_length=200)
    """What is proposed to whoever deals with it."""
    valid_from: date | None = None


class PutCodes(WithReason):
    """The whole map of a partner, and why it is changed."""

    rows: list[CodeView] = Field(max_length=MOST_ROWS)


class CodesView(BaseModel):
    """The map of a partner in force; what is not in it means what is agreed for everybody."""

    rows: list[CodeView]
    versions: list[EditionView]


class UnmappedView(BaseModel):
    """A code of which nobody knows what it means: it was told as OTHER."""

    code: str
    list: str | None
    fact: str
    text: str | None
    """What stood beside it, the last time."""
    times: int
    last_seen: datetime


class PutDeviceTypes(WithReason):
    """All of the operator's own rows, and why they are changed."""

    rows: tuple[DeviceTypeRow, ...] = Field(max_length=MOST_ROWS)


class DeviceTypesView(BaseModel):
    """Characteristics of device types as they are in force, and which of the rows are the operator's own."""

    columns: tuple[str, ...]
    rows: list[DeviceTypeRow]
    own: tuple[DeviceTypeRow, ...]
    versions: list[EditionView]


class JudgedView(BaseModel):
    """The verdict on a file; nothing was stored, nobody was answered."""

    accepted: bool
    dialect: str
    verdict: str
    message: str
    pid: str
    version: str
    records: int
    findings: list[FindingView]
    warnings: list[FindingView]


def routes(desk: Desk, refreshing: Refreshing) -> APIRouter:
    """Routes of those who look after partners."""
    router = APIRouter(tags=["partners"])
    _profiles(router, desk, refreshing)
    _codes(router, desk, refreshing)
    _unmapped(router, desk)
    _device_types(router, desk, refreshing)
    _judging(router, desk)
    return router


def _known(desk: Desk, reader: Any, partner: str) -> Profile:
    profile = desk.partners.find(partner) if reader.scope.kind == "all" or reader.scope.id == partner else None
    if profile is None:
        raise NoSuchThing("there is no such partner")
    return profile


async def _versions(store: Any, reader: Any, name: str) -> list[EditionView]:
    rows = await store.read(lambda db: queries.editions_of(db, reader.scope, name))
    return [EditionView.model_validate(row) for row in rows]


def _profiles(router: APIRouter, desk: Desk, refreshing: Refreshing) -> None:
    @router.get("/v1/partners")
    async def partners(reader: Reader) -> list[PartnerView]:
        """The partners with whom something is agreed."""
        seen = [each for each in desk.partners.all() if reader.scope.kind == "all" or reader.scope.id == each.id]
        return [
            PartnerView(
                id=each.id,
                name=each.name,
                role=each.role,
                dialects=[(dialect.dialect, dialect.valid_from) for dialect in each.dialects],
                way_out=desk.way_out(each),
                accept=each.accept,
            )
            for each in seen
        ]

    @router.get("/v1/partners/{partner}")
    async def partner_detail(partner: str, reader: SettingReader, store: TheStore) -> PartnerDetail:
        """One profile as it is in force, with its versions, and with the change that waits for a second person."""
        name = profile_of(partner)
        kept = await store.read(lambda db: queries.agreement(db, reader.scope, name))
        versions = await _versions(store, reader, name)
        waits = kept is not None and kept.proposed is not None
        proposal = (
            ProposalView(text=kept.proposed, by=kept.proposed_by, reason=kept.proposed_reason, at=kept.proposed_at)
            if waits and kept
            else None
        )
        return PartnerDetail(
            profile=_known(desk, reader, partner), edited=bool(versions), proposal=proposal, versions=versions
        )

    @router.put("/v1/partners/{partner}", responses=refusals(BadProfile, ReasonMissing))
    async def put_partner(partner: str, request: PutProfile, editor: SettingEditor, store: TheStore) -> Put:
        """Put a profile in force; one that changes identity or transports waits until a second person puts the same."""
        reason, name = request.said(), profile_of(partner)
        text = json.dumps(request.profile, indent=1, ensure_ascii=False)
        profile = judged_profile(desk, partner, text, store.clock.now().date())
        two = takes_two(desk, profile)

        def command(unit: Any) -> Put:
            state, number = put(unit, name, text, reason, two_persons=two)
            return Put(state=state, number=number)

        answer = await store.run(editor, command, needs=needs_agreement(name))
        await refreshing.look()
        return answer


def _codes(router: APIRouter, desk: Desk, refreshing: Refreshing) -> None:
    @router.get("/v1/partners/{partner}/codes")
    async def codes(partner: str, reader: SettingReader, store: TheStore) -> CodesView:
        """What the codes of a partner mean, where that is not what is agreed for everybody."""
        _known(desk, reader, partner)
        rows = [
            CodeView(
                partner_code=row.code,
                list=row.list,
                hub_reason=row.reason,
                action=row.action,
                valid_from=row.valid_from,
            )
            for row in desk.partners.codes(partner).rows
        ]
        return CodesView(rows=rows, versions=await _versions(store, reader, codes_of(partner)))

    @router.put("/v1/partners/{partner}/codes", responses=refusals(BadProfile, ReasonMissing))
    async def put_codes(partner: str, request: PutCodes, editor: MapEditor, store: TheStore) -> Put:
        """Put the whole map of a partner in force: at once here, within seconds in every other process."""
        _known(desk, editor, partner)
        reason, name = request.said(), codes_of(partner)
        given = (
            CodeRow(each.partner_code, each.list, each.hub_reason, each.valid_from, each.action)
            for each in request.rows
        )
        text = judged_codes(partner, given)

        def command(unit: Any) -> Put:
            state, number = put(unit, name, text, reason, two_persons=False)
            return Put(state=state, number=number)

        answer = await store.run(editor, command, needs=needs_agreement(name))
        await refreshing.look()
        return answer


def _unmapped(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/partners/{partner}/codes/unmapped")
    async def unmapped(partner: str, reader: Reader, store: TheStore) -> list[UnmappedView]:
        """Codes that the partner gave and that no map knows today, the most frequent first."""
        _known(desk, reader, partner)
        rows = await store.read(lambda db: queries.said_reasons(db, reader.scope, partner))
        known, today = desk.partners.codes(partner), store.clock.now().date()
        said = [
            (reason, row.fact, row.requested_at)
            for row in rows
            for reason in row.reasons
            if known.reason(reason.code, reason.list, Fact(row.fact), today) is None
        ]
        times = Counter((reason.code, reason.list) for reason, _, _ in said)
        newest = {(reason.code, reason.list): (reason, fact, at) for reason, fact, at in reversed(said)}
        return [
            UnmappedView(code=code, list=list_, fact=fact, text=reason.text, times=number, last_seen=at)
            for (code, list_), number in times.most_common()
            for reason, fact, at in [newest[code, list_]]
        ]


def _device_types(router: APIRouter, desk: Desk, refreshing: Refreshing) -> None:
    @router.get("/v1/device-types")
    async def types(reader: SettingReader, store: TheStore) -> DeviceTypesView:
        """What the market must know of each type of device, from which day on."""
        own = desk.device_types.own
        return DeviceTypesView(
            columns=device_types.columns(),
            rows=device_types.all_rows(own),
            own=own,
            versions=await _versions(store, reader, DEVICE_TYPES),
        )

    @router.put("/v1/device-types", responses=refusals(BadProfile, ReasonMissing))
    async def put_types(request: PutDeviceTypes, editor: MapEditor, store: TheStore) -> Put:
        """Put all of the operator's own rows in force; each counts from its day on, behind those that every hub has."""
        reason, text = request.said(), judged_device_types(request.rows)

        def command(unit: Any) -> Put:
            state, number = put(unit, DEVICE_TYPES, text, reason, two_persons=False)
            return Put(state=state, number=number)

        answer = await store.run(editor, command, needs=needs_agreement(DEVICE_TYPES))
        await refreshing.look()
        return answer


def _judging(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/partners/{partner}/validate", max_body_size=MESSAGE_BYTES)
    async def validate(
        partner: str,
        request: Request,
        reader: Reader,
        store: TheStore,
        as_of: Annotated[AwareDatetime | None, Query(description="When it is received; default: now.")] = None,
    ) -> JudgedView:
        """Judge a file as if this partner had handed it in: nothing is stored, nobody is answered."""
        profile = _known(desk, reader, partner)
        content = await request.body()
        verdict = await asyncio.to_thread(check, content, profile, None, as_of or store.clock.now())
        core = [verdict.core_finding] if verdict.core_finding else []
        return JudgedView(
            accepted=verdict.exit_code == 0,
            dialect=verdict.dialect,
            verdict="reject" if verdict.core == "reject" else verdict.content,
            message=verdict.message or verdict.noun,
            pid=verdict.pid,
            version=verdict.version,
            records=verdict.records,
            findings=[FindingView.model_validate(each) for each in (*core, *verdict.findings)],
            warnings=[FindingView.model_validate(each) for each in verdict.warnings],
        )
