"""The format of cache entries.

    2 bytes  "RC"
    1 byte   schema version, as in keys
    16 bytes digest of the key that it is stored under
    rest     one zstd frame, with its length and checksum, of MessagePack

An entry that was copied to another key, cut short, damaged, or written by another version is not
read.
"""

import hashlib
from typing import TypeVar

import msgspec
import zstandard

from racro.contracts.cache_keys import SCHEMA_VERSION

_MAGIC = b"RC" + bytes([SCHEMA_VERSION])
_DIGEST_BYTES = 16
_HEAD_BYTES = len(_MAGIC) + _DIGEST_BYTES

# Hardly slower than the fastest, and captions are small.
_compressor = zstandard.ZstdCompressor(level=3, write_checksum=True, write_content_size=True)
_decompressor = zstandard.ZstdDecompressor()


class Entry(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A part of a visual context as a captioner generated it, and what it cost.

    `model`, `revision` and `prompt_profile` are those of that captioner, `seconds` its call took.
    `tenant` and `images` (digests) are in the key, too, but unreadable; purging needs them here.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    revision: str
    prompt_profile: str
    seconds: float
    tenant: str
    images: tuple[str, ...]


class Kept(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A whole visual context that is stored to be answered from later.

    `context` is its JSON, `question` the one that it was made for. The rest is as in Entry.
    """

    context: str
    question: str | None
    revision: str
    tenant: str
    images: tuple[str, ...]


Value = TypeVar("Value", Entry, Kept)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry | Kept)


def encode(key: str, value: Entry | Kept, *, max_bytes: int) -> bytes | None:
    """Encode an entry; None for one over `max_bytes`, which would not be read."""
    plain = _encoder.encode(value)
    if len(plain) > max_bytes:
        return None
    return _MAGIC + _digest(key) + _compressor.compress(plain)


def decode(kind: type[Value], key: str, data: bytes, *, max_bytes: int) -> Value | None:
    """Decode an entry of a kind; None if it has another key or kind, or is over `max_bytes`."""
    value = decode_any(key, data, max_bytes=max_bytes)
    return value if isinstance(value, kind) else None


def decode_any(key: str, data: bytes, *, max_bytes: int) -> Entry | Kept | None:
    """Decode an entry of any kind, as `decode` does."""
    if data[:_HEAD_BYTES] != _MAGIC + _digest(key):
        return None
    frame = data[_HEAD_BYTES:]
    try:
        # The frame says how much memory it wants: believed, it could ask for all there is.
        if not 0 <= zstandard.frame_content_size(frame) <= max_bytes:
            return None
        value: Entry | Kept = _decoder.decode(_decompressor.decompress(frame))
    except (zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=_DIGEST_BYTES).digest()
