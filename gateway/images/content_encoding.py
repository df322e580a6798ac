"""Undoes the compression of bytes that came over HTTP (RFC 9110, 8.4), within a bound."""

import zlib
from collections.abc import Callable, Iterable, Mapping

import zstandard

# More than one are a mistake of a server behind a proxy; many are a bomb.
_MOST_CODINGS = 2
# Of a gzip file; what is behind each is copied.
_MOST_MEMBERS = 64
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_GZIP, _ZLIB, _RAW = 31, 15, -15
_ZLIB_METHOD = 8
# The most that a zstd frame may have decoders hold, by RFC 9659.
_ZSTD_WINDOW = 8 * 2**20


class NotUnpackedError(ValueError):
    """Bytes cannot be unpacked; the message says why, as the end of a sentence."""


class TooLargeUnpackedError(Exception):
    """There is more in the bytes than was allowed."""


def codings(values: Iterable[str]) -> list[str]:
    """Return the compressions that the headers Content-Encoding name, in the order of their use.

    Others are names for nothing, such as those that object stores give: the bytes tell what they
    are. Raises NotUnpackedError for those that are not undone here.
    """
    names = [name.strip().lower() for value in values for name in value.split(",")]
    found = [name for name in names if name in _UNPACKERS or name in _OTHERS]
    for name in found:
        if name in _OTHERS:
            raise NotUnpackedError(f"compressed as {name}, which is not unpacked")
    if len(found) > _MOST_CODINGS:
        raise NotUnpackedError(
            f"compressed {len(found)} times; at most {_MOST_CODINGS} are unpacked"
        )
    return found


def unpack(data: bytes, names: list[str], *, max_bytes: int) -> bytes:
    """Return the bytes before they were compressed as `codings` says.

    Raises NotUnpackedError for damaged bytes, and TooLargeUnpackedError for more than `max_bytes`,
    which it never holds many more of.
    """
    for name in reversed(names):
        try:
            data = _UNPACKERS[name](data, max_bytes + 1)
        except (zlib.error, zstandard.ZstdError) as error:
            raise NotUnpackedError(f"compressed as {name}, and damaged") from error
        if len(data) > max_bytes:
            raise TooLargeUnpackedError
    return data


def _gunzip(data: bytes, most: int) -> bytes:
    """Return all members of a gzip file, one behind the other (RFC 1952, 2.2)."""
    if not data.startswith(_GZIP_MAGIC):
        # Some servers say gzip of files that they have not compressed.
        return data
    unpacked = b""
    for _ in range(_MOST_MEMBERS):
        piece, data = _inflate(data, most - len(unpacked), _GZIP)
        unpacked += piece
        if len(unpacked) >= most or not data.startswith(_GZIP_MAGIC):
            return unpacked
    raise zlib.error("it has more members than any file")


def _undeflate(data: bytes, most: int) -> bytes:
    """Inflate zlib's format, or what some servers have taken "deflate" for: that without a head."""
    has_head = data[:1] and data[0] & 0x0F == _ZLIB_METHOD and int.from_bytes(data[:2]) % 31 == 0
    return _inflate(data, most, _ZLIB if has_head else _RAW)[0]


def _inflate(data: bytes, most: int, window_bits: int) -> tuple[bytes, bytes]:
    """Return what is unpacked, at most that many bytes, and what comes behind its end."""
    unpacker = zlib.decompressobj(window_bits)
    unpacked = unpacker.decompress(data, most)
    if len(unpacked) < most and not unpacker.eof:
        raise zlib.error("it is cut off")
    return unpacked, unpacker.unused_data


def _unpack_zstd(data: bytes, most: int) -> bytes:
    if not data.startswith(_ZSTD_MAGIC):
        return data
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    unpacked = unpacker.stream_reader(data).read(most)
    if len(unpacked) < min(most, zstandard.frame_content_size(data)):
        raise zstandard.ZstdError("it is cut off")
    return unpacked


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": _unpack_zstd,
}
_OTHERS = frozenset({"compress", "x-compress", "br"})
