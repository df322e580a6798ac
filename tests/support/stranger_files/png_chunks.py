"""PNG: what stands beside the pixels. None of it may cost a picture."""

import struct
import zlib
from functools import partial
from random import Random

from PIL import ImageCms

from support.bombs.png_files import SIGNATURE, chunk, deflated_zeros
from support.stranger_files.drawing import STORED, exif_of, file_of, turned_file
from support.stranger_files.expectations import SeenOrRefused, StrangerFile, family
from support.stranger_files.png_kinds import png

_MIB = 2**20


def profile() -> bytes:
    """Return an ICC profile: sRGB, as littleCMS writes it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _icc(deflated: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + deflated)


def _ztxt(deflated: bytes) -> bytes:
    return chunk(b"zTXt", b"Comment\0\0" + deflated)


def _itxt(text: bytes, *, is_compressed: bool) -> bytes:
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes([is_compressed]) + b"\0\0\0" + text)


def _noise(size: int) -> bytes:
    return Random(size).randbytes(size)


# By their names, the chunks that may stand before the pixels.
_SOUND = {
    "gamma": chunk(b"gAMA", struct.pack(">I", 45455)),
    "strange-gamma": chunk(b"gAMA", struct.pack(">I", 1)),
    "chromaticities": chunk(
        b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    ),
    "srgb": chunk(b"sRGB", b"\0"),
    "significant-bits": chunk(b"sBIT", b"\5\6\5"),
    "background": chunk(b"bKGD", struct.pack(">3H", 255, 0, 255)),
    "resolution": chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
    "uneven-resolution": chunk(b"pHYs", struct.pack(">IIB", 1, 4_000_000_000, 0)),
    "time": chunk(b"tIME", struct.pack(">HBBBBB", 2026, 2, 31, 25, 61, 61)),
    "text": chunk(b"tEXt", b"Software\0a phone"),
    "empty-text": chunk(b"tEXt", b""),
    "text-without-a-name": chunk(b"tEXt", b"\0\0\0"),
    "compressed-text": _ztxt(zlib.compress(b"hello")),
    "international-text": _itxt("héllo".encode(), is_compressed=False),
    "text-of-no-encoding": _itxt(b"\xff\xfe\xff", is_compressed=False),
    "color-profile": _icc(zlib.compress(profile())),
    "coding-independent-code-points": chunk(b"cICP", b"\x09\x10\x00\x01"),
    "light-levels": chunk(b"cLLI", struct.pack(">II", 10_000_000, 4_000_000)),
    "unknown": chunk(b"prVt", b"whatever"),
    "many-unknown": b"".join(chunk(b"prVt", bytes([number])) for number in range(255)),
    "many-texts": chunk(b"tEXt", b"Comment\0x") * 3000,
}
_LARGE = {
    "compressed-text-over-1-mib": _ztxt(deflated_zeros(2 * _MIB)),
    "compressed-international-text-over-1-mib": _itxt(deflated_zeros(2 * _MIB), is_compressed=True),
    "texts-over-64-mib": _ztxt(deflated_zeros(_MIB)) * 70,
    "color-profile-over-1-mib": _icc(deflated_zeros(3 * _MIB)),
    "plain-text-of-3-mib": chunk(b"tEXt", b"prompt\0" + b"a" * (3 * _MIB)),
    "unknown-of-3-mib": chunk(b"prVt", bytes(3 * _MIB)),
}
_WRONG = {
    "text-that-does-not-inflate": _ztxt(b"no zlib stream"),
    "text-of-an-unknown-method": chunk(b"zTXt", b"Comment\0\7x"),
    "international-text-that-does-not-inflate": _itxt(b"no zlib stream", is_compressed=True),
    "international-text-cut-short": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1"),
    "profile-that-does-not-inflate": _icc(b"no zlib stream"),
    "profile-that-is-none": _icc(zlib.compress(b"no profile")),
    "profile-cut-short": _icc(zlib.compress(profile())[:-9]),
    "profile-without-a-name": chunk(b"iCCP", b""),
    "profile-of-an-unknown-method": chunk(b"iCCP", b"profile\0\7x"),
    "short-gamma": chunk(b"gAMA", b"\1"),
    "short-resolution": chunk(b"pHYs", b"\0\0\1"),
    "short-chromaticities": chunk(b"cHRM", b"\0"),
    "empty-srgb": chunk(b"sRGB", b""),
    "srgb-and-profile-twice": 2 * (chunk(b"sRGB", b"\0") + _icc(zlib.compress(profile()))),
    "short-transparency": chunk(b"tRNS", b"\0"),
    "exif-of-garbage": chunk(b"eXIf", _noise(60)),
    "exif-cut-short": chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\xff"),
    "empty-exif": chunk(b"eXIf", b""),
}
_WITH_BROKEN_CHECKSUM = (
    *("gamma", "chromaticities", "srgb", "background", "resolution", "time", "text"),
    *("compressed-text", "international-text", "color-profile", "unknown"),
)


def broken_checksum(content: bytes) -> bytes:
    """Return a chunk whose checksum is another."""
    return content[:-1] + bytes([content[-1] ^ 1])


def _metadata() -> list[StrangerFile]:
    before = {**_SOUND, **_LARGE, **_WRONG}
    rows = {name: partial(png, before=chunks) for name, chunks in before.items()}
    rows |= {
        f"behind-{name}": partial(png, behind=before[name])
        for name in ("text", "compressed-text-over-1-mib", "exif-cut-short", "unknown-of-3-mib")
    }
    rows |= {
        f"broken-checksum-{name}": partial(png, before=broken_checksum(_SOUND[name]))
        for name in _WITH_BROKEN_CHECKSUM
    }
    rows |= {
        f"behind-broken-checksum-{name}": partial(png, behind=broken_checksum(_SOUND[name]))
        for name in ("text", "time", "unknown")
    }
    rows |= {
        f"behind-the-end-{name}": partial(_followed, more)
        for name, more in {
            "zeros": bytes(1000),
            "a-zip": b"PK\3\4" + bytes(500),
            "a-png": png(),
            "noise": _noise(2 * _MIB),
        }.items()
    }
    return family("png-with-metadata", "image/png", rows)


def _followed(more: bytes) -> bytes:
    return png() + more


def _first(more: bytes) -> bytes:
    """Return a PNG with a chunk before IHDR, which is to be the first one."""
    return SIGNATURE + more + png().removeprefix(SIGNATURE)


def _without_its_end() -> bytes:
    return png()[:-12]


def _wrong_checksum_of_pixels() -> bytes:
    data = bytearray(png())
    data[-13] ^= 1
    return bytes(data)


def files() -> list[StrangerFile]:
    turned = {f"exif-{value}": partial(turned_file, "PNG", value) for value in STORED}
    turned |= {
        "exif-behind-the-pixels": partial(png, behind=chunk(b"eXIf", exif_of(1).tobytes()[6:])),
        "exif-of-no-orientation": partial(file_of, "PNG", exif=exif_of(0)),
        "exif-of-orientation-9": partial(file_of, "PNG", exif=exif_of(9)),
        "exif-of-orientation-65535": partial(file_of, "PNG", exif=exif_of(65535)),
    }
    odd = {
        "text-before-the-header": partial(_first, _SOUND["text"]),
        "unknown-before-the-header": partial(_first, _SOUND["unknown"]),
        "apples-before-the-header": partial(_first, chunk(b"CgBI", b"\x30\0\x20\6")),
        "without-its-end": _without_its_end,
        "wrong-checksum-of-pixels": _wrong_checksum_of_pixels,
        "unknown-critical-chunk": partial(png, before=chunk(b"XXXX", b"?")),
        "empty-pixels-chunk": partial(png, before=chunk(b"IDAT", b"")),
    }
    return [
        *_metadata(),
        *family("turned-png", "image/png", {**turned}),
        *family(
            "odd-png", "image/png", {name: (make, SeenOrRefused()) for name, make in odd.items()}
        ),
    ]
