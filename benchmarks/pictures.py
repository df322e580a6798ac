"""PNG files of noise, of a size to choose."""

import base64
import json
import math
import random
import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Noise:
    """One noisy picture in a file of about `size` bytes, another for each seed; each label gives
    a file of its own.
    """

    def __init__(self, size: int, *, seed: str = "") -> None:
        side = max(1, math.isqrt(size // 3))
        noise = random.Random(f"{size} {seed}")
        rows = b"".join(b"\0" + noise.randbytes(3 * side) for _ in range(side))
        self._header = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        self._pixels = _chunk(b"IDAT", zlib.compress(rows, 0))

    def png(self, label: str) -> bytes:
        text = _chunk(b"tEXt", b"Comment\0" + label.encode())
        return b"".join([_SIGNATURE, self._header, text, self._pixels, _chunk(b"IEND", b"")])

    def solve_body(self, label: str, question: str = "How high is the bar?") -> bytes:
        """A solve request about this picture."""
        url = "data:image/png;base64," + base64.b64encode(self.png(label)).decode()
        return json.dumps({"question": question, "images": [url]}).encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
