"""What booking_service counts; labels hold codes only."""

from prometheus_client import Counter, Histogram

HOUR = 3600.0

ASSIGN = Counter("rollout_booking_assign_total", "Appointments asked for, by result and code.", ["result", "code"])
CONFIRM = Counter("rollout_booking_confirm_total", "Confirmations, by whom and in which reply mode.", ["by", "mode"])
NEEDS_STAFF = Counter("rollout_booking_needs_staff_total", "Appointments that need a person, by cause.", ["cause"])
QUESTIONS = Counter("rollout_booking_questions_total", "Answers that did not confirm, by cause.", ["cause"])
OFFER_REFUSED = Counter("rollout_booking_offer_refused_total", "Offers that could not be made, by code.", ["code"])
NO_SHOW = Counter("rollout_booking_no_show_total", "Confirmed customers who were not at home.")
TOMBSTONE_HITS = Counter(
    "rollout_booking_tombstone_hits_total", "Late events and calls that named a closed work order.", ["source"]
)
OFFER_TO_ANSWER = Histogram(
    "rollout_booking_offer_to_answer_seconds",
    "From the offer to the confirmation.",
    buckets=[HOUR * hours for hours in (0.25, 1, 4, 12, 24, 48, 72, 120, 240)],
)
SLOT_SEARCH = Histogram(
    "rollout_booking_slot_search_seconds",
    "Time to find free slots.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
