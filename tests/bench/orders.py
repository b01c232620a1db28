"""Orders in CIM XML, drawn by a seed: single messages as partners write them, and long files of many."""

from collections.abc import Iterator
from random import Random

from contracts.ids import gsrn_check_digit

SEED = 2610
STREETS = ("Prøveveien", "Lindenstraße", "Strandgata", "Kirchgäßchen", "Bakken")
CITIES = ("Fjordby", "Möhrenbach", "Nordstadt", "Sundvik")
NAMES = ("Kari Prøve", "Jörg Müller", "Nora O'Beispiel", "Änne Groß")
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<m:RequestMessage xmlns:m="http://iec.ch/TC57/2011/schema/message">
  <m:Header>
    <m:Verb>create</m:Verb>
    <m:Noun>ServiceOrders</m:Noun>
    <m:Revision>1.0</m:Revision>
    <m:Timestamp>2026-11-23T08:00:00Z</m:Timestamp>
    <m:Source>KIS-NORD</m:Source>
    <m:AckRequired>true</m:AckRequired>
    <m:MessageID>M-{number:08d}</m:MessageID>
    <m:CorrelationID>M-{number:08d}</m:CorrelationID>
    <m:Property><m:Name>plan</m:Name><m:Value>MME</m:Value></m:Property>
    <m:Property><m:Name>legal_basis</m:Name><m:Value>mandatory</m:Value></m:Property>
    <m:Property><m:Name>party.nb</m:Name><m:Value>7080000000012</m:Value></m:Property>
  </m:Header>
  <m:Payload>
    <s:ServiceOrders xmlns:s="http://iec.ch/TC57/2011/ServiceOrders#">
"""
ORDER = """      <s:ServiceOrder>
        <s:mRID>WO-{number:08d}</s:mRID>
        <s:revisionNumber>1</s:revisionNumber>
        <s:priority>3</s:priority>
        <s:Work>
          <s:kind>meter</s:kind>
          <s:statusKind>waitingToBeScheduled</s:statusKind>
          <s:TimeSchedules>
            <s:kind>earliest</s:kind>
            <s:scheduleInterval><s:start>2027-03-01T07:00:00Z</s:start></s:scheduleInterval>
          </s:TimeSchedules>
          <s:TimeSchedules>
            <s:kind>latest</s:kind>
            <s:scheduleInterval><s:end>2027-05-31T16:00:00Z</s:end></s:scheduleInterval>
          </s:TimeSchedules>
          <s:Customers>
            <s:name>{name}</s:name>
            <s:phone><s:ituPhone>+491713920007</s:ituPhone></s:phone>
          </s:Customers>
          <s:WorkLocation>
            <s:mainAddress>
              <s:streetDetail><s:number>{house}</s:number><s:name>{street}</s:name></s:streetDetail>
              <s:townDetail><s:code>9999</s:code><s:section>3</s:section><s:name>{city}</s:name>\
<s:country>NO</s:country></s:townDetail>
              <s:postalCode>9990</s:postalCode>
            </s:mainAddress>
          </s:WorkLocation>
          <s:WorkTask>
            <s:taskKind>{kind}</s:taskKind>
            <s:OldAsset><s:serialNumber>1OLD{number:010d}</s:serialNumber></s:OldAsset>
            <s:UsagePoint><s:mRID>{point}</s:mRID></s:UsagePoint>
          </s:WorkTask>
        </s:Work>
      </s:ServiceOrder>
"""
TAIL = """    </s:ServiceOrders>
  </m:Payload>
</m:RequestMessage>
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
