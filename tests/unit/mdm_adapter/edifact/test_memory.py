"""A long file is read in the memory of its largest message (E02); the speed is measured by `hub bench`."""

from pathlib import Path

from services.mdm_adapter.dialects.edifact_fv.envelope import read
from tests.bench.codec import SPARE_BYTES, memory
from tests.bench.market import Market, corpus


def test_E02_ten_thousand_messages_are_read_in_the_memory_of_ten_and_20_mb(tmp_path: Path) -> None:
    long = tmp_path / "long.edi"
    with long.open("wb") as file:
        file.writelines(Market().long(10_000))
    with long.open("rb") as file:
        peak, largest = memory(file)
    assert long.stat().st_size > 8_000_000
    assert peak <= 10 * largest + SPARE_BYTES


def test_E02_the_corpus_of_the_bench_is_the_same_every_time_and_of_the_size_that_is_asked() -> None:
    data = list(corpus())
    assert (len(data), data) == (752, list(corpus()))
    assert 600 < sum(map(len, data)) / len(data) < 800
    assert {message.type for each in data for message in read(each)} == {
        "IFTSTA",
        "ORDERS",
        "ORDRSP",
        "MSCONS",
        "UTILMD",
        "APERAK",
    }
