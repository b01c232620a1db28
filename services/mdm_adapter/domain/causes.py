"""Why something lies in quarantine, what that means, and what a person can do about it: data for desk and page."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Cause(NamedTuple):
    """What a cause says, in words for a partner, and what helps, in words for the desk."""

    means: str
    remedy: str


# fmt: off
CAUSES: Mapping[str, Cause] = MappingProxyType({
    "UNKNOWN_PARTNER":       Cause("nobody has a profile under the name that it came by",
                                   "write the profile, then retry"),
    "SENDER_MISMATCH":       Cause("it declares a sender that is not the partner whose key or folder it came by",
                                   "ask the partner; correct the identity in its profile and retry, or discard"),
    "NOT_EDIFACT":           Cause("an interchange begins with UNA or UNB; this one does not",
                                   "fix the bytes, or ask for the file again and discard"),
    "TOO_LARGE":             Cause("it is larger than agreed",
                                   "raise limits.message_bytes and retry, or ask for smaller files"),
    "INFLATION":             Cause("compressed, it holds more than 20 times its size",
                                   "discard, and ask the partner what it was"),
    "MULTIPLE_INTERCHANGES": Cause("one file is one interchange; here another one follows",
                                   "fix: hand each in on its own"),
    "ID_REUSED":             Cause("its id was used for other bytes before",
                                   "fix the id when the content is new, or discard"),
    "CONFLICT":              Cause("this version of the order is known with other content",
                                   "ask which one holds; fix the version, or discard"),
    "UNCORRELATED":          Cause("it answers nothing that this partner was sent",
                                   "fix the reference, or discard"),
    "SIGNATURE":             Cause("its signature does not fit its bytes",
                                   "ask the partner; with a new secret in place it sends again; discard"),
    "UNENCODABLE":           Cause("a document of ours has characters that the dialect cannot carry",
                                   "resend with an edit"),
    "POISON":                Cause("working on it failed three times",
                                   "report the defect; retry after the next release"),
})
# fmt: on
OF_A_ROW = Cause("a row of a file breaks this rule", "fix the row, or ask for it again and discard")


def cause_of(code: str) -> Cause:
    """What a cause says; whatever is not in the table is the rule that a row of a file broke."""
    return CAUSES.get(code, OF_A_ROW)
