"""docs/partners.md: every example is a message as it is judged and taken, and every refusal of ours is explained."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub.partner_page import PARTS, PLACE, filled
from services.mdm_adapter.app import build
from services.mdm_adapter.checking import check
from services.mdm_adapter.dialects.cim_xml import codes
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.domain.causes import CAUSES
from services.mdm_adapter.partners import refusals
from services.mdm_adapter.partners.loader import Partners
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.scenes import Scene

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/partners.md").read_text("utf-8")
ADAPTER = ROOT / "services/mdm_adapter"
PROFILES = Partners.load(ADAPTER / "partners/examples")
EXAMPLE = re.compile(r"<!-- example: (\S+) (\S+)(?: (\S+))? -->\n```\w+\n(.*?)\n```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(PAGE)
ENCODINGS = {"werke-auental": "cp1252"}


@pytest.mark.parametrize(("partner", "verdict", "at", "text"), EXAMPLES)
def test_an_example_is_judged_as_the_page_says(partner: str, verdict: str, at: str, text: str) -> None:
    received = datetime.fromisoformat(at).replace(tzinfo=MARKET) if at else None
    profile = PROFILES.find(partner)
    found = check(text.encode(ENCODINGS.get(partner, "utf-8")), profile, None, received)
    assert (found.content, found.exit_code, found.core in {"ok", "n/a"}, profile is None) == (
        verdict,
        0,
        True,
        partner == "-",
    )


async def test_the_orders_of_the_page_are_taken_as_they_stand(tmp_path: Path) -> None:
    scene = await Scene.open(build, tmp_path, settings=Settings, partners_dir=ADAPTER / "partners/examples")
    await scene.passes(timedelta(days=2))
    for partner, verdict, _, text in EXAMPLES:
        if verdict == "accept":
            await scene.comes(text.encode(), partner)
    states = [row.state for row in await scene.rows("inbound_messages")]
    orders = {row.order_key: row.cancelled_version for row in await scene.rows("orders")}
    await scene.close()
    assert states == ["PROCESSED"] * 3
    assert orders == {
        "grid-fjord:NIS-4711": 2,
        "werke-auental:2026-0815": None,
        "werke-auental:2026-0816": None,
        "werke-auental:2026-0817": 2,
    }


def test_there_is_an_example_of_every_dialect_and_a_made_part_of_every_table() -> None:
    languages = set(re.findall(r"```(\w+)\n", PAGE))
    assert (languages >= {"xml", "json", "csv", "edi"}, len(EXAMPLES) >= 9) == (True, True)
    assert sorted(found[1] for found in PLACE.finditer(PAGE)) == sorted(PARTS)


def test_the_page_is_filled_from_the_code_and_says_so_twice_alike() -> None:
    assert (filled(PAGE), filled("<!-- made: rules -->\nold\n<!-- /made -->").count("D-MELO-1")) == (PAGE, 1)
    with pytest.raises(KeyError):
        filled("<!-- made: nothing -->\n<!-- /made -->")


def test_every_code_that_we_answer_with_is_explained() -> None:
    ours = {value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)}
    assert ours - refusals.REPLY.keys() == set()


def test_every_finding_of_a_file_of_rows_and_every_rule_is_explained() -> None:
    sources = [ROOT / "kit/csvs.py", *(ADAPTER / "dialects").rglob("*.py")]
    said = "".join(file.read_text("utf-8") for file in sources)
    rows, rules = set(re.findall(r'"(csv/[a-z-]+)"', said)), set(re.findall(r'"(D-[A-Z]+-\d+)"', said))
    assert (rows - refusals.CSV.keys() - {"csv/serial"}, rules - refusals.RULES.keys(), bool(rows)) == (
        set(),
        set(),
        True,
    )


def test_every_cause_of_quarantine_that_the_code_names_is_explained() -> None:
    causes = set(re.findall(r'"([A-Z_]{5,})"', (ADAPTER / "aside.py").read_text("utf-8")))
    assert (causes - CAUSES.keys(), bool(causes)) == (set(), True)
