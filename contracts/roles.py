"""Who may do what: the one list of roles and the one matrix of actions (security §5).

What is not written here is refused: a new action or role may do nothing until its cells are filled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody is for the hub; a person may have several roles. In the order of the matrix's columns."""

    DISPATCHER = "dispatcher"
    TECHNICIAN = "technician"
    COMPANY_ADMIN = "company_admin"
    COMPANY_TECHNICIAN = "company_technician"
    QA = "qa"
    MDM = "mdm"
    WAREHOUSE = "warehouse"
    MANAGEMENT = "management"
    AUDITOR = "auditor"
    PLATFORM = "platform"
    """Runs the machine; sees no customer data."""
    ADMIN = "admin"
    """Sets texts, calendars, limits, persons and keys; sees no customer data."""
    CUSTOMER = "customer"
    INSTALLER = "installer"
    SYSTEM = "system"
    """A key of a partner or of another team."""


class Reach(StrEnum):
    """On which objects an action may be done. Wider first."""

    ALL = "A"
    AREA = "T"
    """Own area or team."""
    COMPANY = "C"
    PARTNER = "P"
    OWN = "O"
    """Own, or assigned to oneself."""
    VISIT_DAY = "V"
    """Own, on the day of the visit."""
    STATUS = "S"
    """Only status words."""
    REQUEST = "R"
    """May ask for it; a dispatcher decides."""


_WIDTH = {reach: width for width, reach in enumerate(Reach)}


@dataclass(frozen=True)
class Grant:
    """One cell of the matrix: how far it reaches, and the limits that the action itself must check."""

    reach: Reach
    remark: str = ""


REFUSED = "–"

# fmt: off
_LETTERS = {
    #                       d t c c q m w m a p a c i s
    #                       i e a t a d a a u l d u n y
    #                       s c d e   m r n d a m s s s
    "case:read":            "A O C O A A A A A – – S O P",
    "case:create":          "A – – – – – – – – – – – R P",
    "case:announce":        "A – – – – – – – – – – – R P",
    "case:comment":         "A O C O A A A – – – – – – –",
    "case:flag":            "A O C O A A A – – – – – – –",
    "case:link":            "A O C O A A A – – – – – – –",
    "case:evidence":        "A – – – – A – – A – – – – –",
    "case:erase":           "– – – – – – – A – – – – – –",
    "person:export":        "– – – – – – – A – – – – – –",
    "work_order:plan":      "A – C – – – – – – – – – – –",
    "work_order:hold":      "A – R – – – – – – – – – – –",
    "work_order:close":     "A – R – – – – – – – – – – –",
    "work_order:report":    "A O – O – – – – – – – – – –",
    "work_order:rework":    "A – – – – A – – – – – – – –",
    "work_order:correct":   "A – – – – A – – – – – – – –",
    "evidence:upload":      "A O C O – – – – – – – – – –",
    "evidence:read":        "A O C O A A – – A – – – – –",
    "schedule:read":        "A O C O – – – A – – – O – –",
    "appointment:confirm":  "A – C – – – – – – – – O – –",
    "appointment:move":     "A – C – – – – – – – – O – –",
    "appointment:release":  "A – C – – – – – – – – – – –",
    "team:edit":            "A R C – – – – – – – A – – –",
    "award:answer":         "A – C – – – – – – – A – – –",
    "notice:send":          "A V C – – – – – – – – – – –",
    "notice:read":          "A – – – – – – – – – – – – –",
    "notice:write":         "A – – – – – – – – – – – – –",
    "reply:handle":         "A – – – – – – – – – – – – –",
    "letter:handle":        "A – – – – – – – – – – – – –",
    "contact:read":         "A V – V – – – – – – – O – –",
    "contact:edit":         "A – – – – – – – – – – O – –",
    "device:read":          "A O C O A A A A A – – – – P",
    "device:move":          "– O C O – – A – – – – – – –",
    "device:scrap":         "– – – – – – A – – – – – – –",
    "device:recount":       "– – – – – – A – – – – – – –",
    "device:settle":        "– – – – A – A – – – – – – –",
    "device:commission":    "– – – – – A – – – – – – – P",
    "device:define":        "– – – – – A A – – – A – – –",
    "device:report":        "– – – – – – A A – – – – – –",
    "reading:read":         "A O – O A A – – – – – – – –",
    "reading:accept":       "– – – – A A – – – – – – – –",
    "review:read":          "A O C O A A – A A – – – – –",
    "review:decide":        "– – – – A – – – – – – – – –",
    "rule:activate":        "– – – – A – – – – – A – – –",
    "exception:raise":      "A – R – A A A – – – – – – –",
    "exception:approve":    "– – – – A – – A – – – – – –",
    "handover:read":        "A – – – A A – A A – – – – P",
    "handover:resend":      "– – – – – A – – – – – – – –",
    "message:release":      "– – – – – A – – – – – – – –",
    "message:discard":      "– – – – – A – – – – – – – –",
    "code_map:edit":        "– – – – – A – – – – – – – –",
    "message:read":         "– – – – – A – – A – – – – P",
    "order:answer":         "A – – – – A – – – – – – – –",
    "order:submit":         "– – – – – – – – – – – – – P",
    "order:amend":          "– – – – – – – – – – – – – P",
    "order:cancel":         "– – – – – – – – – – – R R P",
    "import:run":           "A – – – – A A – – – – – – P",
    "kpi:read":             "T – C – A A A A A – – – – –",
    "goal:edit":            "– – – – – – – A – – – – – –",
    "portal:write":         "– – – – – – – – – – – O – –",
    "filter:share":         "A O C O A A A A A A A – – –",
    "dashboard:edit":       "A O C O A A A A A A A – – –",
    "export:run":           "T – C – A A A A A – – – – P",
    "audit:read":           "T – C – A A – A A – – – – –",
    "parked:read":          "– – – – – A – – – A – – – –",
    "parked:retry":         "– – – – – A – – – A – – – –",
    "parked:discard":       "– – – – – A – – – A – – – –",
    "replay:run":           "– – – – – – – – – A – – – –",
    "job:run":              "– – – – – – – – – A – – – –",
    "health:read":          "– – – – – – – – – A – – – –",
    "setting:read":         "A – – – A A – – A A A – – –",
    "setting:edit":         "– – – – – – – – – – A – – –",
    "person:manage":        "– – – – – – – – – – A – – –",
    "key:manage":           "– – – – – – – – – – A – – –",
    "webhook:manage":       "– – – – – – – – – – A – – –",
    "feed:read":            "– – – – – – – – – A – – – A",
}

