"""What is counted at the door to the partners; names of the operations page. Labels are closed sets, no ids."""

from prometheus_client import Counter, Gauge

MESSAGES = Counter(
    "rollout_messages_total",
    "Messages of partners in and out, by what became of them.",
    ["partner", "document", "direction", "result"],
)
ORDERS = Counter("rollout_orders_total", "Orders of partners, by what became of them.", ["partner", "kind", "result"])
REJECTIONS = Counter(
    "rollout_handover_rejections_total", "Business refusals of documents, by normalised reason.", ["partner", "reason"]
)
RESENDS = Counter("rollout_mdm_resends_total", "Documents that left again, by cause.", ["cause"])
UNMAPPED = Counter(
    "rollout_partner_code_unmapped_total", "Codes of partners that the hub has no reason for.", ["partner"]
)
ROWS = Gauge("rollout_mdm_rows", "Documents that are not settled, by state and fact.", ["state", "fact"])
DEADLINE_SECONDS = Gauge("rollout_mdm_deadline_seconds", "Time left until the next clock of a kind is over.", ["kind"])
QUARANTINE_OPEN = Gauge("rollout_mdm_quarantine_open", "What waits for a person, by cause.", ["cause"])
QUARANTINE_OLDEST = Gauge("rollout_mdm_quarantine_oldest_seconds", "Age of the oldest of it; 0 if there is none.")
HOOKS_REFUSED = Counter(
    "rollout_mdm_hooks_refused_total", "Signed calls that were not proved, by cause.", ["partner", "reason"]
)
FILES_LEFT = Counter(
    "rollout_mdm_files_left_total", "Names in drop folders that are not touched: links, folders, odd names.", ["why"]
)
