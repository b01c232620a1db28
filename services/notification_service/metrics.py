"""What is counted here: texts by their fate, replies by their reading, callbacks that were refused."""

from prometheus_client import Counter, Gauge, Histogram

NOTICES = Counter(
    "rollout_notice_total", "Notices by rule and the state that they reached.", ["rule", "channel", "state", "cause"]
)
SEND_SECONDS = Histogram(
    "rollout_notice_send_seconds",
    "From the time a notice was due to the time the vendor took it.",
    ["rule"],
    buckets=(1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400),
)
SEGMENTS = Counter("rollout_sms_segments_total", "Segments of SMS that the vendor took.")
UNKNOWN = Gauge("rollout_notice_unknown", "Notices whose sending nobody can tell the outcome of.")
HELD = Gauge("rollout_notice_held", "Notices that wait at a gate.", ["gate"])
REPLIES = Counter("rollout_reply_total", "Replies by reading and by how they were matched.", ["reading", "match"])
QUEUE_OLDEST = Gauge("rollout_reply_queue_oldest_seconds", "Age of the oldest reply that waits for a person.")
CALLBACKS_REFUSED = Counter(
    "rollout_callback_refused_total", "Callbacks that did not prove where they come from.", ["profile", "why"]
)
CODES_WRONG = Counter("rollout_code_wrong_total", "Well-formed codes that no dialogue has.")
PURGED = Counter("rollout_purged_cases_total", "Cases whose contact and texts were deleted.")
LETTERS = Gauge("rollout_letter_states", "Letters by the state that they are in.", ["state"])
RECEIPT_AGE = Gauge("rollout_letter_receipt_age_seconds", "Age of the oldest batch that no receipt has ended.")
ALERTS = Counter("rollout_alert_total", "Alerts by what they are about.", ["kind"])
