"""What an approval is a signature of: form, answers and evidence as one hash (qa page, section 8)."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from pydantic import JsonValue

from contracts.event import Part
from contracts.ids import Code, EvidenceId


class SealedItem(Part):
    """One piece of evidence as it was approved."""

    evidence_id: EvidenceId
    kind: Code
    sha256: str
    """Of the stored bytes."""


class Seal(Part):
    """Everything that a digest was made of: whoever looks later can name what differs."""

    form: str
    """`<form_key>@<version>`."""
    answers_sha256: str
    items: tuple[SealedItem, ...]

    @property
    def digest(self) -> str:
        """The hash over all of it."""
        lines = [f"form {self.form} {self.answers_sha256}"]
        ordered = sorted(self.items, key=lambda item: str(item.evidence_id))
        lines += [f"evidence {item.evidence_id} {item.kind} {item.sha256}" for item in ordered]
        return digest_of(lines)


def canonical(answers: Mapping[str, JsonValue]) -> bytes:
    """Answers as bytes that are equal when they are: keys by code point, no blanks, nothing escaped."""
    return json.dumps(_plain(answers), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def answers_hash(answers: Mapping[str, JsonValue]) -> str:
    """SHA-256 of the canonical answers."""
    return sha256(canonical(answers)).hexdigest()


def digest_of(lines: Iterable[str]) -> str:
    """SHA-256 over lines that each end with a line feed."""
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Decimal numbers as text: two writers print one of them alike."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
