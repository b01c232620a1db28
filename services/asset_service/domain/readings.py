"""Are the readings of an exchange plausible? Rules R1 to R9, pure; readings are never guessed and never corrected."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from contracts.codes import ReadingSource, Severity
from contracts.parts import RegisterReading, RemovedRegisterReading

GAP = timedelta(hours=24)
"""Between removal and installation less than this (R1)."""
SHORTEST_PERIOD_DAYS = 30
"""R4 judges from this many days on."""
LOWEST, HIGHEST = Decimal("0.3"), Decimal(3)
"""Share of the expected consumption that is plausible, limits included (R4)."""
NEW_METER_MOST = Decimal(10)
"""kWh that a meter without history may show (R6)."""
TOLERANCE = Decimal(1)
"""kWh by which sums and repeated readings may differ (R5, R6, R9)."""
MAIN_FUSE_A = 63
"""Current of a house connection, where the master data tell no power."""

IMPORT, EXPORT = "1-0:1.8.", "1-0:2.8."
TOTAL_IMPORT, TOTAL_EXPORT = f"{IMPORT}0", f"{EXPORT}0"
OBIS = re.compile(r"(?:([0-9]+-[0-9]+):)?([0-9]+\.[0-9]+\.[0-9]+)(?:\*255)?")


def reduced(obis: str) -> str:
    """The register's code in the form in which it is kept (D-OBIS-1): `1.8.0` and `1-0:1.8.0*255` are `1-0:1.8.0`."""
    found = OBIS.fullmatch(obis)
    return f"{found.group(1) or '1-0'}:{found.group(2)}" if found else obis


def p_max_kw(current_a: int = MAIN_FUSE_A) -> Decimal:
    """The power of a three-phase connection at 400 V: 63 A → 43.65 kW."""
    return Decimal(math.sqrt(3) * 400 * current_a / 1000)


@dataclass(frozen=True, slots=True)
class Register:
    """One register as it was read on site; energies in kWh before the multiplier."""

    obis: str
    reading: Decimal
    at: datetime
    source: ReadingSource = ReadingSource.TYPED
    digits: int | None = None
    """Digits before the point."""
    decimals: int | None = None
    multiplier: Decimal | None = None
    last_billed: Decimal | None = None
    last_billed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter that went or came. `digits` and `decimals` are those of its type, if that is known."""

    at: datetime
    registers: tuple[Register, ...]
    is_ct: bool = False
    digits: int | None = None
    decimals: int | None = None
    history: Mapping[str, Decimal] = field(default_factory=dict)
    """Its last final readings, if it was in place before."""

    @property
    def by_obis(self) -> Mapping[str, Register]:
        """One register per code: a read-out counts before what a person typed."""
        typed_first = sorted(self.registers, key=lambda each: each.source is not ReadingSource.TYPED)
        return {each.obis: each for each in typed_first}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a visit did to the meter of a point: old out, new in, or only one of both."""

    old: Meter | None
    new: Meter | None
    forecast_kwh: Decimal | None = None
    """Per year."""
    p_max: Decimal | None = None
    generation: bool = False


@dataclass(frozen=True, slots=True)
class Implausible:
    """A rule that does not hold, for one register of one of the two meters; `detail` is restricted."""

    rule: str
    severity: Severity
    obis: str
    of_old: bool
    detail: Mapping[str, str]


Rule = Callable[[Exchange], Iterator[Implausible]]


def check(exchange: Exchange) -> list[Implausible]:
    """Ask every rule; each is silent where it lacks what it needs."""
    return [found for rule in RULES for found in rule(exchange)]


