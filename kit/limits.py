"""How often somebody may ask: so many times a minute, all at once if they like; refused with the time to wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import ClassVar

from kit import metrics
from kit.errors import HubError

MINUTE = 60.0


class TooMany(HubError):
    """Asked more often than agreed; nothing was done."""

    code: ClassVar[str] = "rate-limited"
    status: ClassVar[int] = 429

    def __init__(self, per_minute: int, seconds: int) -> None:
        super().__init__(f"at most {per_minute} a minute; ask again in {seconds} s")
        self.per_minute, self._seconds = per_minute, seconds

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self._seconds)}


@dataclass(slots=True)
class _Left:
    times: float
    at: datetime


class Rate:
    """One bucket per name, in the memory of this process: n processes let n times as much pass."""

    def __init__(self, service: str, bucket: str) -> None:
        self._counted, self._left = metrics.RATE_LIMITED.labels(service, bucket), dict[str, _Left]()

    def spend(self, name: str, per_minute: int, now: datetime) -> None:
        """Count one time. Raises TooMany."""
        left = self._left.setdefault(name, _Left(per_minute, now))
        grown = left.times + (now - left.at).total_seconds() * per_minute / MINUTE
        left.times, left.at = min(grown, per_minute), now
        if left.times < 1:
            self._counted.inc()
            raise TooMany(per_minute, ceil((1 - left.times) * MINUTE / per_minute))
        left.times -= 1
