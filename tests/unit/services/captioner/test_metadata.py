"""Metadata never refuses a picture: what shapes no pixel may be anything, or damaged."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from racro.contracts.errors import InvalidImage, RacroError
from racro.servekit.image_types import media_type_of
from services.captioner.images import decode_image
from services.captioner.metadata import without_metadata
from services.captioner.settings import CaptionerSettings
from support.bombs import icon_files, jpeg_files, png_files
from support.heic import HEIC
from support.pictures import encoded, text_picture

DESCRIPTION, ORIENTATION = 0x10E, 0x112
LIMITS = CaptionerSettings().image_limits
SHORT_EXIF = b"MM\0\x2a\0\0\0\x08\xff\xff\x01\x12\0\x03"
TWO_MIB = 2 * 2**20


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    image = decode_image(data, param="images[0]", limits=LIMITS)
    return image.size, image.tobytes()


def plain(form: str, **options) -> bytes:
    return encoded(text_picture("42"), form, **options)


def lying_on_its_side() -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif


def with_chunk(chunk: bytes, data: bytes | None = None) -> bytes:
    data = data or plain("PNG")
    return data[:33] + chunk + data[33:]


def wrong(kind: bytes, content: bytes) -> bytes:
    """A chunk whose checksum is wrong."""
    return png_files.chunk(kind, content)[:-4] + b"\0\0\0\0"


CHUNKS = {
    "zTXt over a mebibyte": png_files.compressed_text(TWO_MIB),
    "iTXt over a mebibyte": png_files.compressed_utf8_text(TWO_MIB),
    "iCCP over a mebibyte": png_files.color_profile(TWO_MIB),
    "zTXt that is not compressed": png_files.chunk(b"zTXt", b"Comment\0\0\xff\xff"),
    "tEXt with a wrong checksum": wrong(b"tEXt", b"Comment\0hello"),
    "gAMA with a wrong checksum": wrong(b"gAMA", b"\0\0\0\1"),
    "eXIf with a wrong checksum": wrong(b"eXIf", SHORT_EXIF),
    "eXIf that ends early": png_files.chunk(b"eXIf", SHORT_EXIF),
    "eXIf that is none": png_files.chunk(b"eXIf", b"none"),
    "pHYs that is too short": png_files.chunk(b"pHYs", b"\0"),
    "cHRM that is empty": png_files.chunk(b"cHRM"),
    "tRNS that is too short": png_files.chunk(b"tRNS", b"\0"),
    "an animation of no frames": png_files.chunk(b"acTL", b"\0"),
    "a chunk that nobody knows": wrong(b"abCd", b"\0"),
}


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_a_png_is_seen_with(chunk) -> None:
    data = plain("PNG")
    assert pixels(with_chunk(chunk)) == pixels(data)
    # The same behind the pixels.
    assert pixels(data[:-12] + chunk + data[-12:]) == pixels(data)


def test_a_png_is_turned_and_transparent_without_its_other_metadata() -> None:
    ink = text_picture("42", mode="L")
    data = encoded(ink, transparency=255, exif=lying_on_its_side())
    assert pixels(with_chunk(png_files.compressed_text(TWO_MIB), data)) == pixels(data)
    assert pixels(data)[0] == (120, 320)


def test_transparency_with_a_wrong_checksum_is_transparency() -> None:
    data = encoded(text_picture("42").quantize(4), transparency=bytes(range(0, 256, 64)))
    at = data.index(b"tRNS")
    damaged = data[: at + 8] + b"\0\0\0\0" + data[at + 12 :]
    assert pixels(damaged) == pixels(data)


@pytest.mark.parametrize("has_default_image", [False, True])
def test_an_animated_png_is_what_pillow_shows_first(has_default_image) -> None:
    frames = [text_picture(text) for text in "123"]
    data = encoded(
        frames[0], save_all=True, append_images=frames[1:], default_image=has_default_image
    )
    assert pixels(with_chunk(png_files.compressed_text(TWO_MIB), data)) == pixels(data)


SEGMENTS = {
    "an Adobe segment that ends early": jpeg_files.segment(0xEE, b"Adobe"),
    "a JFIF segment that ends early": jpeg_files.segment(0xE0, b"JFIF\0"),
    "EXIF that is none": jpeg_files.segment(0xE1, b"Exif\0\0none"),
    "EXIF that ends early": jpeg_files.segment(0xE1, b"Exif\0\0" + SHORT_EXIF),
    "a directory of pictures that is none": jpeg_files.segment(0xE2, b"MPF\0none"),
    "a directory of pictures that ends early": jpeg_files.segment(0xE2, b"MPF\0" + SHORT_EXIF),
    "a colour profile without a number": jpeg_files.segment(0xE2, b"ICC_PROFILE\0"),
    "a colour profile's ninth part of one": jpeg_files.segment(0xE2, b"ICC_PROFILE\0\x09\x01x"),
    "Photoshop's data that ends early": jpeg_files.segment(
        0xED, b"Photoshop 3.0\x008BIM\x03\xed\0"
    ),
    "ten megabytes of comments": jpeg_files.segment(0xFE, bytes(60_000)) * 170,
    "XMP that is none": jpeg_files.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<"),
}


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
def test_a_jpeg_is_seen_with(segment) -> None:
    data = plain("JPEG")
    assert pixels(jpeg_files.with_segments(data, segment)) == pixels(data)


def test_a_jpeg_keeps_its_orientation_and_its_colours() -> None:
    data = encoded(text_picture("42").convert("CMYK"), "JPEG", exif=lying_on_its_side())
    bare = without_metadata(
        jpeg_files.with_segments(data, SEGMENTS["EXIF that is none"]), "image/jpeg"
    )
    assert b"Adobe" in bare
    assert pixels(jpeg_files.with_segments(data, jpeg_files.segment(0xEE, b"Adobe"))) == pixels(
        data
    )


def webp_with(kind: bytes, content: bytes, *, length: int | None = None) -> bytes:
    """A lossless WebP with that chunk behind its pixels."""
    data = plain("WEBP", lossless=True, icc_profile=b"none")
    size = len(content) if length is None else length
    data += kind + struct.pack("<I", size) + content
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def avif_with_damaged_exif() -> bytes:
    exif = Image.Exif()
    exif[DESCRIPTION] = "a description"
    begin = exif.tobytes()[6:14]
    data = plain("AVIF", exif=exif)
    assert begin in data
    return data.replace(begin, b"damaged!")


def tiff_with(tag: int, *, value: bytes) -> bytes:
    """A TIFF with a field of so many characters at a place far behind its end."""
    data = plain("TIFF", tiffinfo={tag: "a description"})
    at = data.index(struct.pack("<HH", tag, 2), int.from_bytes(data[4:8], "little"))
    return data[: at + 4] + value + data[at + 12 :]


def jp2_with_box(length: int) -> bytes:
    data = plain("JPEG2000")
    at = data.index(b"jp2c") - 4
    return data[:at] + struct.pack(">I4s", length, b"xml ") + b"<none/>" + data[at:]


OTHERS: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "webp, EXIF": (lambda: webp_with(b"EXIF", b"none"), plain("WEBP", lossless=True)),
    "webp, a long chunk": (
        lambda: webp_with(b"XMP ", b"<", length=2**30),
        plain("WEBP", lossless=True),
    ),
    "avif, EXIF": (avif_with_damaged_exif, plain("AVIF")),
    "gif, comments": (lambda: plain("GIF", comment=bytes(60_000)), plain("GIF")),
    "tiff, a far description": (
        lambda: tiff_with(270, value=struct.pack("<II", 15, 2**31)),
        plain("TIFF"),
    ),
    "tiff, a long description": (
        lambda: tiff_with(270, value=struct.pack("<II", 2**31, 8)),
        plain("TIFF"),
    ),
    "jpeg 2000, a long box": (lambda: jp2_with_box(2**31), plain("JPEG2000")),
    "jpeg 2000, a short box": (lambda: jp2_with_box(3), plain("JPEG2000")),
    "ico, a text": (lambda: icon_files.with_inflating_text(TWO_MIB), png_files.black(8, 8)),
}


@pytest.mark.parametrize(("make", "expected"), OTHERS.values(), ids=OTHERS)
def test_another_format_is_seen_with(make, expected) -> None:
    assert pixels(make()) == pixels(expected)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "JPEG2000"])
def test_what_is_behind_an_image_is_ignored(form) -> None:
    data = plain(form)
    assert pixels(data + b"\0\0\0\x18ftypmp42" + bytes(10_000)) == pixels(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"])
def test_pixels_that_are_cut_off_are_refused(form) -> None:
    data = plain(form)
    with pytest.raises(InvalidImage, match="truncated or damaged"):
        pixels(data[: len(data) // 2])


def refused_field(data: bytes) -> str | None:
    """Return the field that a refusal names; None where the picture is seen."""
    try:
        without_metadata(data, media_type_of(data, param="images[0]"))
        pixels(data)
    except RacroError as error:
        return error.param
    return None


SMALL = Image.effect_noise((24, 16), 60).convert("RGB")
WHOLE = [
    *(
        encoded(SMALL, form, exif=lying_on_its_side())
        for form in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF")
    ),
    *(encoded(SMALL, form) for form in ("GIF", "BMP", "ICO", "JPEG2000")),
    encoded(SMALL, "TIFF", compression="tiff_lzw"),
    encoded(SMALL, "TIFF", big_tiff=True),
    encoded(SMALL, "JPEG2000", no_jp2=True),
    HEIC,
]


@settings(deadline=None, max_examples=300)
@given(
    data=st.sampled_from(WHOLE),
    flips=st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 255)), max_size=6),
    kept=st.floats(0.1, 1),
)
def test_a_damaged_file_is_seen_or_refused(data, flips, kept) -> None:
    damaged = bytearray(data)
    for at, bits in flips:
        damaged[at % len(damaged)] ^= bits
    cut = bytes(damaged[: round(kept * len(damaged))])
    assert refused_field(cut) in (None, "images[0]")


@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG", "GIF", "BMP", "TIFF"])
def test_what_a_file_is_padded_with_refuses_nothing(form: str) -> None:
    assert pixels(plain(form) + bytes(TWO_MIB)) == pixels(plain(form))
