"""Forms: what a technician answers and shows, and whether a visit's answers and evidence satisfy it."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, JsonValue

from contracts.event import Part
from contracts.ids import Code
from contracts.parts import PlannedEvidence
from contracts.quality import FormActivated
from kit.aggregate import Aggregate
from services.qa_service.domain.conditions import hold

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

DEFAULT_OPERATOR = "default"
"""Forms of operators that have none of their own."""
CODES: Mapping[str, str] = {
    "required": "required",
    "dependentRequired": "required",
    "type": "type",
    "enum": "enum",
    "const": "enum",
    "pattern": "pattern",
    "format": "pattern",
    "minLength": "length",
    "maxLength": "length",
    "minItems": "range",
    "maxItems": "range",
    "minimum": "range",
    "maximum": "range",
}
"""What a keyword of JSON Schema is called in our answers; every other one is a `condition`."""
MISSING = frozenset({"required", "evidence_missing"})
ANSWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}")
MOST_PROBLEMS = 50


class FormState(StrEnum):
    """A version is drafted, then active and never edited again, at last replaced."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


class FormContent(Part):
    """One version of a form as it is written down."""

    form_key: Code
    form_version: int
    operator: Code
    work_kinds: tuple[Code, ...]
    """Kinds of work orders that are reported with it; the first one gives it its place."""
    titles: dict[str, str]
    """By language, ISO 639-1."""
    answers: dict[str, JsonValue]
    """JSON Schema 2020-12."""
    evidence_plan: tuple[PlannedEvidence, ...]


@dataclass(kw_only=True, eq=False)
class Form(Aggregate):
    """A version of a form. A visit is checked against the version that it names."""

    form_id: str
    """`<form_key>/<form_version>`."""
    form_key: Code
    form_version: int
    operator: Code
    work_kinds: tuple[Code, ...]
    titles: dict[str, str]
    answers: dict[str, JsonValue]
    evidence_plan: tuple[PlannedEvidence, ...]
    state: FormState
    valid_from: date

    @classmethod
    def activate(cls, content: FormContent, valid_from: date) -> Self:
        """A version that counts from a day on; it is told to whoever takes reports."""
        values = {name: getattr(content, name) for name in FormContent.model_fields}
        form_id = form_id_of(content.form_key, content.form_version)
        form = cls(form_id=form_id, state=FormState.ACTIVE, valid_from=valid_from, **values)
        form.told.append(
            FormActivated(
                form_key=form.form_key,
                form_version=form.form_version,
                operator=form.operator,
                work_kind=form.work_kinds[0],
                schema_=form.answers,
                evidence_plan=form.evidence_plan,
                valid_from=valid_from,
            )
        )
        return form

    def key(self) -> str:
        return self.form_id


def form_id_of(form_key: str, form_version: int) -> str:
    """Under which a version is found."""
    return f"{form_key}/{form_version}"


class Problem(Part):
    """One thing that is wrong or missing; never the value that was given."""

    pointer: str
    """JSON pointer into the answers, or `/evidence_kinds`."""
    code: str
    """required, type, enum, pattern, length, range, evidence_missing, evidence_too_many or condition."""
    params: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def target(self) -> Code:
        """The answer or the kind of evidence that it is about; names that no form has are not repeated."""
        name = self.params.get("kind") or self.pointer.split("/")[1]
        return str(name) if ANSWER.fullmatch(str(name)) else "answers"


class Checked(Part):
    """What a form says about answers and evidence."""

    valid: bool
    missing: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What was done on site, as far as the evidence plan asks."""

    installed: int = 1
    removed: int = 1

    def facts(self, answers: Mapping[str, JsonValue]) -> Mapping[str, Any]:
        """What conditions compare: the answers, and the work itself, which no answer can hide."""
        return {**answers, "installed": self.installed, "removed": self.removed}


def wanted_evidence(form: Form, answers: Mapping[str, JsonValue], work: Work) -> list[PlannedEvidence]:
    """The items of the plan that are asked for here."""
    return [each for each in form.evidence_plan if hold(each.when, work.facts(answers))]


def check(
    form: Form, answers: Mapping[str, JsonValue], kinds: Iterable[str], work: Work, *, partial: bool = False
) -> Checked:
    """Check answers and kinds of evidence; with `partial` nothing is missing yet, but what is there must be right."""
    found = [*check_answers(form, answers), *_check_kinds(form, answers, Counter(kinds), work)]
    missing = () if partial else tuple(each for each in found if each.code in MISSING)
    problems = tuple(each for each in found if each.code not in MISSING)
    planned = {each.kind for each in form.evidence_plan}
    surplus = [Problem(pointer="/evidence_kinds", code="evidence_unplanned", params={"kind": kind}) for kind in kinds]
    warnings = tuple({each.target: each for each in surplus if each.params["kind"] not in planned}.values())
    return Checked(valid=not missing and not problems, missing=missing, problems=problems, warnings=warnings)


def check_answers(form: Form, answers: Mapping[str, JsonValue]) -> list[Problem]:
    """What is missing or wrong in the answers, in the order of their names."""
    found: dict[tuple[str, str], Problem] = {}
    for error in _validator(json.dumps(form.answers)).iter_errors(dict(answers)):
        found |= {(problem.pointer, problem.code): problem for problem in _problems(error)}
        if len(found) >= MOST_PROBLEMS:
            break
    return [found[place] for place in sorted(found)]


def _check_kinds(
    form: Form, answers: Mapping[str, JsonValue], counts: Mapping[str, int], work: Work
) -> Iterator[Problem]:
    wanted = {each.kind for each in wanted_evidence(form, answers, work)}
    for each in form.evidence_plan:
        have = counts.get(each.kind, 0)
        if each.kind in wanted and have < each.min:
            params: dict[str, JsonValue] = {"kind": each.kind, "have": have, "min": each.min}
            yield Problem(pointer="/evidence_kinds", code="evidence_missing", params=params)
        if have > each.max:
            params = {"kind": each.kind, "have": have, "max": each.max}
            yield Problem(pointer="/evidence_kinds", code="evidence_too_many", params=params)


def _problems(error: "ValidationError") -> Iterator[Problem]:
    keyword = str(error.validator)
    code = CODES.get(keyword, "condition")
    if code == "required" and isinstance(error.instance, Mapping):
        for name in _required(keyword, error.validator_value, error.instance):
            yield Problem(pointer=_pointer([*error.absolute_path, name]), code=code)
    else:
        yield Problem(pointer=_pointer(error.absolute_path), code=code, params={"keyword": keyword})


def _required(keyword: str, value: Any, instance: Mapping[str, Any]) -> Sequence[str]:
    if keyword == "required":
        names = value
    else:  # dependentRequired: who names one must name the others
        names = [name for given, others in value.items() if given in instance for name in others]
    return [name for name in names if name not in instance]


def _pointer(path: Iterable[str | int]) -> str:
    return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)


@lru_cache(maxsize=64)
def _validator(schema: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # slow to import; only visits need it

    return Draft202012Validator(json.loads(schema), format_checker=Draft202012Validator.FORMAT_CHECKER)