def both_readings(exchange: Exchange) -> Iterator[Implausible]:
    """R1: both readings per direction of energy; removal before installation; less than 24 h between."""
    old, new = exchange.old, exchange.new
    if old is None or new is None:
        for meter in filter(None, (old, new)):
            if not any(_is_active(each.obis) for each in meter.registers):
                yield _error("R1", TOTAL_IMPORT, meter is old, missing="reading")
        return
    exports = any(each.obis.startswith(EXPORT) for each in old.registers)
    for direction in (IMPORT, EXPORT) if exports else (IMPORT,):
        for meter in (old, new):
            if not any(each.obis.startswith(direction) for each in meter.registers):
                yield _error("R1", f"{direction}0", meter is old, missing="reading")
    if old.at > new.at or new.at - old.at >= GAP:
        times = {"removed_at": old.at.isoformat(), "installed_at": new.at.isoformat()}
        yield Implausible("R1", Severity.ERROR, TOTAL_IMPORT, False, times)


def delta(register: Register, digits: int | None, p_max: Decimal | None) -> Decimal | None:
    """Energy units since the last bill; None where only a guess could tell (R2).

    A lower reading is a rollover only with known digits, and only up to what the connection can carry.
    """
    if register.last_billed is None:
        return None
    difference = register.reading - register.last_billed
    if difference >= 0:
        return difference
    if digits is None or register.last_billed_on is None:
        return None
    rolled = Decimal(10) ** digits + difference
    days = (register.at.date() - register.last_billed_on).days
    return rolled if rolled <= cap(days, register.multiplier or Decimal(1), p_max) else None


def cap(days: int, multiplier: Decimal, p_max: Decimal | None = None) -> Decimal:
    """What can have run through a meter in so many days, in units of its register."""
    return (p_max or p_max_kw()) * days * 24 / multiplier


def no_riddle(exchange: Exchange) -> Iterator[Implausible]:
    """R2: the difference to the last billed reading is known without guessing."""
    if exchange.old is None:
        return
    for register in exchange.old.by_obis.values():
        if register.last_billed is not None and _delta_of(exchange, register) is None:
            yield _error("R2", register.obis, True, final=register.reading, last_billed=register.last_billed)


def factor_known(exchange: Exchange) -> Iterator[Implausible]:
    """R3: the energy behind current transformers needs a factor."""
    if exchange.old is not None and exchange.old.is_ct:
        for register in exchange.old.by_obis.values():
            if register.multiplier is None and _is_active(register.obis):
                yield _error("R3", register.obis, True, missing="multiplier")


def expected_consumption(exchange: Exchange) -> Iterator[Implausible]:
    """R4: consumption since the last bill lies in 0.3 to 3 times the forecast."""
    if exchange.old is None or exchange.forecast_kwh is None:
        return
    registers = exchange.old.by_obis
    total = registers.get(TOTAL_IMPORT)
    counted = [total] if total else [each for obis, each in registers.items() if obis.startswith(IMPORT)]
    days = [(each.at.date() - each.last_billed_on).days for each in counted if each.last_billed_on]
    deltas = [(_delta_of(exchange, each), each.multiplier or Decimal(1)) for each in counted]
    if not counted or len(days) < len(counted) or min(days) < SHORTEST_PERIOD_DAYS:
        return
    energy = Decimal(0)
    for difference, multiplier in deltas:
        if difference is None:
            return
        energy += difference * multiplier
    expected = exchange.forecast_kwh * min(days) / 365
    if not LOWEST * expected <= energy <= HIGHEST * expected:
        yield Implausible(
            "R4", Severity.WARNING, counted[0].obis, True, {"energy": str(energy), "expected": f"{expected:.1f}"}
        )


def tariffs_add_up(exchange: Exchange) -> Iterator[Implausible]:
    """R5: the two tariffs make the total, for both directions and both meters."""
    for meter in filter(None, (exchange.old, exchange.new)):
        for direction in (IMPORT, EXPORT):
            parts = [meter.by_obis.get(f"{direction}{number}") for number in (0, 1, 2)]
            total, first, second = parts
            if total and first and second and abs(first.reading + second.reading - total.reading) > TOLERANCE:
                yield _error("R5", total.obis, meter is exchange.old, total=total.reading)


