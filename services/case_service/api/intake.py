"""What installers send: pre-notifications, and notices that an installation is complete (S2-07, S2-19)."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from contracts.codes import CaseType, LegalBasis, Origin, Phase, Scheme
from contracts.event import Part
from contracts.ids import CaseId, Code, Ref
from contracts.ids import Principal as PrincipalId
from contracts.parts import Address, Area, Contact, Days, DevicePlan
from contracts.roles import Role
from kit.auth import Principal, RoleMissing, needs
from kit.errors import NotFound
from kit.jsons import VALUE, Finding, Misfit
from kit.store import Ref as Wanted
from kit.store import Unit
from services.case_service.acts import act_of, conclude, known, of_case
from services.case_service.api.views import TheStore, View
from services.case_service.domain.act import Act, Policy
from services.case_service.domain.case import Case
from services.case_service.domain.flow import FlowBook, flow_key, valid_on
from services.case_service.domain.intake import Installer, InstallerNotice, link_installer, notice_key
from services.case_service.domain.opening import A_METER, open_in_house, open_like
from services.case_service.domain.orders import point_key
from services.case_service.domain.sla_targets import SlaTargets, aim

Creator = Annotated[Principal, Depends(needs("case:create", may_request=True))]
Reader = Annotated[Principal, Depends(needs("setting:read"))]
Editor = Annotated[Principal, Depends(needs("setting:edit"))]
NEW = CaseType.NEW_CONNECTION
RULE = "A12"


class InstallerEntry(Part):
    """An electrician's firm that may announce work here."""

    name: str
    email: str | None = None
    active: bool = True


class InstallerView(View):
    """A registered installer."""

    principal: str
    name: str
    email: str | None
    active: bool


class FromInstaller(Part):
    """What every notice of an installer has."""

    notice_id: Ref
    """The installer's own number; the same one again has no second effect."""
    installer: PrincipalId | None = None
    """For whom staff write; an installer writes for itself."""


class PreNotification(FromInstaller):
    """Somebody is going to need a connection."""

    operator: Code
    metering_point_id: Ref
    metering_point_scheme: Scheme
    area: Area
    address: Address
    contact: Contact | None = None
    window: Days | None = None
    device_plan: DevicePlan = A_METER


class CompletionNotice(FromInstaller):
    """The customer's installation is complete: the meter may be set."""

    case_id: UUID
    """The case of the pre-notification."""
    completed_on: date


class OpenedView(View):
    """The case that a notice opened, or had opened before."""

    case_id: UUID
    phase: Phase


def routes(policy: Policy) -> APIRouter:
    """The routes, with the operator's days."""
    router = APIRouter()

    @router.put("/v1/installers/{principal}")
    async def register(principal: PrincipalId, body: InstallerEntry, editor: Editor, store: TheStore) -> InstallerView:
        """Register an installer, or change its entry. Who is not active may announce nothing."""

        def command(unit: Unit) -> InstallerView:
            entry = unit.find(Installer, principal)
            if entry is None:
                entry = Installer(principal=principal, name=body.name)
                unit.add(entry)
            entry.name, entry.email, entry.active = body.name, body.email, body.active
            unit.audit("setting:edit", f"installer/{principal}", active=body.active)
            return InstallerView.model_validate(entry)

        return await store.run(editor, command, needs=[(Installer, principal)])

    @router.get("/v1/installers/{principal}")
    async def read_installer(principal: PrincipalId, reader: Reader, store: TheStore) -> InstallerView:
        """The entry of an installer."""

        def ask(unit: Unit) -> InstallerView:
            return InstallerView.model_validate(unit.get(Installer, principal))

        return await store.run(reader, ask, needs=[(Installer, principal)])

    @router.post("/v1/installer/pre-notifications", status_code=201)
    async def pre_notify(body: PreNotification, creator: Creator, store: TheStore) -> OpenedView:
        """A registered installer announces a new connection: its case opens, once."""
        command = PreNotifying(body, _who(creator, body), policy)
        return await store.run(creator, command, needs=command.needs)

    @router.post("/v1/installer/completion-notices", status_code=201)
    async def complete(body: CompletionNotice, creator: Creator, store: TheStore) -> OpenedView:
        """The installation is complete: the linked case "connect and set meter" opens, once per notice (A12)."""
        command = Completing(body, _who(creator, body), policy)
        return await store.run(creator, command, needs=command.needs)

    return router


