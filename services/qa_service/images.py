"""Photos from outside: known by their first bytes, bounded before anything is unpacked, stored as a clean copy only."""

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import MappingProxyType

from services.qa_service.errors import ImageTooLarge, InvalidImage, WrongType

JPEG, PNG = "image/jpeg", "image/png"
MAGIC: Mapping[bytes, str] = MappingProxyType({b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG})
TYPE, LIMIT, UNREADABLE = "image/type", "image/limit", "image/unreadable"
JPEG_QUALITY = 90
TAKEN, OFFSET = 0x9003, 0x9011
"""EXIF: DateTimeOriginal and OffsetTimeOriginal."""
EXIF = 0x8769
PICTURE = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"})
PACKED = frozenset({b"zTXt", b"iTXt", b"iCCP"})
BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of JPEG without a length."""
SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of frame: markers that tell height and width."""
LIBRARY = (OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError, struct.error, zlib.error)
"""What the library raises over bytes that are no image, or half of one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one photo may hold (SEC-UP-01)."""

    size: int = 15_000_000
    """Bytes."""
    pixels: int = 50_000_000
    metadata: int = 1_000_000
    """Bytes, unpacked."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is stored: upright, without metadata, position or anything behind its end."""

    content: bytes
    media_type: str
    captured_at: datetime | None
    """When the device says it was taken; only if it names its offset from UTC."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What an image says of itself before it is unpacked."""

    width: int
    height: int
    metadata: int
    """Bytes of texts, profiles and EXIF, unpacked."""


def too_large(limits: Limits) -> ImageTooLarge:
    return ImageTooLarge(LIMIT, f"at most {limits.size} bytes")


def clean(content: bytes, declared: str, limits: Limits) -> Photo:
    """Make the copy that is stored; raises InvalidImage. One at a time: the library's warnings are the process's."""
    if len(content) > limits.size:
        raise too_large(limits)
    kind = sniffed(content)
    if kind is None:
        raise WrongType(TYPE, "a JPEG or PNG image")
    if kind != declared:
        raise WrongType(TYPE, f"the declared type; its first bytes are those of {kind}")
    outline = _outline(content, kind, limits)
    _refuse_large(outline.width, outline.height, limits)
    if outline.metadata > limits.metadata:
        raise InvalidImage(LIMIT, f"at most {limits.metadata} bytes of metadata")
    return _decoded(content, kind, limits)


def sniffed(content: bytes) -> str | None:
    """The media type that the first bytes tell; nothing else is believed."""
    return next((kind for magic, kind in MAGIC.items() if content.startswith(magic)), None)


def _outline(content: bytes, kind: str, limits: Limits) -> Outline:
    try:
        return OUTLINES[kind](content, limits)
    except (struct.error, zlib.error, IndexError):
        raise _unreadable() from None


def _png_outline(content: bytes, limits: Limits) -> Outline:
    width, height = struct.unpack_from(">II", content, 16)
    metadata = 0
    for name, chunk in _chunks(content):
        metadata += 0 if name in PICTURE else max(len(chunk), _unpacked(name, chunk, limits.metadata))
        if metadata > limits.metadata:
            break  # unpacking more of them would be the very work that is refused
    return Outline(width, height, metadata)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk up to the end of the image, which must be there."""
    at = 8
    while at + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        name = content[at + 4 : at + 8]
        yield name, content[at + 8 : at + 8 + length]
        if name == b"IEND":
            return
        at += 12 + length
    raise _unreadable()


def _unpacked(name: bytes, chunk: bytes, most: int) -> int:
    """Bytes of a packed text or profile; nothing beyond the limit is ever unpacked."""
    if name not in PACKED:
        return 0
    _, _, rest = chunk.partition(b"\0")  # behind the keyword
    packed = rest[1:]  # behind the method
    if name == b"iTXt":
        if rest[:1] != b"\1":
            return 0  # this text is not packed
        packed = rest[2:].split(b"\0", 2)[-1]  # behind language and translated keyword
    try:
        return len(zlib.decompressobj().decompress(packed, most + 1))
    except zlib.error:
        return 0


def _jpeg_outline(content: bytes, limits: Limits) -> Outline:  # noqa: ARG001 - nothing in it is packed
    width = height = metadata = 0
    for marker, at, length in _segments(content):
        if marker in SIZES:
            height, width = struct.unpack_from(">HH", content, at + 1)
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            metadata += length
    return Outline(width, height, metadata)


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, place and length of each segment before the first scan."""
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            raise _unreadable()
        marker = content[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker in BARE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if length < 2:
            raise _unreadable()
        yield marker, at + 4, length - 2
        if marker == 0xDA:
            return
        at += 2 + length


OUTLINES: Mapping[str, Callable[[bytes, Limits], Outline]] = MappingProxyType({JPEG: _jpeg_outline, PNG: _png_outline})


def _refuse_large(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise InvalidImage(LIMIT, f"at most {limits.pixels} pixels")


def _decoded(content: bytes, kind: str, limits: Limits) -> Photo:
    """Decode to the end, turn upright, encode anew. What the library warns of is as bad as what it refuses."""
    from PIL import Image, ImageOps  # slow to import; only uploads need it

    name = kind.removeprefix("image/").upper()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            with Image.open(BytesIO(content), formats=(name,)) as image:
                _refuse_large(image.width, image.height, limits)  # a second header may say something else
                image.load()
                captured_at = _captured_at(image.getexif().get_ifd(EXIF))
                upright = ImageOps.exif_transpose(image)
                alpha = kind == PNG and upright.has_transparency_data
                copy = upright.convert("RGBA" if alpha else "RGB")
        except (*LIBRARY, Image.DecompressionBombError) as error:
            raise _unreadable() from error
    if any("PIL" in each.filename for each in warned):
        raise _unreadable()
    copy.info.clear()  # comments and profiles would go along
    encoded = BytesIO()
    if kind == JPEG:
        copy.save(encoded, "JPEG", quality=JPEG_QUALITY)
    else:
        copy.save(encoded, "PNG")
    return Photo(encoded.getvalue(), kind, captured_at)


def _captured_at(exif: Mapping[int, object]) -> datetime | None:
    taken, offset = exif.get(TAKEN), exif.get(OFFSET)
    if not isinstance(taken, str) or not isinstance(offset, str):
        return None
    try:
        return datetime.strptime(f"{taken.strip()}{offset.strip()}", "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        return None


def _unreadable() -> InvalidImage:
    return InvalidImage(UNREADABLE, "an image that can be decoded to its end")
