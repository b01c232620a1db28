"""The gate between "the technician is done" and "this may be handed over": forms, evidence, reviews, rework."""
