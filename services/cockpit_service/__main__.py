"""`python -m services.cockpit_service`: this service alone, as its settings say."""

from kit.service import main
from services.cockpit_service.app import build
from services.cockpit_service.settings import Settings

main(build, Settings)
