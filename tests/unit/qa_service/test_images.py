"""What is read of a photo before it is unpacked, and what is left of it afterwards."""

import struct
import zlib
from datetime import UTC
from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image

from services.qa_service.errors import ImageTooLarge, InvalidImage, WrongType
from services.qa_service.images import Limits, clean

LIMITS = Limits(size=200_000, pixels=10_000, metadata=1_000)


def a_photo(kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: object) -> bytes:
    made = BytesIO()
    Image.new(mode, size).save(made, kind, **options)
    return made.getvalue()


def with_chunk(png: bytes, name: bytes, content: bytes, *, before: bytes = b"IDAT") -> bytes:
    at = png.index(before) - 4
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return png[:at] + chunk + png[at:]


def refusal(content: bytes, kind: str = "image/png", limits: Limits = LIMITS) -> str:
    with pytest.raises(InvalidImage) as refused:
        clean(content, kind, limits)
    return refused.value.errors[0].code


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB")])
def test_every_kind_of_photo_becomes_a_plain_one(kind: str, mode: str) -> None:
    photo = clean(a_photo(kind, mode=mode), f"image/{kind.lower()}", LIMITS)
    with Image.open(BytesIO(photo.content)) as copy:
        assert (copy.format, copy.mode, copy.size) == (kind, "RGB", (40, 30))


def test_what_is_transparent_stays_so() -> None:
    photo = clean(a_photo("PNG", mode="RGBA"), "image/png", LIMITS)
    with Image.open(BytesIO(photo.content)) as copy:
        assert copy.mode == "RGBA"


def test_the_same_bytes_give_the_same_copy() -> None:
    copies = [clean(a_photo("JPEG"), "image/jpeg", LIMITS).content for _ in range(3)]
    assert all(one == other for one, other in pairwise(copies))


@pytest.mark.parametrize(("size", "fits"), [((100, 100), True), ((101, 100), False)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pixels_are_counted_before_anything_is_unpacked(kind: str, size: tuple[int, int], fits: bool) -> None:
    content, media_type = a_photo(kind, size), f"image/{kind.lower()}"
    if fits:
        assert clean(content, media_type, LIMITS).media_type == media_type
    else:
        assert refusal(content, media_type) == "image/limit"


def test_a_second_header_that_says_something_else_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 200, 200, 8, 2, 0, 0, 0)
    assert refusal(with_chunk(a_photo("PNG"), b"IHDR", header)).startswith("image/")


BOMB = zlib.compress(bytes(5_000_000))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"zTXt", b"Comment\0\0" + BOMB),
        (b"iCCP", b"profile\0\0" + BOMB),
        (b"iTXt", b"Comment\0\1\0de\0xyz\0" + BOMB),
        (b"tEXt", b"Comment\0" + b"a" * 1_001),
        (b"eXIf", bytes(1_001)),
        (b"iTXt", b"Comment\0\0\0de\0xyz\0" + b"a" * 1_001),
    ],
)
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_texts_and_profiles_are_bounded_unpacked(name: bytes, content: bytes, before: bytes) -> None:
    assert refusal(with_chunk(a_photo("PNG"), name, content, before=before)) == "image/limit"


def test_a_small_text_is_dropped_and_does_no_harm() -> None:
    content = with_chunk(a_photo("PNG"), b"zTXt", b"Comment\0\0" + zlib.compress(b"canary"))
    assert b"tXt" not in clean(content, "image/png", LIMITS).content.lower()


def test_the_segments_of_a_jpeg_are_bounded_as_well() -> None:
    assert refusal(a_photo("JPEG", comment=b"a" * 1_001), "image/jpeg") == "image/limit"
    assert b"canary" not in clean(a_photo("JPEG", comment=b"canary"), "image/jpeg", LIMITS).content


def test_more_bytes_than_the_limit_are_not_even_sniffed() -> None:
    with pytest.raises(ImageTooLarge):
        clean(bytes(200_001), "image/jpeg", LIMITS)


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (a_photo("PNG"), "image/jpeg"),
        (a_photo("GIF"), "image/gif"),
        (b"<svg/>", "image/svg+xml"),
        (b"\xff", "image/jpeg"),
    ],
)
def test_the_first_bytes_tell_the_type_and_must_be_what_was_declared(content: bytes, declared: str) -> None:
    with pytest.raises(WrongType, match="image/type"):
        clean(content, declared, LIMITS)


@pytest.mark.parametrize("cut", [8, 20, 40, -30, -13])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_half_a_photo_is_none(kind: str, cut: int) -> None:
    assert refusal(a_photo(kind)[:cut], f"image/{kind.lower()}") == "image/unreadable"


def test_a_photo_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = clean(a_photo("JPEG", exif=exif), "image/jpeg", LIMITS)
    with Image.open(BytesIO(photo.content)) as copy:
        assert copy.size == (30, 40)


@pytest.mark.parametrize(
    ("taken", "offset", "captured"),
    [
        ("2026:03:02 07:30:00", "+01:00", "2026-03-02T06:30:00+00:00"),
        ("2026:03:02 07:30:00", None, None),
        ("yesterday", "+01:00", None),
    ],
)
def test_the_time_of_a_photo_counts_only_with_its_offset(taken: str, offset: str | None, captured: str | None) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: taken, **({0x9011: offset} if offset else {})})
    photo = clean(a_photo("JPEG", exif=exif), "image/jpeg", LIMITS)
    found = photo.captured_at
    assert (found.astimezone(UTC).isoformat() if found else None) == captured
