"""Undoes the compression of bytes that came over HTTP (RFC 9110, 8.4), within a bound."""

import zlib
from collections.abc import Callable, Iterable, Mapping

import zstandard

# More than one are a mistake of a server behind a proxy; many are a bomb.
_MOST_CODINGS = 2
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_GZIP, _ZLIB, _RAW = 31, 15, -15
_ZLIB_METHOD = 8
# The most that a zstd frame may have decoders hold, by RFC 9659.
_ZSTD_WINDOW = 8 * 2**20


class Packed(ValueError):
    """Bytes cannot be unpacked; the message says why, as the end of a sentence."""


class TooLargeUnpackedError(Exception):
    """There is more in the bytes than was allowed."""


def codings(values: Iterable[str]) -> list[str]:
    """Return the compressions that the headers Content-Encoding name, in the order of their use.

    Others are names for nothing, such as those that object stores give: the bytes tell what they
    are. Raises Packed for those that are not undone here.
    """
    names = [name.strip().lower() for value in values for name in value.split(",")]
    found = [name for name in names if name in _UNPACKERS or name in _OTHERS]
    for name in found:
        if name in _OTHERS:
            raise Packed(f"compressed as {name}, which is not unpacked")
    if len(found) > _MOST_CODINGS:
        raise Packed(f"compressed {len(found)} times; at most {_MOST_CODINGS} are unpacked")
    return found


def unpack(data: bytes, names: list[str], *, max_bytes: int) -> bytes:
    """Return the bytes before they were compressed as `codings` says.

    Raises Packed for damaged bytes, and TooLargeUnpackedError for more than `max_bytes`, which it
    never holds many more of.
    """
    for name in reversed(names):
        try:
            data = _UNPACKERS[name](data, max_bytes + 1)
        except (zlib.error, zstandard.ZstdError) as error:
            raise Packed(f"compressed as {name}, and damaged") from error
        if len(data) > max_bytes:
            raise TooLargeUnpackedError
    return data


def _gunzip(data: bytes, most: int) -> bytes:
    # Some servers say gzip of files that they have not compressed.
    return _inflate(data, most, _GZIP) if data.startswith(_GZIP_MAGIC) else data


def _undeflate(data: bytes, most: int) -> bytes:
    """Inflate zlib's format, or what some servers have taken "deflate" for: that without a head."""
    has_head = data[:1] and data[0] & 0x0F == _ZLIB_METHOD and int.from_bytes(data[:2]) % 31 == 0
    return _inflate(data, most, _ZLIB if has_head else _RAW)


def _inflate(data: bytes, most: int, window_bits: int) -> bytes:
    unpacker = zlib.decompressobj(window_bits)
    unpacked = unpacker.decompress(data, most)
    if len(unpacked) < most and not unpacker.eof:
        raise zlib.error("it is cut off")
    return unpacked


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