class PreNotifying:
    """The command behind a pre-notification."""

    def __init__(self, body: PreNotification, who: str, policy: Policy) -> None:
        self.body, self.who, self.policy = body, who, policy
        self.notice = notice_key("pre", who, body.notice_id)
        self.point = point_key(body.operator, body.metering_point_id, NEW)
        self.book = flow_key(body.operator, NEW)

    def needs(self, unit: Unit) -> Iterable[Wanted]:
        """Who announces it, whether it was announced before, and what is open at the point."""
        yield from ((Installer, self.who), (FlowBook, self.book), (SlaTargets, self.body.operator))
        yield from of_case(unit, self.point)
        yield from _of_notice(unit, self.notice)

    def __call__(self, unit: Unit) -> OpenedView:
        """The case: opened, found at the point, or that of the same notice before."""
        installer = _registered(unit, self.who)
        if notice := unit.find(InstallerNotice, self.notice):
            return _opened(unit.get(Case, str(notice.case_id)))
        act = act_of(unit, self.policy)
        case = known(unit, self.point) if unit.find(Case, self.point) else None
        if case is not None:
            link_installer(case, installer.principal)
        else:
            case = self._open(unit, act)
        _begin(unit, case, act)
        _remember(unit, self.notice, case)
        return _opened(case)

    def _open(self, unit: Unit, act: Act) -> Case:
        body = self.body
        return open_in_house(
            act,
            operator=body.operator,
            case_type=NEW,
            origin=Origin.INSTALLER,
            legal_basis=LegalBasis.CUSTOMER_REQUEST,
            metering_point_id=body.metering_point_id,
            metering_point_scheme=body.metering_point_scheme,
            area=body.area,
            address=body.address,
            contact=body.contact,
            window=body.window,
            plan=body.device_plan,
            holds_point=True,
            flow=valid_on(unit.find(FlowBook, self.book), NEW, act.today),
            installer=self.who,
        )


class Completing:
    """The command behind a completion notice (A12)."""

    def __init__(self, body: CompletionNotice, who: str, policy: Policy) -> None:
        self.body, self.who, self.policy = body, who, policy
        self.notice, self.before = notice_key("complete", who, body.notice_id), str(body.case_id)

    def needs(self, unit: Unit) -> Iterable[Wanted]:
        """Who writes, whether it was written before, and the case of the pre-notification."""
        yield Installer, self.who
        yield from _of_notice(unit, self.notice)
        yield from of_case(unit, self.before)
        if before := unit.find(Case, self.before):
            yield Case, _point(before)
            yield FlowBook, flow_key(before.operator, NEW)
            yield SlaTargets, before.operator

    def __call__(self, unit: Unit) -> OpenedView:
        """The linked case, opened now or by the same notice before."""
        _registered(unit, self.who)
        if notice := unit.find(InstallerNotice, self.notice):
            return _opened(unit.get(Case, str(notice.case_id)))
        act, before = act_of(unit, self.policy), known(unit, self.before)
        if before.installer != self.who:
            raise NotFound(f"there is no Case {self.before}")
        case = open_like(
            act,
            before,
            before.device_plan,
            holds_point=unit.find(Case, _point(before)) is None,
            kind="belongs_to",
            case_type=NEW,
            origin=Origin.INSTALLER,
            flow=valid_on(unit.find(FlowBook, flow_key(before.operator, NEW)), NEW, act.today),
            installer=self.who,
        )
        case.remark(act, None, "installation_complete", completed_on=str(self.body.completed_on), rule=RULE)
        case.automated(RULE, self.notice)
        _begin(unit, case, act)
        _remember(unit, self.notice, case)
        return _opened(case)


def _who(creator: Principal, body: FromInstaller) -> str:
    """An installer speaks for itself, staff for whom they name; a partner's key for nobody."""
    named = body.installer if creator.scope.kind == "all" else None
    return named or creator.id


def _registered(unit: Unit, who: str) -> Installer:
    """The active entry; without one an installer may do nothing, and staff named nobody."""
    installer = unit.find(Installer, who)
    if installer is not None and installer.active:
        return installer
    if Role.INSTALLER in unit.principal.roles:
        raise RoleMissing("case:create")
    raise Misfit([Finding(VALUE, "/installer", rule="a registered installer")])


def _begin(unit: Unit, case: Case, act: Act) -> None:
    """A case that is new gets its target and is kept; each is concluded."""
    if case.loaded is None:
        aim(case, unit.find(SlaTargets, case.operator), act.policy)
        unit.add(case)
    conclude(case, unit, act)


def _of_notice(unit: Unit, key: str) -> Iterable[Wanted]:
    yield InstallerNotice, key
    if notice := unit.find(InstallerNotice, key):
        yield Case, str(notice.case_id)


def _remember(unit: Unit, taken: str, case: Case) -> None:
    unit.add(InstallerNotice(notice_key=taken, case_id=CaseId(case.case_id), at=unit.now))


def _opened(case: Case) -> OpenedView:
    if case.phase is None:
        raise LookupError(f"case {case.case_id} was not concluded")
    return OpenedView(case_id=case.case_id, phase=case.phase)


def _point(case: Case) -> str:
    return point_key(case.operator, case.metering_point_id, NEW)
