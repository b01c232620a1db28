"""Run by Alembic; everything is in kit/migrate.py."""

from kit.migrate import run

run()
