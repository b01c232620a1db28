"""What each refusal of ours says and what its receiver does about it: data for docs/partners.md."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Refusal(NamedTuple):
    """A code of ours in words."""

    says: str
    do: str


_R = Refusal
# fmt: off
REPLY: Mapping[str, Refusal] = MappingProxyType({       # CIM XML and JSON
    "0.0":  _R("accepted", "nothing"),
    "0.3":  _R("it has arrived; the decision follows", "wait"),
    "1.5":  _R("the header or envelope lacks something, or has a wrong value", "mend it, send under a new id"),
    "1.6":  _R("the request lacks something", "mend it, send under a new id"),
    "1.7":  _R("the payload breaks a rule; position and detail say which", "mend it, send under a new id"),
    "1.8":  _R("it cannot be read: form, schema, document type, encoding, size", "mend it, send under a new id"),
    "1.9":  _R("a version, a namespace or a dialect that is not agreed", "agree on it first"),
    "2.4":  _R("the serial of a device has no form", "correct the serial"),
    "2.5":  _R("a noun or type that is not taken here", "look which messages are agreed"),
    "2.9":  _R("a verb that does not fit the message", "correct the verb"),
    "2.12": _R("the id of the metering point has no form, or a wrong check digit", "correct the id"),
    "2.14": _R("the sender or a party is not who it may be", "correct Source or source, or the party's code"),
    "2.15": _R("the id was used for another message, or the order is not known", "send under a new id; order first"),
    "2.32": _R("address or area is known neither from the message nor from anything on record", "add it"),
    "6.1":  _R("declined: known with other content, or already completed", "send a higher version, or accept"),
})
CSV: Mapping[str, Refusal] = MappingProxyType({
    "csv/limit":     _R("the file, a row or a cell is too large", "split it"),
    "csv/encoding":  _R("not in the agreed character set", "save it as agreed"),
    "csv/charset":   _R("a control character", "take it out"),
    "csv/syntax":    _R("quotes do not close", "close them"),
    "csv/header":    _R("a column is missing, there twice or not known", "use the names of this page"),
    "csv/columns":   _R("a row has another number of cells than the head", "mend the row"),
    "csv/duplicate": _R("order and version stand there twice", "leave one out"),
    "csv/order-no":  _R("no order number", "add it"),
    "csv/version":   _R("no version from 1", "add it"),
    "csv/action":    _R("neither order nor cancel", "correct it"),
    "csv/value":     _R("missing, or not one of the values", "correct it"),
    "csv/missing":   _R("a value that must be there", "add it"),
    "csv/date":      _R("no date of the agreed form", "write it as agreed"),
    "csv/formula":   _R("a formula in a sheet", "keep the value only"),
})
RULES: Mapping[str, Refusal] = MappingProxyType({
    "D-MELO-1": _R("a metering location has 33 characters: country, operator, postcode, place", "correct the id"),
    "D-MALO-1": _R("a market location has 11 digits with a check digit", "correct the id"),
    "D-GSRN-1": _R("a GSRN has 18 digits with the check digit of GS1", "correct the id"),
    "D-RES-1":  _R("a network, controllable or technical resource has 11 characters with a check digit",
                   "correct the id"),
    "D-MP-1":   _R("a market partner has 13 digits with a check digit", "correct the code"),
    "D-DEV-1":  _R("a serial has 1 to 35 letters, digits, dots, dashes", "correct the serial"),
    "D-OBIS-1": _R("a register has an OBIS code", "correct the code"),
    "D-OWN-3":  _R("a type of device that we do not have, or a day that is over", "correct it"),
})
HTTP: Mapping[str, Refusal] = MappingProxyType({
    "401": _R("no key, or one that does not hold any more", "use the newest key"),
    "404": _R("another partner's path, or a receipt that is none", "use your own"),
    "409": _R("in-progress: the same request is still running", "ask again in a second"),
    "413": _R("larger than agreed; nothing was stored", "split it"),
    "415": _R("declared as something that is not agreed", "declare XML, CloudEvents, EDIFACT or CSV"),
    "422": _R("idempotency-conflict: the key was used for other bytes", "a key names one message for ever"),
    "429": _R("too much at once", "wait as Retry-After says"),
    "503": _R("nothing was stored", "send the same again"),
})
# fmt: on
