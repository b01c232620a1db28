"""EDIFACT: interchanges parsed and written per second beside pydifact, and the memory of reading a long file."""

import math
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from tempfile import TemporaryFile
from typing import BinaryIO

from pydifact.segmentcollection import Interchange as Pydifact

from services.mdm_adapter.dialects.edifact_fv.envelope import read
from services.mdm_adapter.dialects.edifact_fv.writing import write
from tests.bench.child import Measured, main
from tests.bench.market import Market, corpus

TURNS = 5
SPARE_BYTES = 20_000_000
"""What reading may use beside ten times the largest message."""


def ours(data: bytes) -> None:
    """Parse and write once."""
    write(read(data).whole())


def theirs(data: bytes) -> None:
    """The same by pydifact."""
    Pydifact.from_str(data.decode("latin-1")).serialize()


def best_of(work: Callable[[bytes], None], data: Sequence[bytes], best: list[float]) -> None:
    """One turn; of each interchange the best time is kept: what else the machine does is no matter of the codec."""
    for index, each in enumerate(data):
        began = time.perf_counter()
        work(each)
        best[index] = min(best[index], time.perf_counter() - began)


def memory(source: BinaryIO) -> tuple[int, int]:
    """The peak while all messages of a file are read one by one, and the size of the largest one."""
    largest = 0
    tracemalloc.start()
    try:
        for message in read(source):
            largest = max(largest, sum(map(len, message.texts)) + len(message.texts))
        return tracemalloc.get_traced_memory()[1], largest
    finally:
        tracemalloc.stop()


async def run(count: int, messages: int) -> Measured:
    """Turns alternate, so that both meet the same machine."""
    warnings.simplefilter("ignore")  # pydifact misses directories that nobody needs here
    data = list(corpus(count))
    contained = sum(len(read(each).whole().messages) for each in data)
    mine, other = ([math.inf] * len(data) for _ in range(2))
    for _ in range(TURNS):
        best_of(ours, data, mine)
        best_of(theirs, data, other)
    with TemporaryFile() as file:
        file.writelines(Market().long(messages))
        file.seek(0)
        peak, largest = memory(file)
    return {
        "messages_per_s": contained / sum(mine),
        "pydifact_messages_per_s": contained / sum(other),
        "ratio_pydifact": sum(other) / sum(mine),
        "mean_bytes": sum(map(len, data)) / len(data),
        "streaming_peak_bytes": peak,
        "streaming_ratio_memory": peak / (10 * largest + SPARE_BYTES),
    }


if __name__ == "__main__":
    main(run)
