"""Messages that are broken on purpose, each kind in its own way."""

import re
from collections.abc import Callable, Mapping
from random import Random

from simulators.partner import Unspeakable

DTD = b"<!DOCTYPE m [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>"
_GROWS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE m [<!ENTITY e0 "ha">{_GROWS}]>'.encode()
"""A billion laughs, if anybody lets them out."""
# fmt: off
KINDS: Mapping[str, Callable[[bytes], bytes]] = {
    "truncated":    lambda content: content[: len(content) * 2 // 3],
    "wrong_count":  lambda content: re.sub(rb"UNT\+\d+", b"UNT+99", content),
    "wrong_total":  lambda content: re.sub(rb"UNZ\+\d+", b"UNZ+99", content),
    "wrong_number": lambda content: re.sub(rb"(UNZ\+\d+)\+[A-Z0-9]+", rb"\1+OTHER", content),
    "charset":      lambda content: content.replace(b"UNOC:3", b"UNOB:1"),
    "utf16":        lambda content: content.decode("latin-1").encode("utf-16"),
    "version":      lambda content: re.sub(rb"(UNH\+[^']*:UN:)[^']+", rb"\g<1>9.9", content),
    "lower_case":   lambda content: content.lower(),
    "two":          lambda content: content + content,
    "test":         lambda content: re.sub(rb"(UNB\+[^']*)'", rb"\1++++++1'", content),
    "random":       lambda content: Random(len(content)).randbytes(len(content)),
    "dtd":          lambda content: content.replace(b"?>", b"?>" + DTD, 1),
    "bomb":         lambda content: content.replace(b"?>", b"?>" + BOMB, 1),
    "namespace":    lambda content: content.replace(b"2011/schema/message", b"1999/schema/message"),
    "empty":        lambda content: content[:0],
}
# fmt: on
"""What becomes of a good message; those with segments are for EDIFACT, those with markup for XML."""


def spoilt(kind: str, content: bytes) -> bytes:
    """A message as this kind of garbage. Raises Unspeakable for a kind that this message does not know."""
    garbage = KINDS[kind](content) if kind in KINDS else content
    if garbage == content:
        raise Unspeakable(f"no garbage of kind {kind}")
    return garbage