_REMARKS = {
    ("case:erase", Role.MANAGEMENT):                   "two persons",
    ("person:export", Role.MANAGEMENT):                "two persons",
    ("work_order:report", Role.DISPATCHER):            "on behalf, reason",
    ("evidence:upload", Role.DISPATCHER):              "on behalf",
    ("schedule:read", Role.MANAGEMENT):                "capacity",
    ("schedule:read", Role.CUSTOMER):                  "slots",
    ("team:edit", Role.TECHNICIAN):                    "absence",
    ("contact:read", Role.COMPANY_TECHNICIAN):         "masked",
    ("contact:edit", Role.CUSTOMER):                   "phone, consent",
    ("device:move", Role.TECHNICIAN):                  "van",
    ("device:move", Role.COMPANY_ADMIN):               "van",
    ("device:move", Role.COMPANY_TECHNICIAN):          "van",
    ("device:scrap", Role.WAREHOUSE):                  "two persons",
    ("device:recount", Role.WAREHOUSE):                "two persons",
    ("device:settle", Role.QA):                        "second",
    ("device:settle", Role.WAREHOUSE):                 "first",
    ("device:define", Role.MDM):                       "multipliers",
    ("device:define", Role.ADMIN):                     "types",
    ("rule:activate", Role.QA):                        "first",
    ("rule:activate", Role.ADMIN):                     "second",
    ("message:discard", Role.MDM):                     "two persons",
    ("import:run", Role.WAREHOUSE):                    "devices",
    ("kpi:read", Role.WAREHOUSE):                      "stock",
    ("export:run", Role.WAREHOUSE):                    "stock",
    ("parked:read", Role.MDM):                         "parked market messages",
    ("parked:retry", Role.MDM):                        "parked market messages",
    ("parked:discard", Role.MDM):                      "second person",
    ("parked:discard", Role.PLATFORM):                 "first person",
    ("feed:read", Role.SYSTEM):                        "key scope feed",
}
# fmt: on


def _cells(action: str, letters: str) -> Mapping[Role, Grant]:
    """One row of the matrix, without the cells that refuse."""
    row = zip(Role, letters.split(), strict=True)
    return MappingProxyType(
        {role: Grant(Reach(letter), _REMARKS.get((action, role), "")) for role, letter in row if letter != REFUSED}
    )


MATRIX: Mapping[str, Mapping[Role, Grant]] = MappingProxyType(
    {action: _cells(action, letters) for action, letters in _LETTERS.items()}
)
"""Every action with the roles that may do it."""


def limited(roles: Iterable[Role], action: str, remark: str) -> bool:
    """Whether the roles grant the action with this limit only."""
    grants = [MATRIX[action][role] for role in roles if role in MATRIX[action]]
    return bool(grants) and all(grant.remark == remark for grant in grants)


def granted(roles: Iterable[Role], action: str) -> Grant | None:
    """The widest grant that one of the roles gives for the action; None: refused."""
    grants = [MATRIX[action][role] for role in roles if action in MATRIX and role in MATRIX[action]]
    return min(grants, key=lambda grant: _WIDTH[grant.reach], default=None)
