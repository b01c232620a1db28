"""What is counted and measured, each defined once: names, labels and buckets of the operations page, section 1.

The first label of every series is the service. No label ever names a case, an order, a device or a person.
"""

from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

SERVICE = "service"

BUILD = Gauge("hub_build_info", "Always 1; the labels tell which build runs.", [SERVICE, "version", "schema"])
READY = Gauge("hub_ready", "1 while /health/ready answers 200.", [SERVICE])
MIGRATIONS_PENDING = Gauge("hub_migrations_pending", "Migrations that are not applied.", [SERVICE])

HTTP_REQUESTS = Counter(
    "hub_http_requests_total", "Requests by route template.", [SERVICE, "route", "method", "status"]
)
HTTP_SECONDS = Histogram(
    "hub_http_request_seconds",
    "From the first byte of a request to the last of its answer.",
    [SERVICE, "route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
AUTH_REFUSALS = Counter(
    "hub_auth_refusals_total", "Requests refused: causes of SEC-TOK, role, scope, csrf, host.", [SERVICE, "reason"]
)
RATE_LIMITED = Counter("hub_rate_limited_total", "Requests over their limit, by what is limited.", [SERVICE, "bucket"])

EVENTS = Counter("hub_events_total", "What became of each record heard.", [SERVICE, "type", "outcome"])
EVENT_AGE = Histogram(
    "hub_event_age_seconds",
    "Commit minus the time of the event, at its first application.",
    [SERVICE, "type"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300),
)
BATCH_EVENTS = Histogram(
    "hub_batch_events", "Events in a batch.", [SERVICE], buckets=(1, 2, 5, 10, 25, 50, 100, 200, 350, 500)
)
BATCH_SECONDS = Histogram(
    "hub_batch_seconds",
    "Time a batch spends in split, inbox, load, handle, flush, commit, offsets.",
    [SERVICE, "phase"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
BATCH_RETRIES = Counter("hub_batch_retries_total", "Batches tried again: database, bus, timeout.", [SERVICE, "cause"])
CONSUMER_POSITION = Gauge("hub_consumer_position", "Next offset to read.", [SERVICE, "topic", "partition"])
CONSUMER_LAG = Gauge("hub_consumer_lag_records", "End minus position.", [SERVICE, "topic", "partition"])
CONSUMER_LAG_SECONDS = Gauge(
    "hub_consumer_lag_seconds", "Age of the oldest record not yet applied; 0 if there is none.", [SERVICE, "topic"]
)
CONSUMER_LAST_POLL = Gauge("hub_consumer_last_poll_timestamp_seconds", "When records were last asked for.", [SERVICE])
REBALANCES = Counter("hub_rebalances_total", "Times the group gave out its partitions anew.", [SERVICE])

OUTBOX_ROWS = Gauge("hub_outbox_rows", "Facts not yet told.", [SERVICE])
OUTBOX_OLDEST = Gauge("hub_outbox_oldest_seconds", "Age of the oldest of them; 0 if there is none.", [SERVICE])
EVENT_LOG_ROWS = Gauge("hub_event_log_rows", "Facts told and kept.", [SERVICE])
RELAY_LEADER = Gauge("hub_relay_leader", "1 in the process that tells; a service has one.", [SERVICE])
RELAY_SENT = Counter("hub_relay_sent_total", "Facts told.", [SERVICE, "topic"])
RELAY_WAVE = Histogram(
    "hub_relay_wave_rows", "Facts told together.", [SERVICE], buckets=(1, 2, 5, 10, 50, 100, 500, 1000, 2000)
)
OUTBOX_BLOCKED = Gauge("hub_outbox_blocked_keys", "Keys that rest behind a row that cannot be sent.", [SERVICE])

PARKED_KEYS = Gauge("hub_parked_keys", "Keys that wait for a person or for something unheard of.", [SERVICE, "topic"])
PARKED_TOTAL = Counter(
    "hub_parked_events_total",
    "Events parked: refused, waiting, bug, undecodable, behind.",
    [SERVICE, "topic", "reason"],
)
PARKED_OLDEST = Gauge("hub_parked_oldest_seconds", "Age of the oldest parked key; 0 if there is none.", [SERVICE])
DEAD_LETTERS = Counter(
    "hub_dead_letters_total", "Records kept unread: unreadable, foreign_event, too_large.", [SERVICE, "reason"]
)
ANOMALIES = Counter("hub_anomalies_total", "Events that the receiving table does not allow.", [SERVICE, "code"])

TIMERS_DUE = Gauge("hub_timers_due", "Timers that are due and not taken.", [SERVICE, "kind"])
TIMER_LAG = Gauge("hub_timer_lag_seconds", "How long the earliest of them has been due; 0 if there is none.", [SERVICE])
TIMERS_FIRED = Counter("hub_timers_fired_total", "Timers whose work was done.", [SERVICE, "kind"])
EFFECTS = Gauge("hub_effects", "Effects on the outside by state.", [SERVICE, "kind", "state"])
EFFECTS_UNKNOWN = Gauge("hub_effects_unknown", "Effects whose outcome was lost; a person decides.", [SERVICE, "kind"])
EFFECTS_OLDEST = Gauge("hub_effects_oldest_seconds", "Age of the oldest unfinished effect.", [SERVICE, "kind"])
EFFECT_SECONDS = Histogram(
    "hub_effect_seconds",
    "Time that the outside took to answer.",
    [SERVICE, "kind"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60),
)

JOBS = Gauge("hub_jobs", "Long jobs by state.", [SERVICE, "kind", "state"])
JOB_ROWS = Counter("hub_job_rows_total", "Items of long jobs: done, refused, failed.", [SERVICE, "kind", "result"])

DB_POOL_IN_USE = Gauge("hub_db_pool_in_use", "Connections at work.", [SERVICE])
DB_POOL_SIZE = Gauge("hub_db_pool_size", "Connections that there may be.", [SERVICE])
DB_SECONDS = Histogram(
    "hub_db_transaction_seconds",
    "Time of a transaction: api, batch, relay, timer.",
    [SERVICE, "kind"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
DB_ERRORS = Counter("hub_db_errors_total", "Errors of the database by class.", [SERVICE, "class"])
LOOP_DELAY = Histogram(
    "hub_loop_delay_seconds",
    "How late the event loop came to what was due; sampled each 0.5 s.",
    [SERVICE],
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5),
)
AUDIT_HEAD = Gauge("hub_audit_head_seq", "Sum of the audit chain's 64 heads; it only grows.", [SERVICE])
INVARIANT_VIOLATIONS = Gauge(
    "hub_invariant_violations", "Rows that the last check of an invariant found; must be 0.", [SERVICE, "invariant"]
)

OUTCOMES = ("applied", "duplicate", "ignored", "parked", "dead")
DEAD_REASONS = ("unreadable", "foreign_event", "too_large")
PARK_REASONS = ("refused", "waiting", "bug", "undecodable", "behind")
JOB_STATES = ("queued", "running", "done", "failed", "cancelled")
RETRY_CAUSES = ("database", "bus", "timeout")
REFUSALS = (
    *("format", "algorithm", "header", "type", "unknown-key", "signature", "claims"),
    *("issuer", "audience", "expired", "not-yet", "too-old", "key", "missing", "role", "scope", "csrf", "host"),
)


def begin(service: str, types: Iterable[str] = (), hears: Iterable[str] = (), tells: Iterable[str] = ()) -> None:
    """Create the counters of a service with 0 for every known label: the first increase must be visible."""
    for reason in DEAD_REASONS:
        DEAD_LETTERS.labels(service, reason)
    for cause in RETRY_CAUSES:
        BATCH_RETRIES.labels(service, cause)
    for refusal in REFUSALS:
        AUTH_REFUSALS.labels(service, refusal)
    for heard in types:
        for outcome in OUTCOMES:
            EVENTS.labels(service, heard, outcome)
    for topic in hears:
        for reason in PARK_REASONS:
            PARKED_TOTAL.labels(service, topic, reason)
    for topic in tells:
        RELAY_SENT.labels(service, topic)
    REBALANCES.labels(service)


def exposition(registry: CollectorRegistry = REGISTRY) -> tuple[bytes, str]:
    """Everything measured so far, as OpenMetrics text, and its media type."""
    encode, media_type = choose_encoder("application/openmetrics-text")
    return encode(registry), media_type
