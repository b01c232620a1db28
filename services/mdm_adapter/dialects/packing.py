"""A message may come packed by gzip: it is unpacked once, and never to more than it may have."""

import zlib

from services.mdm_adapter.dialects.findings import Finding

MAGIC = b"\x1f\x8b"
TIMES = 20
"""How much larger than its file the content may be."""
INFLATION = "INFLATION"
CODE = "1.8"
GZIP_WINDOW = 31
"""What zlib is told so that it expects gzip's own frame and nothing else."""


def is_packed(data: bytes) -> bool:
    """Whether these bytes are gzip's."""
    return data[:2] == MAGIC


def unpacked(data: bytes, most: int) -> tuple[bytes, Finding | None]:
    """The content of a message; what is packed twice, broken or unpacks to too much is refused with INFLATION."""
    if not is_packed(data):
        return data, None
    limit = min(most, TIMES * len(data))
    reader = zlib.decompressobj(GZIP_WINDOW)
    try:
        content = reader.decompress(data, limit + 1)
    except zlib.error:
        return b"", _refused("not readable as gzip")
    if len(content) > limit:
        return b"", _refused(f"unpacks to more than {limit} bytes: at most {TIMES} times its size, and {most} in all")
    if not reader.eof or reader.unused_data:
        return b"", _refused("one whole gzip member is expected, and nothing behind it")
    if is_packed(content):
        return b"", _refused("packed twice; one level is unpacked")
    return content, None


def _refused(detail: str) -> Finding:
    return Finding(CODE, "file", detail, rule=INFLATION)
