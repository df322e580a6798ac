"""Pictures, and what people take for them, as strangers send them: made here, by nobody else.

`FILES` are all of them by their names, `family/what`; a module has the families of a format.
"""

from support.stranger_files import (
    avif,
    bmp,
    damage,
    gif,
    heic,
    jpeg,
    jpeg2000,
    not_pictures,
    pdf,
    png_chunks,
    png_kinds,
    sizes,
    tiff,
    webp,
)
from support.stranger_files.expectations import StrangerFile

_MODULES = (
    *(png_kinds, png_chunks, jpeg, gif, webp, avif, bmp, tiff, jpeg2000, heic, pdf),
    *(not_pictures, sizes, damage),
)
FILES: dict[str, StrangerFile] = {file.name: file for one in _MODULES for file in one.files()}
