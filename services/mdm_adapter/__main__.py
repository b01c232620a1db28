"""Runs mdm_adapter as a process of its own: `python -m services.mdm_adapter`."""

from kit.service import main
from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings

if __name__ == "__main__":
    main(build, Settings)
