"""The SLA targets of an operator: read by staff, set by admins. Intervals that stood still stay as they are."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from contracts.ids import Code
from kit.auth import Principal, needs
from kit.store import Unit
from services.case_service.api.views import TheStore, View
from services.case_service.domain.sla_targets import SlaTargets, TargetRule

router = APIRouter()
Reader = Annotated[Principal, Depends(needs("setting:read"))]
Editor = Annotated[Principal, Depends(needs("setting:edit"))]


class TargetsBody(BaseModel):
    """All targets of an operator; what is left out is gone."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rules: tuple[TargetRule, ...]
    """The narrowest that fits a case counts: one that names its type before one for all, then the highest priority."""


class TargetsView(View):
    """The targets of an operator; none: the hub's default counts."""

    operator: str
    rules: tuple[TargetRule, ...]


@router.get("/v1/sla-targets/{operator}")
async def read_targets(operator: Code, reader: Reader, store: TheStore) -> TargetsView:
    """How long cases of an operator may take."""

    def ask(unit: Unit) -> TargetsView:
        return _view(operator, unit.find(SlaTargets, operator))

    return await store.run(reader, ask, needs=[(SlaTargets, operator)])


@router.put("/v1/sla-targets/{operator}")
async def set_targets(operator: Code, body: TargetsBody, editor: Editor, store: TheStore) -> TargetsView:
    """Set how long cases of an operator may take; new cases begin with it, running ones at their next change."""

    def command(unit: Unit) -> TargetsView:
        targets = unit.find(SlaTargets, operator)
        if targets is None:
            targets = SlaTargets(operator=operator)
            unit.add(targets)
        old, targets.rules = targets.rules, body.rules
        unit.audit(
            "setting:sla_targets",
            f"sla_targets/{operator}",
            old=[rule.model_dump(mode="json") for rule in old],
            new=[rule.model_dump(mode="json") for rule in body.rules],
        )
        return _view(operator, targets)

    return await store.run(editor, command, needs=[(SlaTargets, operator)])


def _view(operator: str, targets: SlaTargets | None) -> TargetsView:
    return TargetsView(operator=operator, rules=targets.rules if targets else ())
