"""Making the read model anew: emptied, so that every topic is read again from its beginning."""

import sqlalchemy as sa

from kit import tables as kernel
from kit.store import Store
from services.cockpit_service.tables import READ_MODEL


async def rebuild(store: Store) -> None:
    """Empty the read model and forget what was read, in one transaction; the reader must be stopped meanwhile.

    At its next start it reads everything again; until then lists are short. Sessions stay.
    """

    def empty(db: sa.Connection) -> None:
        for table in READ_MODEL:
            db.execute(sa.delete(table))
        for table in (kernel.inbox, kernel.positions, kernel.parked, kernel.parked_keys):
            db.execute(sa.delete(table).where(table.c.reader == store.service))

    await store.db.transact(empty)
