"""Orders in CIM XML, drawn by a seed: single messages as partners write them, and long files of many."""

from collections.abc import Iterator
from random import Random

from contracts.ids import gsrn_check_digit

SEED = 2610
STREETS = ("Prøveveien", "Lindenstraße", "Strandgata", "Kirchgäßchen", "Bakken")
CITIES = ("Fjordby", "Möhrenbach", "Nordstadt", "Sundvik")
NAMES = ("Kari Prøve", "Jörg Müller", "Nora O'Beispiel", "Änne Groß")
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Orders of the day, handed over by the export of the customer system. One message per order; what is not said here
     stands in the master data of the point. Questions: the integration desk, with the id of the message. -->
<message:RequestMessage xmlns:message="http://iec.ch/TC57/2011/schema/message"
                        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                        xsi:schemaLocation="http://iec.ch/TC57/2011/schema/message Message.xsd
                                            http://iec.ch/TC57/2011/ServiceOrders# ServiceOrders.xsd">
    <message:Header>
        <message:Verb>create</message:Verb>
        <message:Noun>ServiceOrders</message:Noun>
        <message:Revision>1.0</message:Revision>
        <message:Timestamp>2026-11-23T08:00:00Z</message:Timestamp>
        <message:Source>KIS-NORD</message:Source>
        <message:AckRequired>true</message:AckRequired>
        <message:MessageID>M-{number:08d}</message:MessageID>
        <message:CorrelationID>M-{number:08d}</message:CorrelationID>
        <message:Property>
            <message:Name>plan</message:Name>
            <message:Value>MME</message:Value>
        </message:Property>
        <message:Property>
            <message:Name>legal_basis</message:Name>
            <message:Value>mandatory</message:Value>
        </message:Property>
        <message:Property>
            <message:Name>party.nb</message:Name>
            <message:Value>7080000000012</message:Value>
        </message:Property>
    </message:Header>
    <message:Payload>
        <orders:ServiceOrders xmlns:orders="http://iec.ch/TC57/2011/ServiceOrders#">
"""
ORDER = """            <orders:ServiceOrder>
                <orders:mRID>WO-{number:08d}</orders:mRID>
                <orders:revisionNumber>1</orders:revisionNumber>
                <orders:priority>3</orders:priority>
                <orders:Work>
                    <orders:kind>meter</orders:kind>
                    <orders:statusKind>waitingToBeScheduled</orders:statusKind>
                    <orders:TimeSchedules>
                        <orders:kind>earliest</orders:kind>
                        <orders:scheduleInterval>
                            <orders:start>2027-03-01T07:00:00Z</orders:start>
                        </orders:scheduleInterval>
                    </orders:TimeSchedules>
                    <orders:TimeSchedules>
                        <orders:kind>latest</orders:kind>
                        <orders:scheduleInterval>
                            <orders:end>2027-05-31T16:00:00Z</orders:end>
                        </orders:scheduleInterval>
                    </orders:TimeSchedules>
                    <orders:Customers>
                        <orders:name>{name}</orders:name>
                        <orders:phone>
                            <orders:ituPhone>+491713920007</orders:ituPhone>
                        </orders:phone>
                    </orders:Customers>
                    <orders:WorkLocation>
                        <orders:mainAddress>
                            <orders:streetDetail>
                                <orders:number>{house}</orders:number>
                                <orders:name>{street}</orders:name>
                            </orders:streetDetail>
                            <orders:townDetail>
                                <orders:code>9999</orders:code>
                                <orders:section>3</orders:section>
                                <orders:name>{city}</orders:name>
                                <orders:country>NO</orders:country>
                            </orders:townDetail>
                            <orders:postalCode>9990</orders:postalCode>
                        </orders:mainAddress>
                    </orders:WorkLocation>
                    <orders:WorkTask>
                        <orders:taskKind>{kind}</orders:taskKind>
                        <orders:OldAsset>
                            <orders:serialNumber>1OLD{number:010d}</orders:serialNumber>
                        </orders:OldAsset>
                        <orders:UsagePoint>
                            <orders:mRID>{point}</orders:mRID>
                        </orders:UsagePoint>
                    </orders:WorkTask>
                </orders:Work>
            </orders:ServiceOrder>
"""
TAIL = """        </orders:ServiceOrders>
    </message:Payload>
</message:RequestMessage>
"""


def order(number: int, draw: Random, kind: str = "exchange") -> str:
    """One ServiceOrder; a kind of work that is none makes it invalid."""
    body = f"7070575{draw.randrange(10**10):010d}"
    return ORDER.format(
        number=number,
        name=draw.choice(NAMES),
        house=draw.randrange(1, 99),
        street=draw.choice(STREETS),
        city=draw.choice(CITIES),
        kind=kind,
        point=f"{body}{gsrn_check_digit(body)}",
    )


def corpus(count: int, seed: int = SEED) -> list[bytes]:
    """Messages of one order each."""
    draw = Random(seed)
    return [f"{HEAD.format(number=number)}{order(number, draw)}{TAIL}".encode() for number in range(1, count + 1)]


def long_file(size: int, invalid: float | None = None) -> Iterator[bytes]:
    """One message of about so many bytes; with `invalid` the order after that part of it is no valid one."""
    draw, written, number, spoilt = Random(SEED), 0, 0, False
    yield HEAD.format(number=0).encode()
    while written < size:
        number += 1
        is_bad = invalid is not None and not spoilt and written >= invalid * size
        spoilt = spoilt or is_bad
        each = order(number, draw, "swap" if is_bad else "exchange").encode()
        written += len(each)
        yield each
    yield TAIL.encode()
