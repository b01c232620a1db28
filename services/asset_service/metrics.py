"""What is measured here: stock by state, movements, contradictions of visits, and how long material takes."""

from prometheus_client import Counter, Gauge, Histogram

DAY = 86_400

DEVICES = Gauge("rollout_asset_devices", "Devices by state and kind.", ["state", "kind"])
MOVEMENTS = Counter("rollout_asset_movements_total", "Lines written into the ledger.", ["kind"])
MISMATCHES = Counter("rollout_asset_mismatch_total", "Reports that contradict plan or ledger.", ["rule"])
READING_ANOMALIES = Counter(
    "rollout_asset_reading_anomaly_total", "Readings that are not plausible.", ["rule", "severity"]
)
STALE_VISITS = Counter("rollout_asset_stale_visit_total", "Visit reports that came after a newer version.")
RESERVATION_SECONDS = Histogram(
    "rollout_asset_reservation_seconds",
    "From the request of a work order until everything is set aside.",
    buckets=(1, 5, 60, 600, 3_600, DAY, 3 * DAY, 10 * DAY, 30 * DAY),
)
MISSING_LINES = Gauge("rollout_asset_missing_lines", "Devices that work orders wait for.", ["type"])
LEDGER_DIFFERENCES = Gauge(
    "rollout_asset_ledger_differences", "Devices whose place or state is not what their movements say."
)
