"""What came compressed is what it was, or refused for a reason, and never more than allowed."""

import gzip
import random
import tracemalloc
import zlib

import pytest
import zstandard

from gateway.images.content_encoding import NotUnpackedError, TooLargeUnpackedError, codings, unpack

DATA = random.Random(1).randbytes(5000) + bytes(5000)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZIP", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.compress),
}


@pytest.mark.parametrize(("name", "pack"), PACKED.values(), ids=PACKED)
def test_what_was_packed_is_unpacked_up_to_the_bound(name, pack) -> None:
    names = codings([name])
    assert unpack(pack(DATA), names, max_bytes=len(DATA)) == DATA
    assert unpack(pack(b""), names, max_bytes=0) == b""
    with pytest.raises(TooLargeUnpackedError):
        unpack(pack(DATA), names, max_bytes=len(DATA) - 1)


@pytest.mark.parametrize(("name", "pack"), PACKED.values(), ids=PACKED)
def test_a_bomb_takes_no_more_memory_than_is_allowed(name, pack) -> None:
    bomb = pack(bytes(200 * 2**20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeUnpackedError):
            unpack(bomb, codings([name]), max_bytes=2**20)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_two_are_undone_in_reverse_order_and_three_are_refused() -> None:
    packed = gzip.compress(zlib.compress(DATA), mtime=0)
    for values in (["deflate, gzip"], ["deflate", "gzip"], ["identity, deflate", "gzip,"]):
        assert unpack(packed, codings(values), max_bytes=len(packed) * 2) == DATA
    with pytest.raises(NotUnpackedError, match="compressed 3 times; at most 2"):
        codings(["gzip, gzip", "gzip"])


@pytest.mark.parametrize("name", ["br", "compress", "x-compress"])
def test_what_is_not_unpacked_is_named(name) -> None:
    with pytest.raises(NotUnpackedError, match=f"compressed as {name}, which is not unpacked"):
        codings([name])


@pytest.mark.parametrize("values", [[], [""], ["identity"], ["utf-8"], ["aws-chunked"], ["none"]])
def test_names_for_nothing_are_nothing(values) -> None:
    assert unpack(DATA, codings(values), max_bytes=1) == DATA


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_bytes_that_are_not_compressed_after_all_are_taken_as_they_are(name) -> None:
    assert unpack(DATA, codings([name]), max_bytes=len(DATA)) == DATA


def test_all_members_of_a_gzip_file_are_unpacked() -> None:
    packed = gzip.compress(DATA, mtime=0) + gzip.compress(b"and more", mtime=0) + b"trailing"
    assert unpack(packed, ["gzip"], max_bytes=2**20) == DATA + b"and more"
    with pytest.raises(TooLargeUnpackedError):
        unpack(packed, ["gzip"], max_bytes=len(DATA) + 3)
    assert unpack(packed, ["gzip"], max_bytes=len(DATA) + 8) == DATA + b"and more"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(b"", mtime=0) * 10_000),
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
    with pytest.raises(NotUnpackedError, match=f"compressed as {name}, and damaged"):
        unpack(data, codings([name]), max_bytes=2**20)
