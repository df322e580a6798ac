"""An image as text is what it was as bytes, however a client has spelled it."""

import base64
import random
from contextlib import suppress
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.images.image_text import decode_image_text
from racro.contracts.errors import InvalidImage

# Each byte, and so each character of both alphabets.
DATA = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\xfb\xff\xbf" * 20


def decode(text: str) -> bytes:
    return decode_image_text(text, param="images[0]")


def unpadded(text: str) -> str:
    return text.rstrip("=")


def for_urls(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


def in_lines(line_end: str):
    def broken(text: str) -> str:
        return line_end.join(text[start : start + 20] for start in range(0, len(text), 20))

    return broken


SPELLINGS = {
    "as it is": str,
    "without padding": unpadded,
    "too much padding": lambda text: text + "==",
    "for URLs": for_urls,
    "for URLs without padding": lambda text: for_urls(unpadded(text)),
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded padding": lambda text: text.replace("=", "%3D"),
    "percent-encoded lines": in_lines("%0D%0A"),
    "in lines": in_lines("\n"),
    "in lines of Windows": in_lines("\r\n"),
    "in lines without padding": lambda text: in_lines("\n")(unpadded(text)),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "with line breaks written out": in_lines("\\n"),
    "with slashes of JSON": lambda text: text.replace("/", "\\/"),
    "with signs of JSON": lambda text: text.replace("+", "\\u002b").replace("=", "\\u003D"),
    "with a space that does not break": lambda text: f"\u00a0{text}\u00a0",
    "with a mark of no width": in_lines("\u200b"),
    "with a mark of the byte order": lambda text: "\ufeff" + text,
    "with wide spaces": in_lines("\u3000"),
    "with lines of Unicode": in_lines("\u2028"),
    "in quotation marks": '"{}"'.format,
    "in lines of spaces": in_lines(" "),
    "with a fragment": "{}#page=1".format,
    "with an end of line": lambda text: text + "\n",
    "with white space around": lambda text: f" \t{text}\r\n ",
}
HEADERS = [
    "data:image/png;base64,",
    "data:;base64,",
    "data:base64,",
    "DATA:image/x;charset=utf-8;BASE64,",
    "data:image/png;base64;charset=utf-8,",
    'data:image/png;name="a, b.png";base64,',
    f"data:image/png;name={'%E5%9B%BE' * 200}.png;base64,",
    "data: image/png ; base64 ,",
    "data:image/png;name=a%2Cb.png;base64,",
    "data:image/png;name=a, b.png;base64,",
    "data:image/png;name=a,b;base64;charset=utf-8,",
    'data:image/png;base64;name="a, b.png",',
    "data:image/png;base64,data:image/jpeg;base64,",
    "data:image/png,data:image/png;base64,",
    "\n data:image/png;base64,",
    "data:image/png;base64%2C",
    "data%3Aimage%2Fpng%3Bbase64%2C",
    "image/png;base64,",
    "base64,",
]


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("header", [*HEADERS, "data:image/png,"])
def test_bytes_come_out_of_a_data_url_as_they_went_in(spelling, header) -> None:
    for data in (DATA, DATA[:-1], DATA[:-2]):
        assert decode(header + spelling(base64.b64encode(data).decode())) == data


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@given(data=st.binary(min_size=1, max_size=200))
def test_bytes_come_out_of_base64_alone_as_they_went_in(spelling, data) -> None:
    assert decode(spelling(base64.b64encode(data).decode())) == data


@pytest.mark.parametrize("header", ["data:image/png,", "data:,", "DATA:image/png;charset=x,"])
@given(data=st.binary(max_size=200).map(lambda data: b"\x89" + data))
def test_a_data_url_need_not_be_base64(header, data) -> None:
    """RFC 2397: percent-encoded bytes."""
    assert decode(header + quote_from_bytes(data)) == data
    assert decode(header + quote_from_bytes(data, safe="")) == data


@pytest.mark.parametrize("marks", ['""', "''", "``", "<>", "\u201c\u201d"])
@pytest.mark.parametrize("header", [*HEADERS, "data:image/png,", ""])
def test_the_whole_may_stand_in_quotation_marks(header, marks) -> None:
    text = header + base64.b64encode(DATA).decode()
    assert decode(f" {marks[0]}{text}{marks[1]}\n") == DATA


def test_a_url_may_be_escaped_twice_as_a_whole() -> None:
    text = "data:image/png;base64," + base64.b64encode(DATA).decode()
    assert decode(quote(quote(text, safe=""), safe="")) == DATA


@pytest.mark.parametrize("header", ["data:image/png;base64,", "data:;base64, ", ""])
@pytest.mark.parametrize("encode", [str, quote])
def test_plus_signs_of_which_a_form_made_spaces_come_back(header, encode) -> None:
    generator = random.Random(8)
    for size in (60, 600, 6000, 60_000):
        for data in (generator.randbytes(size), bytes(size) + generator.randbytes(size)):
            text = base64.b64encode(data).decode().replace("+", " ")
            assert decode(header + encode(text)) == data


def test_an_svg_is_not_cut_at_an_image_within() -> None:
    svg = '<svg><image href="data:image/png;base64,AAAA"/></svg>'
    assert decode("data:image/svg+xml;utf8," + svg) == svg.encode()
    assert decode("data:image/svg+xml," + quote(svg, safe=":/;,")) == svg.encode()


def test_large_texts_are_mended_in_pieces() -> None:
    data = random.Random(9).randbytes(700_000)
    text = base64.b64encode(data).decode()
    for before in range(6):
        for lines in (in_lines("\\n"), lambda text: text.replace("+", "\\u002B")):
            assert decode("data:;base64," + "\u200b" * before + lines(text)) == data


def test_large_texts_are_decoded_in_pieces() -> None:
    data = b"\x89" + DATA * 3000
    for before in range(3):
        everything = quote_from_bytes(data, safe="")
        assert decode("data:," + "a" * before + everything) == b"a" * before + data
    assert decode("data:;base64," + quote(base64.b64encode(data).decode())) == data


def test_characters_may_stand_for_bytes() -> None:
    assert decode("data:image/png," + DATA.decode("latin-1").replace("%", "%25")) == DATA


def test_what_is_no_escape_stays_as_it_is() -> None:
    assert decode("data:,%PDF-1.7 100%=%zz%2") == b"%PDF-1.7 100%=%zz%2"
    with pytest.raises(InvalidImage, match="many of its percent signs are no escapes"):
        decode("data:," + "%" * 2000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "http(s) URL"),
        (" ", "http(s) URL"),
        ("images/x.png", "http(s) URL"),
        ("data:image/png;base64", "http(s) URL"),
        ("data:", "http(s) URL"),
        ("data:image/png;base64,A", "not valid base64"),
        ("data:image/png;base64,AAAA=AAA", "not valid base64"),
        ("data:image/png;base64,AA*A", "not valid base64"),
        ("data:image/png;base64,AA==AAAA", "not valid base64"),
        ("data:image/png;base64,ÄÄÄÄ", "not valid base64"),
        ("data:image/png;base64,AAAA\\AAAA", "not valid base64"),
        ("data:image/png;base64,AAAA,AAAA", "not valid base64"),
        ("data:image/png;base64,\u200bÄ", "not valid base64"),
        ('"data:image/png;base64,AA*A', "not valid base64"),
        ("ftp://example.org/x.png", "ftp: URLs are not fetched"),
        ("FILE:///etc/passwd", "file: URLs are not fetched"),
        (" s3://bucket/x.png", "s3: URLs are not fetched"),
        ("blob:https://example.org/9115d58c", "blob: URLs are not fetched"),
        ("http:x.png", "http(s) URL"),
        ("//example.org/x.png", "the URL has no scheme"),
        ("C:\\x.png", "http(s) URL"),
    ],
)
def test_what_is_no_image_as_text_is_refused_by_its_field(text, says) -> None:
    with pytest.raises(InvalidImage) as refusal:
        decode(text)
    assert refusal.value.param == "images[0]"
    assert says in refusal.value.message


@example("data:;base64," + "A" * 50)
@given(st.text() | st.text('AZaz09+/=%,;" \n\\#\u200b').map("data:image/png;base64,".__add__))
def test_no_text_raises_anything_but_our_errors(text) -> None:
    with suppress(InvalidImage):
        assert isinstance(decode(text), bytes)
