"""What came compressed is what it was, or refused for a reason, and never more than allowed."""

import gzip
import random
import tracemalloc
import zlib
from functools import partial

import pytest
import zstandard

from gateway.images.content_encoding import (
    DecompressedTooLargeError,
    DecompressionError,
    content_codings,
    unpack,
)

DATA = random.Random(1).randbytes(5000) + bytes(5000)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def streamed_zstd(data: bytes) -> bytes:
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZIP", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.compress),
    "zstd that tells no size": ("zstd", streamed_zstd),
}


@pytest.mark.parametrize(("name", "pack"), PACKED.values(), ids=PACKED)
def test_what_was_packed_is_unpacked_up_to_the_bound(name, pack) -> None:
    names = content_codings([name])
    assert unpack(pack(DATA), names, max_bytes=len(DATA)) == DATA
    assert unpack(pack(b""), names, max_bytes=0) == b""
    with pytest.raises(DecompressedTooLargeError):
        unpack(pack(DATA), names, max_bytes=len(DATA) - 1)


@pytest.mark.parametrize(("name", "pack"), PACKED.values(), ids=PACKED)
def test_a_bomb_takes_no_more_memory_than_is_allowed(name, pack) -> None:
    bomb = pack(bytes(200 * 2**20))
    tracemalloc.start()
    try:
        with pytest.raises(DecompressedTooLargeError):
            unpack(bomb, content_codings([name]), max_bytes=2**20)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_two_are_undone_in_reverse_order_and_three_are_refused() -> None:
    packed = gzip.compress(zlib.compress(DATA), mtime=0)
    for values in (["deflate, gzip"], ["deflate", "gzip"], ["identity, deflate", "gzip,"]):
        assert unpack(packed, content_codings(values), max_bytes=len(packed) * 2) == DATA
    with pytest.raises(DecompressionError, match="compressed 3 times; at most 2"):
        content_codings(["gzip, gzip", "gzip"])


@pytest.mark.parametrize("name", ["br", "compress", "x-compress"])
def test_what_is_not_unpacked_is_named(name) -> None:
    with pytest.raises(DecompressionError, match=f"compressed as {name}, which is not unpacked"):
        content_codings([name])


@pytest.mark.parametrize("values", [[], [""], ["identity"], ["utf-8"], ["aws-chunked"], ["none"]])
def test_names_for_nothing_are_nothing(values) -> None:
    assert unpack(DATA, content_codings(values), max_bytes=1) == DATA


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_bytes_that_are_not_compressed_after_all_are_taken_as_they_are(name) -> None:
    assert unpack(DATA, content_codings([name]), max_bytes=len(DATA)) == DATA


SKIPPED = b"\x5a\x2a\x4d\x18\4\0\0\0abcd"
MEMBERS = [
    pytest.param("gzip", partial(gzip.compress, mtime=0), b"trailing", id="gzip"),
    pytest.param("zstd", zstandard.compress, b"trailing", id="zstd"),
    pytest.param("zstd", streamed_zstd, SKIPPED, id="zstd that tells no size"),
]


@pytest.mark.parametrize(("name", "pack", "behind"), MEMBERS)
def test_all_members_are_unpacked(name, pack, behind) -> None:
    packed = pack(DATA) + pack(b"and more") + behind
    assert unpack(packed, [name], max_bytes=2**20) == DATA + b"and more"
    with pytest.raises(DecompressedTooLargeError):
        unpack(packed, [name], max_bytes=len(DATA) + 7)
    assert unpack(packed, [name], max_bytes=len(DATA) + 8) == DATA + b"and more"


@pytest.mark.parametrize(("name", "pack", "_"), MEMBERS)
def test_so_many_members_are_unpacked(name, pack, _) -> None:
    assert unpack(pack(b"x") * 1024, [name], max_bytes=2**20) == b"x" * 1024
    with pytest.raises(DecompressionError, match="compressed in more than 1024 members"):
        unpack(pack(b"x") * 1025, [name], max_bytes=2**20)


def test_frames_to_be_skipped_are_skipped() -> None:
    packed = SKIPPED + zstandard.compress(DATA) + SKIPPED + streamed_zstd(DATA)
    assert unpack(packed, ["zstd"], max_bytes=2**20) == DATA + DATA


@pytest.mark.parametrize(("name", "pack"), PACKED.values(), ids=PACKED)
def test_what_was_cut_is_damaged_wherever_it_was_cut(name, pack) -> None:
    packed = pack(DATA)
    for end in (4, 20, len(packed) // 2, len(packed) - 5, len(packed) - 1):
        with pytest.raises(DecompressionError, match="and damaged"):
            unpack(packed[:end], content_codings([name]), max_bytes=2**20)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(DATA, mtime=0)[:-9]),
        ("gzip", gzip.compress(DATA, mtime=0)[:40] + bytes(40)),
        ("deflate", zlib.compress(DATA)[:-9]),
        ("deflate", b""),
        ("deflate", b"\xff" * 40),
        ("zstd", zstandard.compress(DATA)[:20] + bytes(40)),
        # A frame that wants 128 MiB of its decoder.
        ("zstd", b"\x28\xb5\x2f\xfd\x00\x88" + bytes(9)),
    ],
)
def test_damaged_bytes_are_named(name, data) -> None:
    with pytest.raises(DecompressionError, match=f"compressed as {name}, and damaged"):
        unpack(data, content_codings([name]), max_bytes=2**20)
