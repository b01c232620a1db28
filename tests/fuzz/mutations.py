"""How a good message is spoilt: a few changes, drawn by a seed, where the structure is and where it is not."""

from collections.abc import Callable, Sequence
from random import Random

Change = Callable[[Random, bytes, Sequence[bytes]], bytes]


def flip(draw: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """One byte becomes another."""
    at = draw.randrange(len(data))
    return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]


def cut(draw: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A piece is gone."""
    at = draw.randrange(len(data))
    return data[:at] + data[at + draw.randrange(1, 40) :]


def end(draw: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """The rest is gone."""
    return data[: draw.randrange(len(data))]


def put(draw: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """A word of the language stands where it does not belong."""
    at = draw.randrange(len(data))
    return data[:at] + draw.choice(words) + data[at:]


def replace(draw: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """A word of the language stands instead of something else."""
    at = draw.randrange(len(data))
    word = draw.choice(words)
    return data[:at] + word + data[at + len(word) :]


def repeat(draw: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A piece comes again."""
    at, size = draw.randrange(len(data)), draw.randrange(1, 200)
    return data[: at + size] + data[at:]


CHANGES: Sequence[Change] = (flip, cut, end, put, put, replace, replace, repeat)


def mutated(draw: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """One to five changes."""
    for _ in range(draw.choice((1, 1, 2, 3, 5))):
        data = draw.choice(CHANGES)(draw, data, words) or b"?"
    return data
