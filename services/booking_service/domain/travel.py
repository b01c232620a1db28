"""How long the way between two places may take: a straight line, stretched, at the speed of a van in town."""

from math import asin, ceil, cos, radians, sin, sqrt

EARTH_KM = 6_371.0
DETOUR = 1.35
KM_PER_HOUR = 35.0
STOP_SECONDS = 90.0
"""Parking and walking to the door."""

Point = tuple[float, float]
"""Degrees north and east."""


def travel_minutes(here: Point | None, there: Point | None) -> int | None:
    """Whole minutes, rounded up; None where one of the places is not known."""
    if here is None or there is None:
        return None
    seconds = distance_km(here, there) * DETOUR / KM_PER_HOUR * 3600 + STOP_SECONDS
    return ceil(seconds / 60)


def distance_km(here: Point, there: Point) -> float:
    """Along the great circle."""
    (lat, lon), (lat2, lon2) = (tuple(map(radians, point)) for point in (here, there))
    half = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lon2 - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half))
