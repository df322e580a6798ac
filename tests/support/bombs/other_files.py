"""Files of formats that are not read."""

import gzip

from PIL import Image

from support.pictures import encoded

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"/>'


def _made(form: str) -> bytes:
    return encoded(Image.new("RGB", (64, 64), "white"), form)


UNSUPPORTED = {
    "ppm": lambda: _made("PPM"),
    "tga": lambda: _made("TGA"),
    "icns": lambda: _made("ICNS"),
    "dds": lambda: _made("DDS"),
    "eps": lambda: _made("EPS"),
    "psd": lambda: b"8BPS\0\x01" + bytes(6) + b"\0\x03\0\0\x75\x30\0\0\x75\x30\0\x08\0\x03",
    "svg": lambda: _SVG,
    "svgz": lambda: gzip.compress(_SVG),
    "jpeg-xl": lambda: b"\xff\x0a" + bytes(64),
    "video": lambda: b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(64),
    "html": lambda: b"<!DOCTYPE html><html><body>Log in",
    "text": lambda: b"not a picture",
}
