"""Small pictures, good and bad."""

import base64
import io
import struct
import zlib

from PIL import Image, ImageDraw, ImageFont


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def text_picture(
    text: str, *, size: tuple[int, int] = (320, 120), mode: str = "RGB"
) -> Image.Image:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 30), text, font=ImageFont.load_default(size=40), fill="black")
    return image.convert(mode)


def png(text: str = "42") -> bytes:
    return encoded(text_picture(text))


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def declaring(width: int, height: int) -> bytes:
    """A PNG that is whole but for the size it declares."""
    picture = png()
    header = b"IHDR" + struct.pack(">II", width, height) + picture[24:29]
    return picture[:12] + header + struct.pack(">I", zlib.crc32(header)) + picture[33:]


def webp_declaring(width: int, height: int) -> bytes:
    """A WebP of 34 bytes: its header, and no pixels."""
    size = b"".join(struct.pack("<I", side - 1)[:3] for side in (width, height))
    chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + bytes(4)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def jpeg_declaring(width: int, height: int) -> bytes:
    """A JPEG of a header of a frame, and no pixels."""
    frame = struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\1\x22\0\2\x11\1\3\x11\1"
    return b"\xff\xd8\xff\xc0" + frame + b"\xff\xd9"


def gif_declaring(width: int, height: int) -> bytes:
    """A GIF whose screen has that size, and nothing on it."""
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(3) + b";"
