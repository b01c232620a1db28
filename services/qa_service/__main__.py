"""`python -m services.qa_service`: this service alone, as its settings say."""

from kit.service import main
from services.qa_service.app import build
from services.qa_service.settings import Settings

main(build, Settings)
