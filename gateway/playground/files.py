"""The files of the page, read once at start: nothing else can ever be served."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from starlette.datastructures import Headers
from starlette.responses import Response

INDEX = "index.html"
_FOLDER = Path(__file__).parent
# A file of another type, such as a licence or one of our own modules, is not part of the page.
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_COMPRESSED = {".html", ".css", ".js", ".svg"}
_NOT_MODIFIED = 304
_HEADERS = {
    # Nothing of another origin, and nothing inline. Pictures that a person gives are blobs; the
    # style sheet for formulas has data: pictures.
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    # May be kept, but is asked for again: another release has other files under the same names.
    "cache-control": "no-cache",
    "vary": "accept, accept-encoding",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent: plain or gzip-compressed. `etag` is a weak entity tag."""

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> Self:
        content = path.read_bytes()
        compressed = gzip.compress(content, mtime=0) if path.suffix in _COMPRESSED else None
        etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
        return cls(content, compressed, _MEDIA_TYPES[path.suffix], etag)

    def response(self, request: Headers) -> Response:
        """The answer to a GET request with these headers."""
        headers = {**_HEADERS, "etag": self.etag}
        if self.etag in request.get("if-none-match", ""):
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        content = self.content
        if self.compressed is not None and "gzip" in request.get("accept-encoding", ""):
            content, headers["content-encoding"] = self.compressed, "gzip"
        return Response(content, media_type=self.media_type, headers=headers)


def read_files() -> dict[str, PageFile]:
    """Every file of the page by its path, as in `vendor/marked/marked.esm.js`."""
    return {
        path.relative_to(_FOLDER).as_posix(): PageFile.read(path)
        for path in sorted(_FOLDER.rglob("*"))
        if path.suffix in _MEDIA_TYPES
    }
