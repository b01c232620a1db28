"""What case_service counts; labels hold codes only."""

from prometheus_client import Counter, Gauge, Histogram

from contracts.codes import DodItem
from services.case_service.domain.transitions import TRANSITIONS
from services.case_service.errors import Objection

DAY = 86_400.0

CASES = Gauge("rollout_cases", "Cases by operator and phase.", ["operator", "phase"])
WORK_ORDERS = Gauge("rollout_work_orders", "Work orders by state.", ["state"])
EXCEPTIONS = Gauge("rollout_exceptions", "Exceptions by type and state.", ["type", "state"])
SLA_CASES = Gauge("rollout_sla_cases", "Cases that have not ended, by how much of their target is used.", ["state"])
SLA_BREACHES = Counter("rollout_sla_breaches_total", "Cases that became at risk or overdue.", ["kind"])
MOVES = Counter("rollout_case_moves_total", "Steps of work orders, by row of the transition table.", ["move"])
REFUSALS = Counter("rollout_move_refusals_total", "Moves and actions that were refused, by code.", ["code"])
GATE_REFUSALS = Counter("rollout_gate_refusals_total", "Items that kept the gate closed when a person asked.", ["item"])
ENDED = Counter("rollout_cases_ended_total", "Ends of cases, and reopenings.", ["outcome"])
VISITS = Counter("rollout_visits_total", "Reported visits, by outcome and sub-reason.", ["outcome", "reason"])
CASE_SECONDS = Histogram(
    "rollout_case_seconds",
    "From the opening of a case to its end.",
    ["kind"],
    buckets=[DAY * days for days in (1, 2, 3, 5, 10, 20, 30, 60, 90)],
)

for _move in TRANSITIONS:
    MOVES.labels(_move)
for _kind in ("at_risk", "breached"):
    SLA_BREACHES.labels(_kind)
for _outcome in ("completed", "cancelled", "abandoned", "reopened"):
    ENDED.labels(_outcome)
for _item in DodItem:
    GATE_REFUSALS.labels(_item)
for _code in sorted({kind.code for kind in Objection.__subclasses__()}):
    REFUSALS.labels(_code)
