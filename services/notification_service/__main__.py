"""`python -m services.notification_service`: this service alone, as its settings say."""

from kit.service import main
from services.notification_service.app import build
from services.notification_service.settings import Settings

main(build, Settings)
