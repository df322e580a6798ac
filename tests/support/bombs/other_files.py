"""Files of formats that are not read."""

from PIL import Image

from support.pictures import encoded

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"/>'


def _made(form: str) -> bytes:
    return encoded(Image.new("RGB", (64, 64), "white"), form)


UNSUPPORTED = {
    "tiff": lambda: _made("TIFF"),
    "bmp": lambda: _made("BMP"),
    "ico": lambda: _made("ICO"),
    "eps": lambda: _made("EPS"),
    "psd": lambda: b"8BPS\0\x01" + bytes(6) + b"\0\x03\0\0\x75\x30\0\0\x75\x30\0\x08\0\x03",
    "svg": lambda: _SVG,
    "heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
    "text": lambda: b"not a picture",
}
