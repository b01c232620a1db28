"""`python -m services.case_service`: this service alone, as its settings say."""

from kit.service import main
from services.case_service.app import build
from services.case_service.settings import Settings

main(build, Settings)
