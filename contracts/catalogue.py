"""Every event of the hub: importing this module fills the registry `EVENTS`."""

from contracts import assets, bookings, cases, contacts, handovers, messages, notices, orders, quality, visits
from contracts.event import EVENTS, Event

__all__ = ["EVENTS", "MODULES", "Event"]

MODULES = (orders, visits, cases, contacts, bookings, notices, messages, assets, quality, handovers)
"""One module per topic, in the order of the event catalogue."""
