"""Has Pillow read HEIC where the library for it is installed.

Its codecs are under the LGPL and patents are claimed on them: it is an extra, and in no image.
"""

from racro.contracts.errors import UnsupportedMediaType


def enable_heic(*, param: str) -> None:
    """Register the decoder, in this process. Raises UnsupportedMediaType without the library."""
    try:
        from pi_heif import register_heif_opener  # noqa: PLC0415
    except ImportError as error:
        raise UnsupportedMediaType(
            'HEIC is read only where the captioner has the extra "heif": '
            'pip install "racro[heif]"; or send it as JPEG',
            param=param,
        ) from error
    # One thread: the process has one image, and each thread would reserve memory for its stack.
    register_heif_opener(thumbnails=False, decode_threads=1)
