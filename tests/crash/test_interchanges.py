"""The adapter dies while it tells the market: every document has one effect there, and every answer one effect here."""

from collections import Counter
from pathlib import Path

import pytest

from contracts.event import EVENTS
from contracts.handovers import HandoverFailed
from kit import faults
from kit.bus import Abandon, Record
from kit.processing import Processor
from kit.testing import wire
from simulators import facts
from tests.crash.report import say
from tests.crash.test_inbound import Adapter
from tests.services.mdm_adapter.exchanges import ERP, PROFILE, US, Writing, kind, said
from tests.services.mdm_adapter.market import with_parties
from tests.services.mdm_adapter.scenes import opened, requested, visited

BY_FILE = "transports: {in: [{kind: file_drop}], out: [{kind: file_drop}]}"
BY_REST = "transports: {{in: [{{kind: rest}}], out: [{{kind: rest}}]}}"
POINTS = [point for group in ("inbound", "effect", "timer", "consume") for point in faults.GROUPS[group]]
NOT_HERE = {"consume.fetched", "consume.offset_committed"}
"""Points of a broker's consumer."""


class Grid(Writing, Adapter):
    """The adapter with a grid operator that works on files: it takes a document once, and answers every file."""

    def __init__(self, folder: Path, point: str, hit: int) -> None:
        partners = folder / "partners"
        partners.mkdir()
        (partners / "erp-a.yaml").write_text(ERP.replace(BY_REST.replace("{{", "{").replace("}}", "}"), BY_FILE))
        profile = PROFILE.replace(BY_REST, BY_FILE.replace("{", "{{").replace("}", "}}"))
        profile = profile.format(partner="nb-nord", role="NB", code=facts.MARKET_CODES["nb"])
        (partners / "nb-nord.yaml").write_text(profile)
        self.answered, self.effects = set[str](), Counter[str]()
        super().__init__(folder, point, hit, partners_dir=partners, market_id=US)
        self.records = [self._record(number, fact) for number, fact in enumerate((opened(), visited(), requested()))]

    def _record(self, number: int, fact: object) -> Record:
        return wire(fact, self.new_id(), self.clock.now(), number + 1, number + 1)  # type: ignore[arg-type]

    async def works(self) -> None:
        await super().works()
        service = self.service
        for record in self.records:  # a broker delivers again until it knows better
            await Processor(service.name, service.store, service.handlers).deliver([record], Abandon())
        await super().works()
        self._operator_works()

    def _operator_works(self) -> None:
        """Take every new file; the number of a document tells a repetition."""
        home = self.folder / "drop" / "nb-nord"
        for file in sorted((home / "out").glob("*.edi")):
            if file.name in self.answered:
                continue
            content = file.read_bytes()
            self.answered.add(file.name)
            if kind(content).startswith(("APERAK", "CONTRL")):
                continue
            documents = said(content, "BGM", 2)
            self.effects.update(f"{kind(content)} {number}" for number in documents)
            bodies = [self.receipt("nb", content, number=number) for number in range(len(documents))]
            (home / "in" / file.name).write_bytes(self.written("nb", "APERAK", *bodies))


@pytest.mark.parametrize("hit", [1, 3])
@pytest.mark.parametrize("point", [point for point in POINTS if point not in NOT_HERE])
async def test_E16_a_document_has_one_effect_at_the_partner_wherever_we_die(
    tmp_path: Path, point: str, hit: int
) -> None:
    grid = Grid(tmp_path, point, hit)
    await grid.service.store.db.transact(grid.service.metadata.create_all)
    for partner in ("erp-a", "nb-nord"):
        (tmp_path / "drop" / partner / "in").mkdir(parents=True)
    (tmp_path / "drop" / "erp-a" / "in" / "order.xml").write_bytes(with_parties("nb"))
    with faults.armed(grid.at_point):
        await grid.lives()
    told = [EVENTS[row.headers["ce_type"]].from_json(row.value) for row in await grid.rows("outbox")]
    rows = {row.document: row.state for row in await grid.rows("handover_rows") if row.recipient == "nb-nord"}
    await grid.service.store.db.close()
    say(f"{point}:{hit} embedded: {grid.deaths} death, {sum(grid.effects.values())} documents")
    assert grid.deaths == 1
    assert sorted(each.partition(" ")[0] for each in grid.effects) == ["13017", "13017", "55643"]
    assert set(grid.effects.values()) == {1}
    assert rows == {"device_exchange_completed": "TRANSFERRED", "meter_readings": "TRANSFERRED"}
    assert not any(isinstance(fact, HandoverFailed) for fact in told)
