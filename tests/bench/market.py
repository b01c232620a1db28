"""Interchanges of the German market, drawn by a seed: canonical bytes as partners and we send them, mean 0.7 kB."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from contracts.ids import malo_check_digit
from services.mdm_adapter.dialects.edifact_fv.envelope import build
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET, begin_of_day, written
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.versions import version_at
from services.mdm_adapter.dialects.edifact_fv.writing import write

COUNT, SEED, PARTNERS = 752, 2610, 24
STREETS = ("Am Hang", "Lindenstraße", "Straße des 18. Oktober", "Kirchgäßchen", "Goethestr.")
CITIES = ("Auental", "Möhrenbach", "Neustadt", "Süderende")
NAMES = ("Probe:Ada", "Müller:Jörg", "O'Beispiel:Nora", "Groß:Änne")
OBIS = ("1-0:1.8.0", "1-0:2.8.0", "1-0:1.8.1", "1-0:1.8.2")


def seg(text: str) -> Segment:
    """A segment from the way people write it: `DTM+137:202611200000?+00:303`."""
    marked = text.replace("?+", "\0").replace("?:", "\1")
    tag, *elements = marked.split("+")
    parts = [tuple(part.replace("\0", "+").replace("\1", ":") for part in element.split(":")) for element in elements]
    return Segment(tag, tuple(parts))


class Market:
    """Draws parties, points and moments, and makes messages of them."""

    def __init__(self, seed: int = SEED) -> None:
        self.random = Random(seed)
        self.count = 0
        bodies = [f"99{self.random.randrange(10**10):010d}" for _ in range(PARTNERS)]
        self.partners = [f"{body}{malo_check_digit(body)}" for body in bodies]

    def interchange(self) -> bytes:
        """One interchange."""
        self.count += 1
        draw = self.random
        sent = datetime(2026, 10, 5, 6, tzinfo=UTC) + timedelta(minutes=draw.randrange(80_000))
        self.sent, (self.sender, self.receiver) = sent, draw.sample(self.partners, 2)
        kind, messages = draw.choices(
            (("IFTSTA", 1), ("ORDERS", 1), ("ORDRSP", 1), ("MSCONS", 2), ("UTILMD", 1), ("APERAK", 1), ("APERAK", 2)),
            weights=(14, 12, 10, 20, 30, 9, 5),
        )[0]
        make = getattr(self, f"_{kind.lower()}")
        bodies = []
        for number in range(1, messages + 1):
            version = version_at(kind, sent.astimezone(MARKET).replace(tzinfo=None))
            assert version is not None
            bodies.append([Segment("UNH", ((f"M{number:04d}",), version.identifier())), *map(seg, make(number))])
        local = sent.astimezone(MARKET)
        application = "++VL" if kind == "MSCONS" else ""
        parties = f"{self.sender}:500+{self.receiver}:500"
        head = seg(f"UNB+UNOC:3+{parties}+{local:%y%m%d:%H%M}+HUB{self.count:011d}{application}")
        return write(build(head, bodies))

    def long(self, messages: int) -> Iterator[bytes]:
        """One interchange of many messages, piece by piece."""
        self.sent, (self.sender, self.receiver) = datetime(2026, 11, 20, 6, tzinfo=UTC), self.partners[:2]
        yield f"UNB+UNOC:3+{self.sender}:500+{self.receiver}:500+261120:0700+HUB1'\n".encode()
        for number in range(1, messages + 1):
            body = [f"UNH+M{number}+UTILMD:D:11A:UN:S2.2", *self._utilmd(number)]
            lines = [line.replace("'", "?'") for line in (*body, f"UNT+{len(body) + 1}+M{number}")]
            yield "".join(f"{line}'\n" for line in lines).encode("latin-1")
        yield f"UNZ+{messages}+HUB1'\n".encode()

    def _melo(self) -> str:
        return f"DE000999{self.random.randrange(10**5):05d}{self.random.randrange(10**20):020d}"

    def _time(self, moment: datetime) -> str:
        return f"{written(moment).replace('+', '?+')}:303"

    def _day(self, ahead: int) -> str:
        return self._time(begin_of_day((self.sent + timedelta(days=ahead)).date()))

    def _begin(self, document: str) -> list[str]:
        return [f"BGM+{document}", f"DTM+137:{self._time(self.sent)}"]

    def _parties(self) -> list[str]:
        return [f"NAD+MS+{self.sender}::293", f"NAD+MR+{self.receiver}::293"]

    def _number(self, kind: str) -> str:
        return f"HUB-{kind}-{self.random.randrange(10**6):06d}"

    def _device(self) -> str:
        return f"1{self.random.choice(('EMH', 'LGZ', 'ITR'))}00{self.random.randrange(10**8):08d}"

    def _iftsta(self, number: int) -> list[str]:
        sender, receiver = self._parties()
        code = self.random.choice(("Z74", "Z75", "A01:E_0286", "A02:E_0286"))
        pid = self.random.choice(("21025", "21027"))
        begin = [*self._begin(f"Z09+{self._number('D')}"), receiver, sender]
        return [*begin, f"CNI+{number}", f"LOC+172+{self._melo()}", f"STS+Z15+Z13+{code}", f"RFF+Z13:{pid}"]

    def _orders(self, _: int) -> list[str]:
        begin = [*self._begin(f"Z12+{self._number('D')}"), f"DTM+203:{self._day(40)}", "RFF+Z13:17011"]
        contact = ["CTA+IC+:Probe", "COM+netz@example.de:EM", "COM+?+4934100000:TE"]
        sender, receiver = self._parties()
        point = ["NAD+DP", f"LOC+172+{self._melo()}", "LIN+1+Z19", "PIA+5+9991000002082:Z11", "UNS+S"]
        return [*begin, sender, *contact, receiver, *point]

    def _ordrsp(self, _: int) -> list[str]:
        begin = [*self._begin(f"Z12+{self._number('D')}"), f"DTM+203:{self._day(30)}", f"RFF+ON:{self._number('D')}"]
        pid, code = self.random.choice((("19005", "A02"), ("19006", "A01")))
        return [*begin, f"RFF+Z13:{pid}", f"AJT+{code}+E_0249", *self._parties(), "UNS+S"]

    def _mscons(self, _: int) -> list[str]:
        lines = [*self._begin(f"7+{self._number('D')}+9"), "RFF+Z13:13017", *self._parties(), "UNS+D", "NAD+DP"]
        lines += [f"LOC+172+{self._melo()}", f"RFF+MG:{self._device()}"]
        for position, obis in enumerate(self.random.sample(OBIS, self.random.choice((1, 1, 2))), 1):
            value = f"{self.random.randrange(10**6)}.{self.random.randrange(1, 10)}"
            lines += [f"LIN+{position}", f"PIA+5+{obis.replace(':', '?:')}:SRW", f"QTY+220:{value}"]
            lines += [
                f"DTM+7:{self._day(-3)}",
                f"DTM+60:{self._time(begin_of_day((self.sent - timedelta(days=3)).date()))}",
            ]
        return lines

    def _utilmd(self, _: int) -> list[str]:
        gateway, meter = self._device(), self._device()
        name, street = self.random.choice(NAMES), self.random.choice(STREETS)
        address = f"{street}::{self.random.randrange(1, 99)}+{self.random.choice(CITIES)}++10115+DE"
        lines = [
            *self._begin(f"E03+{self._number('D')}"),
            *self._parties(),
            f"IDE+24+{self._number('V')}",
            "STS+7++ZX7",
        ]
        lines += [f"LOC+Z17+{self._melo()}", "RFF+Z13:55643", "RFF+Z49::1", f"DTM+Z25:{self._day(-3)}"]
        lines += ["SEQ+Z18+1", "CCI+++E04", "CAV+E06", "SEQ+Z03+1", f"RFF+Z14:{gateway}", "CCI+++E13", "CAV+MME:::Z04"]
        lines += [f"CAV+Z30:::{meter}", "CAV+ETZ", "CAV+ERZ", "CAV+Z58:::Z07", "CCI+++Z28", "CAV+HUT", "SEQ+Z20+1"]
        lines += [f"RFF+Z14:{gateway}", f"RFF+AGK:{self._number('K')}", "PIA+5+1-0?:1.8.0:SRW", "CCI+++ZE4", "CAV+ZD9"]
        lines += [
            "CCI+11++Z33",
            "CAV+:::6:1",
            "SEQ+Z05+1",
            f"RFF+MG:{meter}",
            "CCI+++Z26",
            f"CAV+Z30:::{self._device()}",
        ]
        lines += ["CAV+LTE", "SEQ+Z13+1", "CCI+++Z75", f"CAV+Z30:::{gateway}"]
        person = f"{name}::::Z01"
        for role, text in (
            ("Z07", person),
            ("Z08", f"{person}+{address}"),
            ("Z03", f"+{address}"),
            ("Z05", f"{person}+{address}"),
        ):
            lines += [f"NAD+{role}+++{text}", "RFF+Z46:1"]
        return lines

    def _aperak(self, _: int) -> list[str]:
        kind = self.random.choice(("312", "312", "313"))
        lines = [*self._begin(f"{kind}+{self._number('A')}"), f"RFF+ACE:HUB{self.random.randrange(10**11):011d}"]
        lines += [f"DTM+171:{self._time(self.sent)}", f"RFF+AGO:{self._number('D')}", f"RFF+TN:{self._number('V')}"]
        lines += self._parties()
        if kind == "313":
            lines += ["ERC+Z35", "FTX+ABO+++MeLo kürzer als 33 Zeichen", f"RFF+TN:{self._number('V')}"]
            lines += ["FTX+Z02+++Messlokation:LOC?+Z17?+DE000999"]
        return lines


def corpus(count: int = COUNT, seed: int = SEED) -> Iterator[bytes]:
    """The same interchanges for the same seed."""
    market = Market(seed)
    return (market.interchange() for _ in range(count))
