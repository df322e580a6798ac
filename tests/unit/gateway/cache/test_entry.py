"""Only what was written under a key is read under it."""

import msgspec
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.entry import Entry, Kept, decode, encode

MAX_BYTES = 10_000
ENTRIES = st.builds(
    Entry,
    text=st.text(),
    finish_reason=st.sampled_from(["stop", "length"]),
    prompt_tokens=st.integers(0, 10**6),
    completion_tokens=st.integers(0, 10**6),
    model=st.text(max_size=20),
    revision=st.text(max_size=20),
    prompt_profile=st.just("racro-v1"),
    seconds=st.floats(0, 1000),
    tenant=st.text(max_size=20),
    images=st.lists(st.text(max_size=8), max_size=3).map(tuple),
)
ENTRY = Entry("A cat.", "stop", 5, 2, "vlm", "r1", "racro-v1", 1.5, "", ("d1",))


@given(entry=ENTRIES, key=st.text())
def test_an_entry_is_read_as_it_was_written(entry, key) -> None:
    assert decode(Entry, key, encode(key, entry, max_bytes=10**6), max_bytes=10**6) == entry


@given(entry=ENTRIES, key=st.text(), other=st.text())
def test_under_another_key_it_is_none(entry, key, other) -> None:
    found = decode(Entry, other, encode(key, entry, max_bytes=10**6), max_bytes=10**6)
    assert (found is None) or key == other


@given(data=st.data())
def test_a_damaged_entry_is_none(data) -> None:
    written = encode("key", ENTRY, max_bytes=MAX_BYTES)
    at = data.draw(st.integers(0, len(written) - 1))
    bit = data.draw(st.integers(0, 7))
    damaged = bytearray(written)
    damaged[at] ^= 1 << bit
    assert decode(Entry, "key", bytes(damaged), max_bytes=MAX_BYTES) in {None, ENTRY}
    assert decode(Entry, "key", written[:at], max_bytes=MAX_BYTES) is None


@given(noise=st.binary(max_size=200))
def test_noise_is_none(noise) -> None:
    assert decode(Entry, "key", noise, max_bytes=MAX_BYTES) is None
    assert (
        decode(
            Entry,
            "key",
            encode("key", ENTRY, max_bytes=MAX_BYTES)[:19] + noise,
            max_bytes=MAX_BYTES,
        )
        is None
    )


def test_a_frame_that_wants_more_memory_than_an_entry_may_have_is_none() -> None:
    head = encode("key", ENTRY, max_bytes=MAX_BYTES)[:19]
    bomb = head + zstandard.compress(bytes(10**7))
    assert len(bomb) < MAX_BYTES
    assert decode(Entry, "key", bomb, max_bytes=MAX_BYTES) is None


def test_another_kind_is_none() -> None:
    kept = Kept("{}", "why?", "r1", "", ("d1",))
    assert (
        decode(Entry, "key", encode("key", kept, max_bytes=MAX_BYTES), max_bytes=MAX_BYTES) is None
    )
    assert (
        decode(Kept, "key", encode("key", kept, max_bytes=MAX_BYTES), max_bytes=MAX_BYTES) == kept
    )


def test_what_nobody_would_read_is_not_written() -> None:
    entry = msgspec.structs.replace(ENTRY, text="x" * MAX_BYTES)
    assert encode("key", entry, max_bytes=MAX_BYTES) is None


def test_nesting_that_breaks_the_parser_is_none() -> None:
    head = encode("key", ENTRY, max_bytes=MAX_BYTES)[:19]
    fields = b"\x9c\xa5Entry" + b"\xa0" * 2 + b"\x91" * 5000 + b"\xc0"
    value = head + zstandard.compress(fields)
    assert decode(Entry, "key", value, max_bytes=MAX_BYTES) is None
