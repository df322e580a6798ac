"""Small pictures, good and bad."""

import base64
import io

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
