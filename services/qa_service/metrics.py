"""What qa_service counts; labels hold codes only."""

from prometheus_client import Counter, Gauge, Histogram

HOUR = 3600.0

REVIEWS = Gauge("rollout_reviews", "Rounds of reviews that stand in a state.", ["state", "mode"])
OLDEST = Gauge("rollout_review_oldest_seconds", "Age of the oldest review that waits; 0 if there is none.")
DECISIONS = Counter("rollout_review_decisions_total", "Decisions of reviewers.", ["decision", "finding", "mode"])
SECONDS = Histogram(
    "rollout_review_seconds",
    "From the opening of a round to its decision.",
    buckets=[HOUR * hours for hours in (0.5, 1, 2, 4, 8, 24, 48, 72, 120, 240)],
)
OVERDUE = Counter("rollout_qa_overdue_total", "Reviews and reworks that were not there in time.", ["what"])
FINDINGS = Counter("rollout_qa_findings_total", "Findings of the rules.", ["rule", "severity"])
RULE_ERRORS = Counter("rollout_qa_rule_errors_total", "Rules that broke.", ["rule"])
ACCEPTED = Counter("rollout_qa_accepted_errors_total", "Errors that a reviewer let pass.", ["rule"])
EVIDENCE_BYTES = Gauge("rollout_qa_evidence_bytes", "Bytes of evidence stored.")
REFUSED = Counter("rollout_qa_evidence_refused_total", "Uploads that were not taken.", ["why"])
UPLOAD_SECONDS = Histogram(
    "rollout_qa_upload_seconds",
    "From the whole body to the stored item.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)
DIFFERENCES = Gauge(
    "rollout_qa_verify_differences", "Items that were found to differ from what was approved, since the start."
)
OWN_WORK = Counter("rollout_qa_own_work_refused_total", "Decisions on own work that were refused.")
