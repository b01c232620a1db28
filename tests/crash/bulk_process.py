"""A process that does the jobs of case_service until none is left: `python -m tests.crash.bulk_process`."""

import asyncio
from datetime import timedelta

from kit.jobs import Jobs
from services.case_service.app import build
from services.case_service.settings import Settings


async def work(settings: Settings) -> None:
    """Go on until no job is left; a lease of somebody who died is waited for."""
    service = build(settings)
    jobs = Jobs(service.store, service.jobs, timedelta(seconds=settings.lease_seconds))
    while await jobs.next_due() is not None:
        if not await jobs.work():
            await asyncio.sleep(0.02)
    await service.store.db.close()


if __name__ == "__main__":
    asyncio.run(work(Settings.load()))
