"""Cases that belong together (S3-22): a link is seen, and can be taken away, from both sides."""

from enum import StrEnum

from contracts.parts import Link
from kit.jsons import VALUE, Finding, Misfit
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.orders import tell_amended


class LinkKind(StrEnum):
    """Why two cases are linked (lifecycle §15). Of `replaces` the younger case is the one that replaces."""

    SAME_HOUSE = "same_house"
    REPLACES = "replaces"
    BELONGS_TO = "belongs_to"


def link(case: Case, other: Case, act: Act, kind: str | None) -> None:
    """Do: link two cases; they have one link at most, so another kind takes the place of the first. Raises Misfit."""
    if kind not in set(LinkKind):
        raise Misfit([Finding(VALUE, "/kind", rule=", ".join(LinkKind))])
    if case is other:
        raise Misfit([Finding(VALUE, "/linked_case_id", rule="another case")])
    if Link(case_id=other.case_id, kind=kind) in case.links:
        return
    for one, two in ((case, other), (other, case)):
        one.links = (*_others(one, two), Link(case_id=two.case_id, kind=kind))
        _tell(one, two, act, "linked")


def part(case: Case, other: Case, act: Act) -> None:
    """Do: take the link between two cases away; where there is none, nothing changes."""
    for one, two in ((case, other), (other, case)):
        if len(_others(one, two)) < len(one.links):
            one.links = _others(one, two)
            _tell(one, two, act, "parted")


def mirror(case: Case, other: Case) -> None:
    """Do: the link that a new case was opened with is seen from the older one as well."""
    kinds = [each.kind for each in other.links if each.case_id == case.case_id]
    case.links += tuple(Link(case_id=other.case_id, kind=kind) for kind in kinds)
    tell_amended(case, ("links",))


def _others(case: Case, other: Case) -> tuple[Link, ...]:
    return tuple(each for each in case.links if each.case_id != other.case_id)


def _tell(case: Case, other: Case, act: Act, what: str) -> None:
    case.remark(act, None, what, case_id=str(other.case_id))
    tell_amended(case, ("links",))
