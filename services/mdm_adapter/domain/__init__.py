"""What may happen to messages, orders and handovers; pure and synchronous."""
