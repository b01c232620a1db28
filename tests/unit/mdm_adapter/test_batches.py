"""Files of many orders (X20): one record in memory at a time, judged as a whole before anything is taken."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from services.mdm_adapter.dialects.cim_xml.batches import RECORD_BYTES, Surveyed, survey, taken
from services.mdm_adapter.dialects.cim_xml.messages import decode
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from tests.bench.orders import HEAD, TAIL, corpus, long_file
from tests.services.mdm_adapter.scenes import order

ROOT = Path(__file__).resolve().parents[3]
RUN = """
import json, sys
from tests.bench.xml_codec import read_long, resident_peak_mb
before = resident_peak_mb()
with open(sys.argv[1], "rb") as file:
    orders, refused = read_long(file)
print(json.dumps([orders, refused, before, resident_peak_mb()]))
"""


def of(*parts: bytes) -> io.BytesIO:
    return io.BytesIO(b"".join(parts))


def both(source: io.BytesIO, *, atomic: bool) -> tuple[Surveyed, list[str]]:
    seen = survey(source, None, None)
    return seen, [item.order_no for item in taken(source, None, None, seen, atomic=atomic)]


def test_X20_a_long_file_is_read_in_the_memory_of_one_order(tmp_path: Path) -> None:
    long = tmp_path / "long.xml"
    with long.open("wb") as file:
        file.writelines(long_file(12_000_000, invalid=2 / 3))
    command = [sys.executable, "-c", RUN, str(long)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    orders, refused, before, after = json.loads(done.stdout)
    assert (orders > 3_000, refused) == (True, 1)
    assert (after < 100, after - before < 15) == (True, True)


def test_X20_one_bad_order_at_two_thirds_refuses_an_atomic_file_without_any_effect() -> None:
    seen, numbers = both(of(*long_file(100_000, invalid=2 / 3)), atomic=True)
    assert (seen.findings, seen.refused, numbers) == ([], 1, [])


def test_X20_one_bad_order_at_two_thirds_is_one_row_of_the_error_file() -> None:
    source = of(*long_file(100_000, invalid=2 / 3))
    seen, numbers = both(source, atomic=False)
    (bad,) = seen.faults
    assert bad.row is not None
    assert numbers == [f"WO-{number:08d}" for number in range(1, seen.records + 1) if number != bad.row]
    head, row = seen.error_file.decode().splitlines()
    assert head == "row;order_no;line;position;code;detail"
    assert row.startswith(
        f"{bad.row};WO-{bad.row:08d};{bad.findings[0].line};/ServiceOrder/Work/WorkTask/taskKind;1.8;"
    )


def test_X20_an_order_of_a_file_says_the_same_as_in_a_message_of_its_own() -> None:
    for message in corpus(20):
        source = io.BytesIO(message)
        (item,) = taken(source, None, None, survey(source, None, None))
        (alone,) = decode(message, None, None).items
        assert isinstance(item.document, WorkOrderRequested)
        assert (item.document, item.row) == (alone.document, 1)


def test_a_content_error_refuses_its_order_alone() -> None:
    bad = order("WO-2", point="707057500012345672")
    seen, numbers = both(io.BytesIO(bad), atomic=False)
    assert ([found.code for item in seen.faults for found in item.findings], numbers) == (["2.12"], [])


WHOLE = corpus(1)[0]
ONE = WHOLE.split(b"<orders:ServiceOrders ")[1].split(b">\n", 1)[1].split(b"        </orders:ServiceOrders>")[0]
START, END = HEAD.format(number=1).encode(), TAIL.encode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "1.8"),
        (b"<!DOCTYPE a>" + WHOLE, "1.8"),
        (b"<!--" + b"x" * 2 * RECORD_BYTES + b"-->" + ONE, "1.8"),
        (START + ONE, "1.8"),
        (START + END, "1.8"),
        (START + b"<orders:other/>" + ONE + END, "1.8"),
        (START + ONE + b"<orders:other/>" + END, "1.8"),
        (START + b"<orders:a>" + ONE + b"</orders:a>" + END, "1.8"),
        (WHOLE.replace(b"RequestMessage", b"EventMessage"), "1.8"),
        (WHOLE.replace(b">create<", b">get<"), "2.9"),
        (WHOLE.replace(b"<message:Source>KIS-NORD</message:Source>", b""), "1.5"),
        (
            WHOLE.replace(b"<message:Comment", b"").replace(
                b"</message:Payload>", b"<message:Other/></message:Payload>"
            ),
            "1.8",
        ),
        (WHOLE.replace(b"TC57/2011/schema", b"TC57/2009/schema"), "1.8"),
        (
            START
            + b"<orders:ServiceOrder><orders:mRID>"
            + b"x" * 2 * RECORD_BYTES
            + b"</orders:mRID></orders:ServiceOrder>"
            + END,
            "1.8",
        ),
        (START + b"<orders:other/>" * 200_000 + ONE + END, "1.8"),
    ],
)
def test_X20_a_file_that_is_wrong_as_a_whole_is_refused_and_nothing_of_it_is_taken(content: bytes, code: str) -> None:
    seen, numbers = both(io.BytesIO(content), atomic=False)
    assert ([found.code for found in seen.findings], numbers) == ([code], [])


@example(269, b"A")
@given(some.integers(0, len(WHOLE) - 1), some.binary(min_size=1, max_size=4))
def test_SEC_IN_04_a_damaged_file_is_read_or_refused_with_findings(at: int, damage: bytes) -> None:
    seen, numbers = both(io.BytesIO(WHOLE[:at] + damage + WHOLE[at + len(damage) :]), atomic=False)
    assert bool(seen.findings) or seen.records == seen.refused + len(numbers)
