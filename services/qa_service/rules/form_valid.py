"""Q02: the answers are valid against the version of the form that the visit names."""

from collections.abc import Mapping
from typing import Any

from contracts.codes import ReworkReason, Severity
from services.qa_service.domain.facts import Hit, Rule, VisitFacts
from services.qa_service.domain.forms import check_answers

RULE = Rule("Q02", 1, ReworkReason.PROTOCOL, Severity.ERROR)


def check(facts: VisitFacts, params: Mapping[str, Any]) -> list[Hit]:  # noqa: ARG001 - the form of all rules
    """Each answer that is missing or wrong; a version that nobody knows is one finding."""
    visit = facts.visit
    if facts.form is None:
        return [Hit("form", "form_unknown", {"form": f"{visit.form_key}@{visit.form_version}"})]
    return [
        Hit(problem.target, f"answer_{problem.code}", {"pointer": problem.pointer})
        for problem in check_answers(facts.form, visit.answers)
    ]
