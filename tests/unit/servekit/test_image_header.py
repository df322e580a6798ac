"""Headers: the type and the size of any file, by its bytes alone, or what it is instead."""

import gzip
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from racro.contracts.errors import InvalidImage, RacroError, TooLarge, UnsupportedMediaType
from racro.contracts.image_limits import PAGE_PIXELS
from racro.servekit.image_header import ImageHeader, read_header
from services.captioner.settings import CaptionerSettings
from support.heic import HEIC, turned
from support.pictures import encoded

LIMITS = CaptionerSettings().image_limits
WIDTH, HEIGHT = 60, 40
PIXELS = WIDTH * HEIGHT


def header_of(data: bytes) -> ImageHeader:
    return read_header(data, LIMITS, param="images[0]")


def made(form: str, **options) -> Callable[[], bytes]:
    return lambda: encoded(Image.new("RGB", (WIDTH, HEIGHT), "red"), form, **options)


def bitmap_of_os2() -> bytes:
    rows = bytes(4 * (WIDTH * 3 // 4)) * HEIGHT
    core = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    return b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + core + rows


def bitmap_from_the_top() -> bytes:
    data = made("BMP")()
    return data[:22] + struct.pack("<i", -HEIGHT) + data[26:]


def tiff_of(order: str, *, is_big: bool = False) -> bytes:
    """A header whose directory is at the end, behind 1,000 bytes, its height before its width."""
    begin = b"II" if order == "<" else b"MM"
    if is_big:
        head = begin + struct.pack(f"{order}HHHQ", 43, 8, 0, 1016)
        fields = struct.pack(f"{order}QHHQQ", 2, 257, 16, 1, HEIGHT)
        return head + bytes(1000) + fields + struct.pack(f"{order}HHQH6x", 256, 3, 1, WIDTH)
    head = begin + struct.pack(f"{order}HI", 42, 1008)
    fields = struct.pack(f"{order}HHHIHxx", 2, 257, 3, 1, HEIGHT)
    return head + bytes(1000) + fields + struct.pack(f"{order}HHII", 256, 4, 1, WIDTH)


def jpeg_2000_with_a_box_more() -> bytes:
    data = made("JPEG2000")()
    at = data.index(b"jp2h") - 4
    return data[:at] + struct.pack(">I4s", 16, b"uuid") + bytes(8) + data[at:]


def avif_turned() -> bytes:
    exif = Image.Exif()
    exif[0x112] = 6
    return made("AVIF", exif=exif)()


def brands(*names: bytes) -> Callable[[], bytes]:
    """The AVIF, with other brands: the major one, and three more at most."""

    def avif() -> bytes:
        data = made("AVIF")()
        end = int.from_bytes(data[:4])
        content = names[0] + bytes(4) + b"".join(names[1:])
        return struct.pack(">I4s", end, b"ftyp") + content.ljust(end - 8, b"\0") + data[end:]

    return avif


KNOWN = {
    "png": (made("PNG"), "image/png"),
    "jpeg": (made("JPEG"), "image/jpeg"),
    "mpo": (made("MPO"), "image/jpeg"),
    "gif": (made("GIF"), "image/gif"),
    "webp": (made("WEBP"), "image/webp"),
    "avif": (made("AVIF"), "image/avif"),
    "avif-turned": (avif_turned, "image/avif"),
    "avif-under-mif1": (brands(b"mif1", b"miaf", b"avif"), "image/avif"),
    "bmp": (made("BMP"), "image/bmp"),
    "bmp-from-the-top": (bitmap_from_the_top, "image/bmp"),
    "bmp-of-os2": (bitmap_of_os2, "image/bmp"),
    "tiff": (made("TIFF"), "image/tiff"),
    "tiff-in-big-endian": (lambda: tiff_of(">"), "image/tiff"),
    "tiff-directory-at-the-end": (lambda: tiff_of("<"), "image/tiff"),
    "bigtiff": (made("TIFF", big_tiff=True), "image/tiff"),
    "bigtiff-in-big-endian": (lambda: tiff_of(">", is_big=True), "image/tiff"),
    "bigtiff-directory-at-the-end": (lambda: tiff_of("<", is_big=True), "image/tiff"),
    "ico": (made("ICO", sizes=[(60, 40), (16, 16)]), "image/x-icon"),
    "jpeg-2000": (made("JPEG2000"), "image/jp2"),
    "jpeg-2000-codestream": (made("JPEG2000", no_jp2=True), "image/jp2"),
    "jpeg-2000-with-a-box-more": (jpeg_2000_with_a_box_more, "image/jp2"),
    "heic-by-its-brand": (brands(b"heix", b"mif1"), "image/heic"),
}


@pytest.mark.parametrize(("make", "media_type"), KNOWN.values(), ids=KNOWN)
def test_type_and_size_are_those_of_the_bytes(make, media_type) -> None:
    data = make()
    assert header_of(data) == (media_type, PIXELS)
    # Phones put a film behind their photographs, and mailers a line.
    assert header_of(data + b"\r\n" + bytes(5000)) == (media_type, PIXELS)


@pytest.mark.parametrize("data", [HEIC, turned(1)], ids=["as-it-is", "turned"])
def test_heic_has_the_size_of_its_pixels(data) -> None:
    assert header_of(data) == ("image/heic", 320 * 120)


@pytest.mark.parametrize("begins", [b"", b"\xef\xbb\xbf\n", b"x" * 1018 + b"\n"])
def test_a_pdf_counts_as_the_pages_that_are_shown_at_most(begins) -> None:
    pages = LIMITS.max_pages * PAGE_PIXELS
    assert header_of(begins + b"%PDF-1.7\n") == ("application/pdf", pages)


def test_a_pdf_does_not_begin_later() -> None:
    with pytest.raises(UnsupportedMediaType):
        header_of(b"x" * 1020 + b"%PDF-1.7\n")


def test_an_icon_is_as_large_as_what_it_holds() -> None:
    icon = bytearray(encoded(Image.new("RGB", (256, 200)), "ICO", sizes=[(256, 200)]))
    icon[6:8] = 16, 16
    assert header_of(bytes(icon)).pixels == 256 * 200


def test_an_icon_of_256_pixels_says_0() -> None:
    assert header_of(encoded(Image.new("L", (256, 256)), "ICO")).pixels == 256 * 256


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
SVGS = {
    "alone": SVG.encode(),
    "behind a prolog": f'<?xml version="1.0"?>\n{SVG}'.encode(),
    "behind a BOM": b"\xef\xbb\xbf" + SVG.encode(),
    "behind blanks": b"\r\n\t " + SVG.encode(),
    "behind a comment": f"<!-- Made by hand -->{SVG}".encode(),
    "behind its document type": f'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN">{SVG}'.encode(),
    "in UTF-16": f"<?xml?>{SVG}".encode("utf-16"),
    "with a prefix": b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>',
    "in capitals": b"<SVG/>",
    "packed": gzip.compress(SVG.encode()),
}


@pytest.mark.parametrize("data", SVGS.values(), ids=SVGS)
def test_svg_is_refused_in_words(data) -> None:
    with pytest.raises(UnsupportedMediaType, match=r"this is SVG, .* send it as PNG") as refusal:
        header_of(data)
    assert refusal.value.param == "images[0]"


OTHERS = {
    b"<!DOCTYPE html><html><body><svg>": "a page of HTML",
    b"\n<html lang=en>": "a page of HTML",
    b'{"error": "not found"}': "JSON",
    b"<rss></rss>": "XML",
    b"Not Found": "text",
    b"\0\0\0\x18ftypmp42\0\0\0\0isommp42": "a video",
    b"8BPS\0\x01": "Photoshop",
    b"<!-- saved -->\n<div>Log in</div>": "a page of HTML",
    b"<DIV class=x>%PDF-1.7</DIV>": "a page of HTML",
    b"<html>\n%PDF-1.7": "a page of HTML",
    b"a text about %PDF-1.7": "text",
    b"\0\0\0\x18ftypcrx \0\0\0\1crx isom": "a raw photograph",
    b"\0\0\0\x18ftypM4A \0\0\0\0isommp42": "sound",
    b"\0\0\0\x18ftypmif2\0\0\0\0miafMA1B": "HEIF",
    b"\0\0\0\x08wide\0\0\1\0mdat": "a video",
    b"\0\0\1\0moov\0\0\0\x6cmvhd": "a video",
    b"BPG\xfb" + bytes(8): "BPG",
    b"\xff\x0a" + bytes(8): "JPEG XL",
    b"P6\n1 1\n255\n\0\0\0": "Netpbm",
    b"\0\0\x02\0\x01\0": "a cursor",
    b"\0\0\x02" + bytes(9): "Targa",
    b"icns" + bytes(8): "macOS",
    b"PK\x03\x04" + bytes(8): "a ZIP archive",
    gzip.compress(b"x"): "an archive",
    bytes(100): "not an image of a known type",
}


@pytest.mark.parametrize(("data", "name"), OTHERS.items(), ids=OTHERS.values())
def test_another_file_is_named_with_what_is_taken(data, name) -> None:
    with pytest.raises(UnsupportedMediaType) as refusal:
        header_of(data)
    assert name in refusal.value.message
    assert "PNG, JPEG, GIF, WebP, AVIF, BMP, TIFF, ICO, JPEG 2000 and PDF" in refusal.value.message


def test_nothing_is_named_empty() -> None:
    with pytest.raises(InvalidImage, match=r"empty \(0 bytes\)"):
        header_of(b"")


DECLARING = {
    "bmp": lambda: b"BM" + bytes(12) + struct.pack("<Iii", 40, 8000, 7000) + bytes(20),
    "bmp-of-os2": lambda: b"BM" + bytes(12) + struct.pack("<IHH", 12, 8000, 7000) + bytes(20),
    "tiff": lambda: tiff_of("<").replace(struct.pack("<I", WIDTH), struct.pack("<I", 2**31)),
    "jpeg-2000": lambda: b"\xff\x4f\xff\x51\0\x29\0\0" + struct.pack(">4I", 8000, 7000, 0, 0),
}


@pytest.mark.parametrize("make", DECLARING.values(), ids=DECLARING)
def test_a_size_beyond_the_limits_is_too_large(make) -> None:
    with pytest.raises(TooLarge, match="max_image_pixels = 50331648"):
        header_of(make())


def refused_field(data: bytes) -> str | None:
    """Return the field that a refusal names; None where the header can be read."""
    try:
        header_of(data)
    except RacroError as error:
        return error.param
    return None


WHOLE = [make() for make, _ in KNOWN.values()] + [HEIC]


@settings(deadline=None)
@given(
    data=st.sampled_from(WHOLE),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 255)), max_size=6),
    kept=st.floats(0, 1),
)
def test_a_damaged_header_is_read_or_refused(data, flips, kept) -> None:
    damaged = bytearray(data)
    for at, bits in flips:
        damaged[at % len(damaged)] ^= bits
    assert refused_field(bytes(damaged[: round(kept * len(damaged))])) in (None, "images[0]")


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data) -> None:
    assert refused_field(data) in (None, "images[0]")
