"""`python -m services.asset_service`: this service alone, as its settings say."""

from kit.service import main
from services.asset_service.app import build
from services.asset_service.settings import Settings

main(build, Settings)
