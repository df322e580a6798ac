"""Values of a JSON text are counted before there are objects of them."""

import json

import pytest

from racro.servekit.json_bounds import (
    Bound,
    TooManyError,
    fields_of,
    holds_more,
    items_of,
    may_hold_more,
)
from racro.servekit.responses import NotJson

LONG = "a" * 100_000


@pytest.mark.parametrize("more", ["", LONG], ids=["small", "large"])
def test_fields_up_to_the_bound_are_returned_undecoded(more) -> None:
    body = json.dumps({"a": [1, 2], "b": more}).encode()
    fields = fields_of(body, 2)
    assert {name: json.loads(bytes(value)) for name, value in fields.items()} == json.loads(body)
    assert {type(name) for name in fields} == {str}
    with pytest.raises(TooManyError):
        fields_of(body, 1)


@pytest.mark.parametrize("more", ["", LONG], ids=["small", "large"])
def test_items_up_to_the_bound_are_returned_undecoded(more) -> None:
    text = json.dumps([[1, 2], more]).encode()
    assert [json.loads(bytes(item)) for item in items_of(text, 2)] == json.loads(text)
    with pytest.raises(TooManyError):
        items_of(text, 1)


@pytest.mark.parametrize("read", [fields_of, items_of])
@pytest.mark.parametrize("text", [b"", b"5", b"[1", b'{"a"', b"[" * 100_000, b"{" * 100_000])
def test_what_is_no_json_is_told(read, text) -> None:
    with pytest.raises(NotJson):
        read(text, 16)


def test_bytes_are_counted_up_to_a_bound() -> None:
    assert not holds_more(b"a,b,c", b",", 2)
    assert holds_more(b"a,b,c", b",", 1)
    assert may_hold_more(b"[[[[[[", 5)
    assert may_hold_more(b"{1,2,3,4}", 2)
    assert not may_hold_more(b"{1,2,3,4}", 3)


def test_a_bound_names_its_setting() -> None:
    assert str(Bound(3, "max_images")) == "max_images = 3"
    assert str(Bound(3)) == "3"
