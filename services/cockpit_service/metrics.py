"""What is counted here: events folded into the read model, how far behind it is, and what the pages cost."""

from prometheus_client import Counter, Gauge, Histogram

PROJECTED = Counter("rollout_projection_events_total", "Events folded into the read model.", ["topic"])
LAG_SECONDS = Gauge("rollout_projection_lag_seconds", "Age of the event that was folded last.")
QUERY_SECONDS = Histogram(
    "rollout_query_seconds",
    "Time of the queries behind a page.",
    ["page"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
SIGN_INS = Counter("rollout_sign_in_total", "Tries to sign in with a code.", ["outcome"])
