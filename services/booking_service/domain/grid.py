"""Time in whole cells: a technician's cell can be given away once, which makes double booking impossible."""

from datetime import datetime, timedelta

GRID_MINUTES = 15


def is_on_grid(start: datetime, grid_minutes: int = GRID_MINUTES) -> bool:
    """Whether a block may start here."""
    return start.timestamp() % (60 * grid_minutes) == 0


def rounded_up(minutes: int, grid_minutes: int = GRID_MINUTES) -> int:
    """Minutes in whole cells: 40 minutes take 45 on a grid of 15."""
    return -(-minutes // grid_minutes) * grid_minutes


def cells(start: datetime, minutes: int, grid_minutes: int = GRID_MINUTES) -> range:
    """The cells of a block: UTC epoch seconds divided by the cell's length."""
    first = int(start.timestamp()) // (60 * grid_minutes)
    return range(first, first + rounded_up(minutes, grid_minutes) // grid_minutes)


def start_of(cell: int, grid_minutes: int = GRID_MINUTES) -> datetime:
    """When a cell begins, in UTC."""
    return EPOCH + timedelta(minutes=cell * grid_minutes)


EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
