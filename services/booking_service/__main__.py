"""Runs booking_service in a process of its own: `python -m services.booking_service`."""

from kit.service import main
from services.booking_service.app import Settings, build

main(build, Settings)
