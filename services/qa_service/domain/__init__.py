"""What may happen to a review, and what is known when it is decided. Pure and synchronous."""
