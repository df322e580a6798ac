"""HEIC: what phones of Apple's take. Nothing here can encode it, so there is one picture."""

from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from support.stranger_files.expectations import (
    ANYTHING,
    Expected,
    Refused,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)

# Without the extra `heif` the refusal says what to install.
CAN_DECODE = find_spec("pi_heif") is not None
_FIXTURE = Path(__file__).parents[1] / "files" / "42.heic"
WITHOUT_EXTRA = Refused(415, "unsupported_media_type", "heif")


@cache
def heic() -> bytes:
    """Return a small HEIC with the number 42 in it."""
    return _FIXTURE.read_bytes()


def _branded(brand: bytes) -> bytes:
    return heic()[:8] + brand + heic()[12:]


def files() -> list[StrangerFile]:
    if not _FIXTURE.is_file():
        return []
    seen: Expected = Seen(size=None, quarters=ANYTHING) if CAN_DECODE else WITHOUT_EXTRA
    either = SeenOrRefused()
    rows = {
        "of-a-phone": (heic, seen),
        "followed-by-zeros": (lambda: heic() + bytes(500), either),
        **{
            f"first-brand-{brand.decode()}": (partial(_branded, brand), either)
            for brand in (b"mif1", b"heix", b"hevc", b"msf1", b"heim")
        },
    }
    return family("heic", "image/heic", rows)
