"""Dialogue codes: short, safe against misreading, found in whatever a customer types around them."""

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator

ALPHABET = "23456789CDFGHJKMNPRTVWX"
"""No vowels, so no words; none of 0 O Q 1 I L S Z B Y, which are misread."""

BASE, BODY = len(ALPHABET), 8
LENGTH = BODY + 1
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_WEIGHTS = tuple(range(LENGTH, 0, -1))
_SIMILAR = str.maketrans({"B": "8", "S": "5", "Z": "2", "U": "V"})
_CYRILLIC = str.maketrans("АВСЕНІЈКМОРЅТУХ", "ABCEHIJKMOPSTYX")
_DROPPED = re.compile(r"[\s\-‐‑‒–—―−._/]+")
_WORD = re.compile(r"[^\W_](?:[\w\-‐‑‒–—―−./]*[^\W_])?")


def check_symbol(body: str) -> str:
    """The ninth symbol: it makes the weighted sum of all nine divisible by 23."""
    total = sum(weight * _VALUE[symbol] for weight, symbol in zip(_WEIGHTS, body, strict=False))
    return ALPHABET[-total % BASE]


def is_code(text: str) -> bool:
    """Nine symbols of the alphabet with the right check symbol and at least one digit.

    Every single wrong symbol and every swap of two symbols breaks it.
    """
    if len(text) != LENGTH or not all(symbol in _VALUE for symbol in text):
        return False
    return check_symbol(text[:BODY]) == text[BODY] and any(symbol.isdigit() for symbol in text)


def normalised(text: str) -> str | None:
    """The code as stored, from what was typed; None if it is none."""
    plain = unicodedata.normalize("NFKC", text).upper().translate(_CYRILLIC)
    code = _DROPPED.sub("", plain).translate(_SIMILAR)
    return code if is_code(code) else None


def written(code: str) -> str:
    """The code as people read it, `XXX-XXX-XXX`."""
    return f"{code[:3]}-{code[3:6]}-{code[6:]}"


def find(text: str) -> tuple[str | None, str]:
    """The first code in a text, made of one to three neighbouring words, and the text without it."""
    plain = unicodedata.normalize("NFKC", text)
    words = list(_WORD.finditer(plain))
    for first in range(len(words)):
        for last in range(first, min(first + 3, len(words))):
            start, end = words[first].start(), words[last].end()
            if _only_blanks(plain, words, first, last) and (code := normalised(plain[start:end])):
                return code, f"{plain[:start]} {plain[end:]}"
    return None, text


def candidates(key: bytes, subject: str) -> Iterator[tuple[int, str]]:
    """Codes for a subject, best first, each with its salt; the next one is taken when a hash is taken already."""
    salt = 0
    while True:
        code = made(key, f"{subject}|{salt}")
        if any(symbol.isdigit() for symbol in code):
            yield salt, code
        salt += 1


def made(key: bytes, message: str) -> str:
    """Nine symbols from a keyed hash, so that a code can be rebuilt and is stored only as a hash."""
    number = int.from_bytes(hmac.new(key, message.encode(), hashlib.sha256).digest()[:16]) % BASE**BODY
    symbols = []
    for _ in range(BODY):
        number, value = divmod(number, BASE)
        symbols.append(ALPHABET[value])
    body = "".join(reversed(symbols))
    return body + check_symbol(body)


def link_token(key: bytes, message: str) -> str:
    """128 bits as 22 characters base64url: nobody guesses one, and it can be rebuilt."""
    digest = hmac.new(key, message.encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def keyed_hash(pepper: bytes, text: str) -> str:
    """How codes and numbers are stored and looked up: both spaces are small, so the hash is keyed."""
    return hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()


def _only_blanks(plain: str, words: list[re.Match[str]], first: int, last: int) -> bool:
    """Neighbours: nothing but white space and separators of a code stands between them."""
    return all(not _DROPPED.sub("", plain[words[at].end() : words[at + 1].start()]) for at in range(first, last))
