"""Undoes the compression of bytes that came over HTTP (RFC 9110, 8.4), within a bound."""

import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

import zstandard

# More than one are a mistake of a server behind a proxy; many are a bomb.
_MOST_CODINGS = 2
# One behind the other, as tools that compress in parallel, or for random access, write them.
_MOST_MEMBERS = 1024
_GZIP_MAGIC = b"\x1f\x8b"
# RFC 8878, 3.1.1 and 3.1.2: frames of data, and those to be skipped.
_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes((0x50 + n, 0x2A, 0x4D, 0x18)) for n in range(16)))
_GZIP, _ZLIB, _RAW = 31, 15, -15
_ZLIB_METHOD = 8
# The most that a zstd frame may have decoders hold, by RFC 9659.
_ZSTD_WINDOW = 8 * 2**20
# What is decompressed at a time, so that it makes no more than 1 or 4 MiB: deflate makes up to 1032
# bytes of one, and zstd 128 KiB of four.
_DEFLATE_STEP, _ZSTD_STEP = 1024, 128


class _Decoder(Protocol):
    """Decompresses one member; `eof` tells that it was complete, `unused_data` what came behind."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class DecompressionError(ValueError):
    """Bytes cannot be unpacked; the message says why, as the end of a sentence."""


class DecompressedTooLargeError(Exception):
    """There is more in the bytes than was allowed."""


def content_codings(values: Iterable[str]) -> list[str]:
    """Return the compressions that the headers Content-Encoding name, in the order of their use.

    Others are names for nothing, such as those that object stores give: the bytes tell what they
    are. Raises DecompressionError for those that are not undone here.
    """
    names = [name.strip().lower() for value in values for name in value.split(",")]
    found = [name for name in names if name in _UNPACKERS or name in _OTHERS]
    for name in found:
        if name in _OTHERS:
            raise DecompressionError(f"compressed as {name}, which is not unpacked")
    if len(found) > _MOST_CODINGS:
        raise DecompressionError(
            f"compressed {len(found)} times; at most {_MOST_CODINGS} are unpacked"
        )
    return found


def unpack(data: bytes, names: list[str], *, max_bytes: int) -> bytes:
    """Return the bytes before they were compressed as `content_codings` says.

    Raises DecompressionError for damaged bytes, and DecompressedTooLargeError for more than
    `max_bytes`, which it never holds many more of.
    """
    for name in reversed(names):
        try:
            data = _UNPACKERS[name](data, max_bytes + 1)
        except (zlib.error, zstandard.ZstdError) as error:
            raise DecompressionError(f"compressed as {name}, and damaged") from error
        if len(data) > max_bytes:
            raise DecompressedTooLargeError
    return data


def _gunzip(data: bytes, most: int) -> bytes:
    """Return all members of a gzip file, one behind the other (RFC 1952, 2.2)."""
    if not data.startswith(_GZIP_MAGIC):
        # Some servers say gzip of files that they have not compressed.
        return data
    return _decompress(data, most, partial(zlib.decompressobj, _GZIP), _DEFLATE_STEP, _GZIP_MAGIC)


def _undeflate(data: bytes, most: int) -> bytes:
    """Inflate zlib's format, or what some servers have taken "deflate" for: that without a head."""
    has_head = data[:1] and data[0] & 0x0F == _ZLIB_METHOD and int.from_bytes(data[:2]) % 31 == 0
    window_bits = _ZLIB if has_head else _RAW
    return _decompress(data, most, partial(zlib.decompressobj, window_bits), _DEFLATE_STEP)


def _unpack_zstd(data: bytes, most: int) -> bytes:
    """Return what all frames hold, one behind the other (RFC 8878, 3.1)."""
    if not data.startswith(_ZSTD_MAGICS):
        return data
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    return _decompress(data, most, decompressor.decompressobj, _ZSTD_STEP, _ZSTD_MAGICS)


def _decompress(
    data: bytes,
    most: int,
    decoder_of_member: Callable[[], _Decoder],
    step: int,
    magic: bytes | tuple[bytes, ...] = (),
) -> bytes:
    """Return what all members hold, at most that many bytes.

    Another member begins with `magic`; else what is behind one is padding.
    """
    unpacked, at = bytearray(), 0
    for _ in range(_MOST_MEMBERS):
        decoder = decoder_of_member()
        while not decoder.eof:
            piece = data[at : at + step]
            if not piece:
                raise zlib.error("it is cut off")
            unpacked += decoder.decompress(piece)
            at += len(piece) - len(decoder.unused_data)
            if len(unpacked) >= most:
                return bytes(unpacked[:most])
        if not data.startswith(magic, at):
            return bytes(unpacked)
    raise DecompressionError(f"compressed in more than {_MOST_MEMBERS} members or frames")


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": _unpack_zstd,
}
_OTHERS = frozenset({"compress", "x-compress", "br"})
