"""What a captioner is shown: light ink on black, deep pixels in the range that they have."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from racro.base.rgb import upright_rgb

SIZE = (320, 120)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def ink(color: str, *, behind: Callable[[ImageDraw.ImageDraw], None] | None = None) -> Image.Image:
    """A number in that colour, and nothing else that is not transparent but what is behind it."""
    image = Image.new("RGBA", SIZE)
    draw = ImageDraw.Draw(image)
    if behind:
        behind(draw)
    draw.text((20, 30), "4827", font=ImageFont.load_default(size=40), fill=color)
    return image


def card(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((5, 5, 315, 115), fill="white")


def disc(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((200, 5, 310, 115), fill="white")


def paper(alpha: int) -> Image.Image:
    """A number in black on white, and all of it as transparent."""
    image = Image.alpha_composite(Image.new("RGBA", SIZE, "white"), ink("black"))
    image.putalpha(alpha)
    return image


@pytest.mark.parametrize("color", ["white", "#ffff00", "#dddddd", "#ffffff80"])
def test_light_ink_is_laid_on_black(color) -> None:
    shown = upright_rgb(ink(color))
    assert shown.getpixel((0, 0)) == BLACK
    assert shown.convert("L").getextrema()[1] > 100


@pytest.mark.parametrize(
    "image",
    [
        *(ink(color) for color in ("black", "red", "blue", "#00ff00", "#a0a0a0", "#00000020")),
        ink("black", behind=card),
        ink("black", behind=disc),
        paper(40),
        paper(200),
        Image.new("RGBA", SIZE),
        Image.new("RGBA", (1, 1)),
    ],
)
def test_what_is_seen_on_white_stays_there(image) -> None:
    expected = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    assert upright_rgb(image).tobytes() == expected.tobytes()


def text_of(mode: str) -> Image.Image:
    """White on black, which is transparent."""
    image = Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    draw.text((20, 30), "4827", font=ImageFont.load_default(size=40), fill=255)
    image = image.point(lambda value: 255 * (value > 127)).convert(mode)
    image.info["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    return image


TRANSPARENT = {
    **{mode: lambda mode=mode: ink("white").convert(mode) for mode in ("RGBA", "LA", "PA", "RGBa")},
    "La": lambda: ink("white").convert("LA").convert("La"),
    "P": lambda: ink("white").quantize(8),
    "a transparent colour": lambda: text_of("RGB"),
    "a transparent grey": lambda: text_of("L"),
    "a transparent bit": lambda: text_of("1"),
}


@pytest.mark.parametrize("make", TRANSPARENT.values(), ids=TRANSPARENT)
def test_every_kind_of_transparency_is_seen(make) -> None:
    shown = upright_rgb(make())
    assert shown.getpixel((0, 0)) == BLACK
    assert shown.convert("L").getextrema()[1] > 250


def test_the_background_is_that_of_the_whole_image() -> None:
    """Not of the band that is being drawn, of which there are several here."""
    tall = Image.new("RGBA", (1024, 4096))
    tall.paste(ink("white"), (0, 3900))
    shown = upright_rgb(tall)
    assert shown.getpixel((0, 0)) == shown.getpixel((1023, 4095)) == BLACK


def tiff(values: np.ndarray) -> Image.Image:
    image = Image.fromarray(values)
    image.format = "TIFF"
    return image


@pytest.mark.parametrize("bits", [1, 8, 10, 12, 14, 16])
def test_a_tiff_uses_the_bits_that_it_uses(bits) -> None:
    ramp = np.linspace(0, 2**bits - 1, 256).astype(np.uint16).reshape(16, 16)
    low, high = upright_rgb(tiff(ramp)).convert("L").getextrema()
    assert low == 0
    assert high >= 128 if bits == 1 else high == 255


def test_sixteen_bits_of_another_format_are_those_of_its_standard() -> None:
    image = Image.fromarray(np.full((8, 8), 4095, np.uint16))
    assert upright_rgb(image).getpixel((0, 0)) == (15, 15, 15)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 255), (-1, 1), (-5e9, 3), (0, 65_535)])
def test_floating_point_values_are_stretched(low, high) -> None:
    ramp = np.linspace(low, high, 256, dtype=np.float32).reshape(16, 16)
    assert upright_rgb(tiff(ramp)).convert("L").getextrema() == (0, 255)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_spoils_no_other_pixel(odd) -> None:
    ramp = np.linspace(0, 255, 256, dtype=np.float32).reshape(16, 16)
    ramp[0, 0] = odd
    assert upright_rgb(tiff(ramp)).getpixel((15, 15)) == WHITE


def test_all_of_one_value_is_one_grey() -> None:
    shown = upright_rgb(tiff(np.full((8, 8), 1e6, np.float32)))
    assert len(shown.getcolors()) == 1


def labels(draw: ImageDraw.ImageDraw) -> None:
    """A chart's bars in colours that are seen on any background, with numbers beside them."""
    for at, color in enumerate(("#1f77b4", "#ff7f0e", "#d62728")):
        draw.rectangle((150 + 55 * at, 40, 190 + 55 * at, 110), fill=color)
        draw.text((155 + 55 * at, 80), str(at), font=ImageFont.load_default(size=20), fill="white")


def logo(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((200, 5, 310, 115), fill="#e30613")


def shadow(draw: ImageDraw.ImageDraw) -> None:
    draw.text((23, 33), "4827", font=ImageFont.load_default(size=40), fill="black")


@pytest.mark.parametrize("behind", [labels, logo])
def test_light_ink_beside_colours_is_laid_on_black(behind) -> None:
    assert upright_rgb(ink("white", behind=behind)).getpixel((0, 0)) == BLACK


@pytest.mark.parametrize("behind", [labels, logo])
def test_dark_ink_beside_colours_is_laid_on_white(behind) -> None:
    assert upright_rgb(ink("black", behind=behind)).getpixel((0, 0)) == WHITE


def test_light_ink_with_a_dark_shadow_stays_on_white() -> None:
    assert upright_rgb(ink("white", behind=shadow)).getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("line", [(1501, 0, 1501, 2999), (0, 1502, 3999, 1502), (0, 0, 3999, 2999)])
def test_a_thin_light_line_on_a_large_canvas_is_seen(line) -> None:
    image = Image.new("RGBA", (4000, 3000))
    ImageDraw.Draw(image).line(line, fill="white")
    assert upright_rgb(image).getpixel((3999, 0)) == BLACK


def test_one_hot_pixel_leaves_the_others_as_they_are() -> None:
    ramp = np.linspace(0, 4095, 64 * 64).astype(np.uint16).reshape(64, 64)
    hot = ramp.copy()
    hot[5, 5] = 65_535
    assert upright_rgb(tiff(hot)).getpixel((60, 60)) == upright_rgb(tiff(ramp)).getpixel((60, 60))
