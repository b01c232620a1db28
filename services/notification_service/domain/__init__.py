"""What may be said, to whom and when, and how an answer is understood: pure and synchronous."""
