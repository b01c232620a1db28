"""What may happen to appointments: states, rules of notice, calendars and shifts; pure, without I/O."""
