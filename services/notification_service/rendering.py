"""A letter as PDF: the paper is a typst file of ours, what it says goes in as JSON and is never read as markup."""

import io
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files

from services.notification_service.domain.letters import Paper

PAPER = "letter.typ"


@dataclass(frozen=True, slots=True)
class Printout:
    """A rendered letter. The same paper gives the same bytes."""

    content: bytes
    sheets: int
    """Printed on one side."""


def rendered(paper: Paper) -> Printout:
    """Render a letter: tagged PDF, A4, with the fonts that typst brings and no other."""
    import typst  # its binary is large, and most processes never write a letter

    said = asdict(paper) | {"qr": _qr(paper.link) if paper.link else None}
    given = {"letter": json.dumps(said, ensure_ascii=False)}
    content = typst.compile(_source(), ignore_system_fonts=True, sys_inputs=given)
    sheets = typst.query(_source(), "<sheets>", field="value", one=True, ignore_system_fonts=True, sys_inputs=given)
    return Printout(content, json.loads(sheets))


def _qr(link: str) -> str:
    """Error level M, as SVG."""
    import segno

    drawn = io.BytesIO()
    segno.make_qr(link, error="m").save(drawn, kind="svg", border=4, xmldecl=False)
    return drawn.getvalue().decode()


@cache
def _source() -> bytes:
    return (files("services.notification_service") / "texts" / PAPER).read_bytes()
