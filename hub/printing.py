"""Tables for people: as wide as a terminal is, in a pipe a line per row; what a stranger wrote moves no cursor."""

from collections.abc import Iterable, Sequence
from typing import Any

ENDLESS = 10_000
"""Columns of a pipe: a program that reads lines wants them whole."""


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "") -> None:
    """A table on standard output; without rows it says so."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    out = Console(markup=False, emoji=False, highlight=False)
    if not out.is_terminal:
        out = Console(markup=False, emoji=False, highlight=False, width=ENDLESS)
    made = Table(
        title=title or None, caption=note or None, title_justify="left", caption_justify="left", box=box.SIMPLE
    )
    for name in head:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(words(cell) for cell in row))
    if made.row_count:
        out.print(made)
    else:
        out.print(f"{title or 'result'}: nothing")


def words(value: Any) -> str:
    """A value as it is read; control characters show as a dot."""
    if value is None or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={words(each)}" for name, each in value.items() if each is not None)
    return "".join(sign if sign.isprintable() or sign == "\n" else "·" for sign in str(value))


def markdown(title: str, head: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "") -> str:
    """The same table as Markdown."""
    lines = (head, ["---"] * len(head), *rows)
    drawn = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
    return "\n\n".join(part for part in (f"## {title}", note, drawn) if part)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|")
