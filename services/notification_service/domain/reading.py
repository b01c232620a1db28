"""How a customer's reply is read: classes of phrases are counted, the first rule that fits decides.

What follows from a reading is decided by booking_service alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.codes import Reading
from services.notification_service.domain import codes
from services.notification_service.domain.phrases import EMOJI, PHRASES, WRONG_NUMBER, Class

_DROPPED = re.compile("['’‘ʼ`´′＇\U0001f3fb-\U0001f3ff︎️]")
_WORD = re.compile(rf"\d+[:.]\d+|[^\W_]+|[{''.join(sorted(EMOJI))}]")


@dataclass(frozen=True, slots=True)
class Read:
    """A reply as understood: the code that stood in it, what the rest says, and how sure that is (0 to 1)."""

    code: str | None
    reading: Reading
    confidence: Decimal
    hint: str | None = None
    rest: str = ""
    """The text without its code."""


def read(text: str, *, exact_case: bool = False) -> Read:
    """Read a reply. With `exact_case` only OK in capitals is an exact OK (parity with the Powercatch guide)."""
    code, rest = codes.find(text)
    reading, confidence, hint = _understood(rest, exact_case)
    return Read(code, reading, Decimal(confidence), hint, rest)


def _understood(rest: str, exact_case: bool) -> tuple[Reading, str, str | None]:
    plain = unicodedata.normalize("NFKC", rest).strip()
    words = _words(rest)
    if not words:
        return Reading.UNCLEAR, "0", None
    if (plain if exact_case else plain.upper()) == "OK":
        return Reading.EXACT_OK, "1.0", None
    if words in _STOPS or words[0] in ("stop", "stopp"):
        return Reading.STOP, "1.0", None
    if any(_contains(words, phrase) for phrase in _WRONG):
        return Reading.UNCLEAR, "0.3", "wrong_number"
    return *_weighed(_count(words), "?" in plain, any(map(_has_digit, words))), None


def _weighed(count: Counter[Class | None], asked: bool, figures: bool) -> tuple[Reading, str]:
    """The rules that look at how often each class occurs; None counts the words of no class."""
    yes, no, unknown = count[Class.YES], count[Class.NO], count[None]
    if count[Class.CONTACT]:
        return Reading.CONTACT, "0.9"
    if no and not yes and not asked:
        return Reading.DECLINE, "0.9" if unknown <= 3 else "0.7"
    if yes and not (no or asked or figures or count[Class.BLOCKER]):
        if unknown > 2:
            return Reading.UNCLEAR, "0.5"
        return Reading.LIKELY_OK, "0.80" if unknown else "0.95"
    return Reading.UNCLEAR, "0.5" if yes or no else "0.2"


def _count(words: Sequence[str]) -> Counter[Class | None]:
    """How often each class occurs: longest phrase first, from left to right."""
    count: Counter[Class | None] = Counter()
    at = 0
    while at < len(words):
        for size in range(min(_LONGEST, len(words) - at), 0, -1):
            found = _CLASS_OF.get(tuple(words[at : at + size]))
            if found or size == 1:
                count[found] += 1
                at += size
                break
    return count


def _words(text: str) -> tuple[str, ...]:
    """Words, times such as 10:30 and a few emoji, in comparison form; everything else is a blank."""
    bare = _DROPPED.sub("", text)
    plain = unicodedata.normalize("NFKC", _DROPPED.sub("", unicodedata.normalize("NFKC", bare)).casefold())
    return tuple(_WORD.findall(plain))


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    return any(words[at : at + len(phrase)] == phrase for at in range(len(words) - len(phrase) + 1))


def _has_digit(word: str) -> bool:
    return any(symbol.isdigit() for symbol in word)


_CLASS_OF = {_words(phrase): its for its, phrases in PHRASES.items() for phrase in phrases.split(",")}
_LONGEST = max(map(len, _CLASS_OF))
_STOPS = frozenset(words for words, its in _CLASS_OF.items() if its is Class.STOP)
_WRONG = tuple(_words(phrase) for phrase in WRONG_NUMBER)
