"""The hostile pictures by their names, and the statuses that are right for them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from support.bombs import (
    codec_files,
    drawings,
    gif_files,
    icon_files,
    jpeg_files,
    other_files,
    pdf_bombs,
    png_files,
    tiff_files,
    webp_files,
)

# Where it depends on limits that are settings.
_ANY = {200, 400, 413, 415, 503}
_DAMAGED = {400}
_TOO_LARGE = {413}
_UNSUPPORTED = {415}
_MIB = 2**20


class Row(NamedTuple):
    """The pictures of one request, made when they are needed, and the statuses that are right."""

    pictures: Callable[[], Sequence[bytes]]
    statuses: set[int] = _ANY


def _one(make: Callable[..., bytes], *of: object, right: set[int] = _ANY, **more: object) -> Row:
    return Row(lambda: [make(*of, **more)], right)


_PNG = {
    "png-50mp": _one(png_files.black, 8_000, 6_250),
    "png-50mp-16-times": Row(lambda: [png_files.black(8_000, 6_250)] * 16),
    "png-65535": _one(png_files.declaring, 65_535, 65_535, right=_TOO_LARGE),
    "png-2147483647": _one(png_files.declaring, 2**31 - 1, 2**31 - 1, right=_TOO_LARGE),
    "png-4294967295": _one(png_files.declaring, 2**32 - 1, 1),
    "png-0-by-0": _one(png_files.black, 0, 0, right=_DAMAGED),
    "png-1-by-50000000": _one(png_files.black, 1, 50_000_000, color=png_files.GRAY),
    "png-50000000-by-1": _one(png_files.black, 50_000_000, 1, color=png_files.GRAY),
    "png-1-by-5000": _one(png_files.black, 1, 5_000),
    "png-inflating": _one(png_files.inflating, 500 * _MIB),
    "png-many-texts": _one(
        lambda: png_files.black(8, 8, more=png_files.chunk(b"tEXt", b"a\0b") * 100_000)
    ),
    "png-huge-text": _one(
        lambda: png_files.black(8, 8, more=png_files.chunk(b"tEXt", b"a\0" + bytes(20 * _MIB)))
    ),
    "png-inflating-text": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_text(1_000 * _MIB))
    ),
    "png-many-inflating-texts": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_text(_MIB) * 1_000)
    ),
    "png-inflating-utf8": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_utf8_text(1_000 * _MIB))
    ),
    "png-many-inflating-utf8": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_utf8_text(_MIB) * 1_000)
    ),
    "png-inflating-profile": _one(
        lambda: png_files.black(8, 8, more=png_files.color_profile(1_000 * _MIB))
    ),
    "png-5000-frames": _one(png_files.animated, 8, 8, frames=5_000),
    "png-interlaced-49mp": _one(
        png_files.black, 7_000, 7_000, color=png_files.GRAY, interlaced=True
    ),
    "png-16-bit-rgba-25mp": _one(png_files.black, 5_000, 5_000, depth=16, color=png_files.RGBA),
    "png-transparent-palette-40mp": _one(
        png_files.black, 6_400, 6_250, color=png_files.PALETTE, more=png_files.palette()
    ),
    "png-1-bit-49mp": _one(png_files.black, 7_000, 7_000, depth=1, color=png_files.GRAY),
    "png-16-bit-gray-49mp": _one(png_files.black, 7_000, 7_000, depth=16, color=png_files.GRAY),
    "png-wrong-header-checksum": _one(png_files.with_wrong_checksum, b"IHDR", right=_DAMAGED),
    "png-wrong-pixel-checksum": _one(png_files.with_wrong_checksum, b"IDAT"),
    "png-without-pixels": _one(png_files.without_pixels, right=_DAMAGED),
}
_WEBP = {
    "webp-lossless-header-16383": _one(
        webp_files.lossless_header, 16_383, 16_383, right=_TOO_LARGE
    ),
    "webp-lossless-header-49mp": _one(webp_files.lossless_header, 7_000, 7_000),
    "webp-lossless-49mp": _one(webp_files.lossless, 7_000, 7_000),
    "webp-lossless-49mp-16-times": Row(lambda: [webp_files.lossless(7_000, 7_000)] * 16),
    "webp-lossy-header-16383": _one(webp_files.lossy_header, 16_383, 16_383, right=_TOO_LARGE),
    "webp-lossy-header-49mp": _one(webp_files.lossy_header, 7_000, 7_000),
    "webp-canvas-16384": _one(webp_files.small_on_canvas, 16_384, 16_384),
    "webp-canvas-2-24": _one(webp_files.small_on_canvas, 2**24, 2),
    "webp-canvas-49mp": _one(webp_files.small_on_canvas, 7_000, 7_000),
    "webp-5000-frames": _one(webp_files.animated, 16, 16, frames=5_000),
    "webp-animated-49mp": _one(webp_files.animated, 7_000, 7_000, frames=1_000),
    "webp-animated-16383": _one(webp_files.animated, 16_383, 16_383, frames=2, right=_TOO_LARGE),
    "webp-1-by-16383": _one(webp_files.lossless, 1, 16_383),
}
_GIF = {
    # imagesize reads these sides as -1: damaged, then.
    "gif-screen-65535": _one(
        gif_files.frame_on_screen, (1, 1), (65_535, 65_535), right=_DAMAGED | _TOO_LARGE
    ),
    "gif-screen-49mp": _one(gif_files.frame_on_screen, (1, 1), (7_000, 7_000)),
    "gif-frame-65535": _one(gif_files.frame_on_screen, (65_535, 65_535), (1, 1)),
    "gif-frame-49mp": _one(gif_files.frame_on_screen, (7_000, 7_000), (1, 1)),
    "gif-flat-49mp": _one(gif_files.flat, 7_000, 7_000),
    "gif-50000-frames": _one(gif_files.frame_on_screen, (1, 1), (8, 8), frames=50_000),
    "gif-no-screen": _one(gif_files.frame_on_screen, (0, 0), (0, 0)),
    "gif-frame-0-by-0": _one(gif_files.frame_on_screen, (0, 0), (8, 8)),
    "gif-before-png": _one(gif_files.before_png),
}
_JPEG = {
    "jpeg-65500": _one(jpeg_files.declaring, 65_500, 65_500, right=_TOO_LARGE),
    "jpeg-declaring-49mp": _one(jpeg_files.declaring, 7_000, 7_000),
    "jpeg-progressive-65500-by-700": _one(jpeg_files.flat, 65_500, 700, progressive=True),
    "jpeg-5000-scans": _one(jpeg_files.with_scans, 4_000, 4_000, scans=5_000, right=_DAMAGED),
    "jpeg-90-scans": _one(jpeg_files.with_scans, 7_000, 7_000, scans=90),
    "jpeg-cmyk-30mp": _one(jpeg_files.flat, 6_000, 5_000, "CMYK"),
    "jpeg-ycck-30mp": _one(jpeg_files.luminance_and_black, 6_000, 5_000),
    "jpeg-arithmetic": _one(jpeg_files.arithmetic),
    "jpeg-orientations": Row(
        lambda: [jpeg_files.oriented(number) for number in (*range(13), 99, 256, 65_535)]
    ),
    "jpeg-huge-exif": _one(jpeg_files.with_huge_directory),
    "jpeg-cyclic-exif": _one(jpeg_files.with_cyclic_directory),
    "jpeg-1000-pictures": _one(jpeg_files.many_pictures, 1_000),
    "jpeg-declaring-pictures": _one(jpeg_files.many_declared_pictures),
    "jpeg-100000-segments": _one(jpeg_files.many_segments, 100_000),
    "jpeg-16-mb-profile": _one(jpeg_files.with_color_profile),
    "jpeg-16-photographs-20mp": Row(lambda: jpeg_files.photographs(16, 5_000, 4_000)),
}
_TIFF = {
    "tiff-32768-strips": _one(tiff_files.many_strips, 1_500, 32_768),
    "tiff-one-strip-49mp": _one(tiff_files.one_strip, 7_000, 7_000, samples=3),
    "tiff-one-strip-16-bit-24mp": _one(tiff_files.one_strip, 6_000, 4_000, samples=3, bits=16),
    "tiff-huge-tile": _one(tiff_files.huge_tile, 2**30),
    "tiff-large-tile": _one(tiff_files.huge_tile, 32_768),
    "tiff-cyclic-pages": _one(tiff_files.cyclic_pages, right={200}),
    "tiff-100000-pages": _one(tiff_files.many_pages, 100_000),
    "tiff-4000-fields": _one(tiff_files.many_fields, 4_000, right=_DAMAGED),
    "tiff-65535-fields": _one(tiff_files.many_fields, 65_535, right=_DAMAGED),
    "tiff-65535-samples": _one(tiff_files.many_samples, right=_DAMAGED),
    "tiff-large-values": _one(tiff_files.large_values, right=_DAMAGED),
}
_ICONS = {
    "ico-65535-images": _one(icon_files.many_images, 65_535, right={200}),
    "ico-65535-declared": _one(icon_files.many_declared_images, right=_DAMAGED),
    "ico-49mp-within": _one(icon_files.large_within, 7_000, 7_000),
    "ico-65535-within": _one(icon_files.large_within, 1, 65_535),
    "ico-inflating-text": _one(icon_files.with_inflating_text, 1_000 * _MIB),
    "bmp-65535": _one(icon_files.bmp_declaring, 65_535, 65_535, right=_TOO_LARGE),
    "bmp-2147483648": _one(icon_files.bmp_declaring, -(2**31), -(2**31), right=_DAMAGED),
    "bmp-49mp-without-pixels": _one(icon_files.bmp_declaring, 7_000, 7_000, right=_DAMAGED),
    "bmp-runs-49mp": _one(icon_files.run_lengths, 7_000, 7_000, b"\xff\x01" * 200_000),
    "bmp-runs-of-one": _one(icon_files.run_lengths, 7_000, 7_000, b"\x01\x01" * 5_000_000),
    "bmp-moves": _one(icon_files.run_lengths, 7_000, 7_000, b"\x00\x02\xff\xff" * 1_000_000),
}
_CODECS = {
    "avif-25mp": _one(codec_files.avif, 5_000, 5_000),
    "avif-25mp-rgba": _one(codec_files.avif, 5_000, 5_000, "RGBA"),
    "avif-49mp": _one(codec_files.avif, 7_000, 7_000, right=_TOO_LARGE),
    "avif-declaring-small": _one(
        lambda: codec_files.avif_declaring(codec_files.avif(7_000, 7_000), 64, 64)
    ),
    "avif-declaring-large": _one(
        lambda: codec_files.avif_declaring(codec_files.avif(64, 64), 5_000, 5_000)
    ),
    "avif-200-frames": _one(codec_files.avif_frames, 200, right={200}),
    "avif-endless-boxes": _one(codec_files.endless_boxes, 1_000_000, right=_DAMAGED),
    "jp2-16mp-rgba": _one(codec_files.jp2, 4_000, 4_000, "RGBA", right={200}),
    "jp2-49mp": _one(codec_files.codestream_declaring, 7_000, 7_000, right=_TOO_LARGE),
    "jp2-16mp-without-pixels": _one(codec_files.codestream_declaring, 4_000, 4_000),
    "jp2-62500-tiles": _one(codec_files.codestream_declaring, 4_000, 4_000, tile=16),
    "jp2-16000000-tiles": _one(codec_files.codestream_declaring, 4_000, 4_000, tile=1),
    "jp2-declaring-large": _one(codec_files.jp2_declaring, 4_000, 4_000),
    "jp2-16384-components": _one(codec_files.many_components, 16_384),
    "jp2-64-components": _one(codec_files.many_components, 64),
}
_PDF = {
    "pdf-claiming-900000-pages": _one(pdf_bombs.claiming_pages, 900_000, right={200}),
    "pdf-900000-pages": _one(pdf_bombs.with_pages, 900_000, right={200}),
    "pdf-circular-tree": _one(pdf_bombs.circular_tree, right=_DAMAGED),
    "pdf-image-400mp-on-200-inches": _one(pdf_bombs.image_on_page, 20_000, inches=200),
    "pdf-contents-100mb": _one(pdf_bombs.long_contents, 100 * _MIB),
    "pdf-nested-states": _one(pdf_bombs.nested_states, 5_000_000),
    "pdf-30000-lines": _one(pdf_bombs.many_lines, 30_000),
    "pdf-blended": _one(pdf_bombs.blended, 20_000, right=_TOO_LARGE),
    "pdf-drawing-itself": _one(pdf_bombs.drawing_itself),
    "pdf-forms-of-forms": _one(pdf_bombs.forms_of_forms, 12),
    "pdf-600000-objects": _one(pdf_bombs.many_objects, 600_000, right=_DAMAGED),
}
_DRAWINGS = {
    "text-16mp-12": _one(drawings.dense_text, 4_000, font_size=12),
    "text-16mp-24": _one(drawings.dense_text, 4_000, font_size=24),
    "text-4mp-8": _one(drawings.dense_text, 2_000, font_size=8),
    "noise-16mp": _one(drawings.noise, 4_000),
    "checkerboard-16mp": _one(drawings.checkerboard, 4_000),
    "words-apart": _one(drawings.words_apart, 2_000, font_size=16),
    "dashes": _one(drawings.dashes, 2_000, length=25, every=20),
    "dots": _one(drawings.dashes, 2_000, length=5, every=10),
    "strip-1-to-8": _one(drawings.strip, 800, 100),
    "strip-1-to-200": _one(drawings.strip, 20, 4_000),
    "strip-1-to-1000": _one(drawings.strip, 10_000, 10),
}
_OTHERS = {
    **{name: _one(make, right=_UNSUPPORTED) for name, make in other_files.UNSUPPORTED.items()},
    "empty": _one(bytes, right=_DAMAGED),
    "20-mb-of-zeros": _one(bytes, 20 * _MIB, right=_UNSUPPORTED),
}
ROWS = _PNG | _WEBP | _GIF | _JPEG | _TIFF | _ICONS | _CODECS | _PDF | _DRAWINGS | _OTHERS
# What is cut off or damaged so that no pixel of it is sure.
DAMAGED_FILES = {
    "png-cut-short": png_files.cut_short,
    "gif-cut-short": gif_files.cut_short,
    "jpeg-cut-short": jpeg_files.cut_short,
    "jpeg-damaged-tables": jpeg_files.damaged_tables,
    "webp-cut-short": webp_files.cut_short,
}
