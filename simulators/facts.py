"""Fictitious facts of order and stock: valid identifiers, invented people, postcodes of nowhere."""

from dataclasses import dataclass

from contracts.ids import malo_check_digit

OPERATOR = "nord"
PARTNER, FILE_PARTNER, UNKNOWN_PARTNER = "erp-a", "erp-csv", "erp-neu"
MARKET = {"nb-nord": "nb", "lf-nord": "lf", "wmsb-nord": "wmsb", "mdm-b": "mdm"}
"""Partners of the market and a second ordering system, and what they are."""
MARKET_CODES = {"nb": "9900001000002", "lf": "9900357000003", "wmsb": "4012345000009", "msba": "9900002000001"}
NEWCOMER, NEWCOMER_CODE = "nb-neu", "9900003000000"
"""A grid operator of which the hub has no profile at first, and its number."""
HUB_CODE, ELSEWHERE = "9900000001019", "9900123000005"
"""The hub's own number in the market, and that of somebody who is not on stage."""
SKILLS = "meter_1ph meter_3ph meter_ct smgw silke_trained"
TOLERANT_OPERATOR = "sued"
"""Takes what most likely means yes for a yes."""
NAMES = ("Ahorn", "Birke", "Eiche", "Fichte", "Linde", "Tanne", "Ulme", "Weide")


@dataclass(frozen=True)
class OrderFacts:
    """What the partner says of one order."""

    number: int
    amended: bool = False
    """As the partner corrected it."""

    @property
    def order_no(self) -> str:
        return f"A-{self.number:06}"

    @property
    def metering_point(self) -> str:
        return f"DE00012300101{self.number:020}"

    @property
    def malo(self) -> str:
        """The market location behind the metering point."""
        body = f"5{self.number:09}"
        return f"{body}{malo_check_digit(body)}"

    @property
    def old_serial(self) -> str:
        return f"1OLD0{int(self.amended)}{self.number:08}"

    @property
    def name(self) -> str:
        return f"Familie {NAMES[self.number % len(NAMES)]} {self.number}"

    @property
    def phone(self) -> str:
        return f"+49151{20_000_000 + self.number}"

    @property
    def home_phone(self) -> str:
        """A line that no text reaches, of the numbers that are kept for stories."""
        return f"+493023125{self.number % 1000:03}"

    @property
    def street(self) -> str:
        return f"{NAMES[self.number % len(NAMES)]}weg"

    @property
    def house_number(self) -> str:
        return str(1 + self.number % 140 + 200 * self.amended)

    @property
    def postcode(self) -> str:
        return f"0010{1 + self.number % 9}"


def number_at(partner: str, number: int) -> str:
    """The number of an order at a partner beside the ERP."""
    return f"{partner[0].upper()}-{number:06}"


def metering_point_of(number: int) -> str:
    """Where the work of an order is done."""
    return OrderFacts(number).metering_point


def number_of(metering_point: str) -> int:
    """The order that a metering point belongs to."""
    return int(metering_point[-8:])


def order_no_at(metering_point: str) -> str:
    """The ERP's order for this point; the point itself where it is none of the facts'."""
    number = int(metering_point[-8:]) if metering_point[-8:].isdigit() else 0
    return OrderFacts(number).order_no if metering_point_of(number) == metering_point else metering_point


def number_of_old(serial: str) -> int:
    """The order that an old meter belongs to; 0: it is none of the old ones."""
    return int(serial[-8:]) if serial.startswith("1OLD") else 0


def new_serial(number: int) -> str:
    """A new meter of the stock."""
    return f"1HUB00{number:08}"


def stock(meters: int, gateways: int) -> bytes:
    """The delivery as the warehouse's CSV."""
    lines = [f"HUB;{new_serial(number)};mme_3ph" for number in range(1, meters + 1)]
    for number in range(1, gateways + 1):
        lines += [f"HUB;EHUB00{number:08};smgw_lte", f"HUB;EHUB01{number:08};antenna_lte"]
    return "\n".join(["manufacturer;serial;device_type", *lines, ""]).encode()