def begins_low(exchange: Exchange) -> Iterator[Implausible]:
    """R6: a new meter shows next to nothing, a known one what it showed when it was removed."""
    if exchange.new is None:
        return
    for obis, register in exchange.new.by_obis.items():
        known = exchange.new.history.get(obis)
        if known is not None and abs(register.reading - known) > TOLERANCE:
            yield _error("R6", obis, False, initial=register.reading, last_final=known)
        elif known is None and _is_active(obis) and not 0 <= register.reading <= NEW_METER_MOST:
            yield _error("R6", obis, False, initial=register.reading)


def typed_as_read_out(exchange: Exchange) -> Iterator[Implausible]:
    """R7: what a person typed agrees in its whole digits with a read-out or a photo of the same register."""
    for meter in filter(None, (exchange.old, exchange.new)):
        typed = {each.obis: each for each in meter.registers if each.source is ReadingSource.TYPED}
        for register in meter.registers:
            person = typed.get(register.obis)
            if person and register is not person and int(person.reading) != int(register.reading):
                yield _error("R7", register.obis, meter is exchange.old, typed=person.reading, read=register.reading)


def fits_the_display(exchange: Exchange) -> Iterator[Implausible]:
    """R8: no sign, and not more digits than the meter has; the form refuses it, here it is an error."""
    for meter in filter(None, (exchange.old, exchange.new)):
        for register in meter.registers:
            digits, decimals = _display(meter, register)
            whole = len(str(abs(int(register.reading))))
            places = max(0, -int(register.reading.normalize().as_tuple().exponent))
            too_long = digits is not None and whole > digits
            too_fine = decimals is not None and places > decimals
            if register.reading < 0 or too_long or too_fine:
                yield _error("R8", register.obis, meter is exchange.old, reading=register.reading)


def generation_is_counted(exchange: Exchange) -> Iterator[Implausible]:
    """R9: a site that feeds in needs the export register; a site that does not should have nothing on it."""
    meter = exchange.new or exchange.old
    if exchange.generation and meter is not None and TOTAL_EXPORT not in meter.by_obis:
        yield _error("R9", TOTAL_EXPORT, meter is exchange.old, missing="reading")
    if not exchange.generation and exchange.old is not None and (fed := exchange.old.by_obis.get(TOTAL_EXPORT)):
        difference = _delta_of(exchange, fed)
        if difference is not None and difference > TOLERANCE:
            yield Implausible("R9", Severity.WARNING, TOTAL_EXPORT, True, {"delta": str(difference)})


RULES: Sequence[Rule] = (
    both_readings,
    no_riddle,
    factor_known,
    expected_consumption,
    tariffs_add_up,
    begins_low,
    typed_as_read_out,
    fits_the_display,
    generation_is_counted,
)


def _delta_of(exchange: Exchange, register: Register) -> Decimal | None:
    digits, _ = _display(exchange.old, register) if exchange.old else (register.digits, None)
    return delta(register, digits, exchange.p_max)


def _display(meter: Meter, register: Register) -> tuple[int | None, int | None]:
    """Digits before and after the point: those of the type, else those that were reported."""
    digits = register.digits if meter.digits is None else meter.digits
    return digits, register.decimals if meter.decimals is None else meter.decimals


def _is_active(obis: str) -> bool:
    return obis.startswith((IMPORT, EXPORT))


def _error(rule: str, obis: str, of_old: bool, **detail: Decimal | str) -> Implausible:
    return Implausible(rule, Severity.ERROR, obis, of_old, {name: str(value) for name, value in detail.items()})


def registers_of(read: Iterable[RegisterReading | RemovedRegisterReading]) -> tuple[Register, ...]:
    """The registers of a report, their codes reduced."""
    return tuple(
        Register(
            obis=reduced(each.obis),
            reading=each.reading,
            at=each.at,
            source=each.source,
            digits=each.digits,
            decimals=each.decimals,
            multiplier=getattr(each, "multiplier", None),  # only what goes was billed before
            last_billed=getattr(each, "last_billed", None),
            last_billed_on=getattr(each, "last_billed_on", None),
        )
        for each in read
    )
