"""Moves around the visit: start, report, correct, add evidence (T18–T20)."""

from contracts.codes import Outcome, State
from contracts.ids import Code
from contracts.visits import EvidenceAdded
from services.case_service.domain.guards import Ask
from services.case_service.domain.requests import Report
from services.case_service.domain.visits import ask_people, conclude_visit, take_report
from services.case_service.errors import NothingToCorrect, OutcomeChanges, ResultInvalid


def start(ask: Ask, _: Code) -> None:
    """T18: the technician begins."""
    ask.order.dispatched_to = ask.act.technician
    ask.order.downloaded_version = ask.request.downloaded_version
    ask.case.step(ask.act, ask.order, "T18", State.IN_PROGRESS)


def resolve(ask: Ask, choice: Code) -> None:
    """T19, T20: the visit is reported. `rec`: the partner withdrew meanwhile; the report counts, people decide."""
    report = _report(ask)
    seen = report.client.downloaded_version if report.client else None
    ask.order.downloaded_version = seen if ask.request.downloaded_version is None else ask.request.downloaded_version
    take_report(ask.case, ask.act, ask.order, report, on_behalf=ask.on_behalf)
    ask.case.words(ask.act, ask.order, choice, ask.request.reason)
    if choice == "rec":
        ask.case.record(ask.act, ask.order, reason="reported_while_withdrawn")
        if ask.order.installed:
            ask.case.hotlist(ask.act, ask.order, "installed_while_withdrawn")
        if ask.order.outcome is Outcome.FAILED:
            ask_people(ask.case, ask.act, ask.order)
        return
    ask.case.step(ask.act, ask.order, choice, State.RESOLVED)
    conclude_visit(ask.case, ask.act, ask.order)


def correct_report(ask: Ask, _: Code) -> None:
    """The same visit again, with what was wrong put right; how it ended cannot change."""
    report = _report(ask)
    if not ask.order.used:
        raise NothingToCorrect("Nothing was reported yet.")
    if report.result.outcome is not ask.order.outcome:
        raise OutcomeChanges(f"The visit ended {ask.order.outcome}; a correction cannot change that.")
    take_report(ask.case, ask.act, ask.order, report, on_behalf=ask.on_behalf)
    ask.case.record(ask.act, ask.order, reason="report_corrected")


def add_evidence(ask: Ask, _: Code) -> None:
    """Photos or papers that were missing: a new evidence version, which needs an approval of its own."""
    visit = ask.order.visit_id
    if visit is None:
        raise NothingToCorrect("Nothing was reported yet.")
    if not ask.request.evidence:
        raise ResultInvalid("Name the evidence.", fields=["evidence"])
    added = {each.kind for each in ask.request.evidence}
    ask.order.lacking = tuple(each for each in ask.order.lacking if each not in added)
    ask.order.evidence_version += 1
    ask.case.record(ask.act, ask.order, reason="evidence_added")
    ask.case.told.append(
        EvidenceAdded(
            case_id=ask.case.case_id,
            work_order_id=ask.order.work_order_id,
            sequence=ask.order.sequence,
            visit_id=visit,
            evidence_version=ask.order.evidence_version,
            evidence=ask.request.evidence,
            added_by=ask.act.actor,
            company_id=ask.order.company_id,
        )
    )


def _report(ask: Ask) -> Report:
    if ask.request.report is None:
        raise ResultInvalid("A report is needed.", fields=["report"])
    return ask.request.report
