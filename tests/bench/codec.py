"""EDIFACT: interchanges parsed and written per second beside pydifact, and the memory of reading a long file."""

import gc
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterable
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


def seconds(work: Callable[[bytes], None], data: Iterable[bytes]) -> float:
    """Processor time: what else the machine does is no matter of the codec."""
    gc.collect()
    began = time.process_time()
    for each in data:
        work(each)
    return time.process_time() - began


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
    """Turns alternate, so that both meet the same machine; the best of each counts."""
    warnings.simplefilter("ignore")  # pydifact misses directories that nobody needs here
    data = list(corpus(count))
    contained = sum(len(read(each).whole().messages) for each in data)
    turns = [(seconds(ours, data), seconds(theirs, data)) for _ in range(TURNS)]
    best, other = (min(times) for times in zip(*turns, strict=True))
    with TemporaryFile() as file:
        file.writelines(Market().long(messages))
        file.seek(0)
        peak, largest = memory(file)
    return {
        "messages_per_s": contained / best,
        "pydifact_messages_per_s": contained / other,
        "ratio_pydifact": other / best,
        "mean_bytes": sum(map(len, data)) / len(data),
        "streaming_peak_bytes": peak,
        "streaming_ratio_memory": peak / (10 * largest + SPARE_BYTES),
    }


if __name__ == "__main__":
    main(run)
