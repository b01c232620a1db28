"""Which version of a message is valid when: chosen by the date of the interchange, local time of the market."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows

AGENCY = "UN"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of one message."""

    message: str
    directory: str
    """Version and release of the UN directory, such as D:11A."""
    number: str
    valid_from: date

    def identifier(self) -> tuple[str, ...]:
        """S009, as it stands in UNH."""
        return (self.message, *self.directory.split(":"), AGENCY, self.number)


@cache
def _versions() -> dict[str, tuple[Version, ...]]:
    found: dict[str, list[Version]] = {}
    for row in rows("versions.csv"):
        version = Version(row["message"], row["directory"], row["version"], date.fromisoformat(row["valid_from"]))
        found.setdefault(version.message, []).append(version)
    return {message: tuple(sorted(each, key=lambda one: one.valid_from)) for message, each in found.items()}


def version_at(message: str, sent_at: datetime) -> Version | None:
    """The version of a message on the day of an interchange (UNB S004, without zone); None: there was none."""
    valid = [each for each in _versions().get(message, ()) if each.valid_from <= sent_at.date()]
    return valid[-1] if valid else None


def is_valid(head: Segment, sent_at: datetime) -> bool:
    """Whether UNH names the version that is valid on the day of its interchange."""
    version = version_at(head.at(3), sent_at)
    return version is not None and tuple(head.at(3, component) for component in range(1, 6)) == version.identifier()


def in_changeover(local: datetime) -> bool:
    """Whether late acknowledgements raise no alarm now: the evening before a change of versions until the day after."""
    moment = local.replace(tzinfo=None)
    for row in rows("changeovers.csv"):
        begins = datetime(local.year, int(row["month"]), int(row["day"]), int(row["hour"]))  # noqa: DTZ001 -- local time
        ends = datetime(local.year, int(row["until_month"]), int(row["until_day"]))  # noqa: DTZ001 -- the same
        if begins <= moment < ends:
            return True
    return False


def same_versions(first: datetime, second: datetime) -> bool:
    """Whether what was written at one moment may still be sent at another."""
    days = [moment.astimezone(MARKET).replace(tzinfo=None) for moment in (first, second)]
    return all(version_at(message, days[0]) == version_at(message, days[1]) for message in _versions())
