"""Images within texts and JSON are replaced alone, and what only seems to be one stays."""

import base64
import json
import struct
import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.text_images import replace_images
from support.pictures import png

DATA = png()
BASE64 = base64.b64encode(DATA).decode()
URL = f"data:image/png;base64,{BASE64}"
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"\xff\xef/\xbe" * 80).decode()
SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 200).decode()
SEEN = '[seen "it"\nat last]'
PART = {"type": "text", "text": SEEN}


def read(text: str, *, with_links: bool = True) -> tuple[str, list[str]]:
    found: list[str] = []

    def place(source) -> str:
        assert source.may_be_left_out
        assert source.param == "messages[0].content"
        found.append(source.content)
        return SEEN

    replaced = replace_images(text, place, param="messages[0].content", with_links=with_links)
    assert (replaced is None) == (not found)
    return text if replaced is None else replaced, found


def replaced(value: Any, **how: Any) -> Any:
    return json.loads(read(json.dumps(value, **how))[0])


BEGINNINGS = {
    "png": DATA,
    "jpeg": b"\xff\xd8\xff\xe0",
    "gif": b"GIF89a",
    "webp": b"RIFF\x10\0\0\0WEBPVP8L",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "bmp": b"BM" + bytes(12) + b"\x28\0\0\0",
    "tiff": b"II*\0",
    "big-tiff": b"MM\0+",
    "ico": b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x64\0\0\0\x16\0\0\0",
    "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "j2k": b"\xff\x4f\xff\x51",
    "pdf": b"%PDF-1.7",
}


@pytest.mark.parametrize("begins", BEGINNINGS.values(), ids=BEGINNINGS)
@pytest.mark.parametrize("alphabet", ["standard", "url"])
@pytest.mark.parametrize("head", ["", "data:;base64,", "data:application/octet-stream;base64,"])
def test_every_known_file_is_found_by_its_beginning(begins, alphabet, head) -> None:
    encode = base64.b64encode if alphabet == "standard" else base64.urlsafe_b64encode
    image = encode(begins + b"\xfb\xff\xfe" * 60).decode()
    assert read(json.dumps({"a": 1, "shot": head + image})) == (
        json.dumps({"a": 1, "shot": SEEN}),
        [f"data:;base64,{image}"],
    )


URLS = {
    "plain": URL,
    "upper": f"DATA:IMAGE/PNG;BASE64,{BASE64}",
    "spaces": f"data:image/png; base64,{BASE64}",
    "parameters": f'data:image/png;name="a, b.png";base64,{BASE64}',
    "escaped": f"data:image/png;base64%2C{BASE64}",
    "all-escaped": "data%3Aimage%2Fpng%3Bbase64%2C"
    + BASE64.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"),
    "no-type": f"data:;base64,{BASE64}",
    "lines": "data:image/png;base64,\n" + "\n".join(textwrap.wrap(BASE64, 76)),
    "pdf": f"data:application/pdf;base64,{BASE64}",
}


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("\n", "\n"),
        ("What is it? ", ""),
        ("", " is what I saw."),
        ("a {x} ", " b"),
        ("[1]: ", "\n[2]: https://example.org"),
        ("<", ">"),
    ],
)
def test_a_data_url_in_a_text_is_replaced_alone(url, before, after) -> None:
    out, found = read(before + url + after)
    assert out == before + SEEN + after
    assert len(found) == 1


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
@pytest.mark.parametrize("escapes", ["json", "slashes", "php", "net", "spaces"])
def test_a_data_url_in_json_is_replaced_alone(url, escapes) -> None:
    text = json.dumps({"d": 1, "shot": f" {url}" if escapes == "spaces" else url, "n": None})
    if escapes in {"slashes", "php"}:
        text = text.replace("/", "\\/")
    if escapes == "net":
        text = text.replace("+", "\\u002B")
    out, found = read(text)
    assert json.loads(out)["shot"].strip() == SEEN
    assert json.loads(out) | {"shot": ""} == {"d": 1, "shot": "", "n": None}
    assert "\\" not in found[0]


MARKDOWN = {
    "alone": f"![]({URL})",
    "described": f"![a cat]({URL})",
    "title": f'![a]({URL} "A title (x)")',
    "title-in-brackets": f"![a]({URL} (A title))",
    "angle": f"![a](<{URL}>)",
    "long": "![" + "a " * 900 + f"]({URL})",
    "lines": f"![a](data:image/png;base64,\n{chr(10).join(textwrap.wrap(BASE64, 76))}\n)",
}


@pytest.mark.parametrize("image", MARKDOWN.values(), ids=MARKDOWN)
def test_an_image_of_markdown_is_replaced_as_a_whole(image) -> None:
    assert read(f"a {image} b") == (f"a {SEEN} b", read(image)[1])
    assert read(image + image)[0] == SEEN + SEEN
    assert read(f"[{image}](https://example.org)")[0] == f"[{SEEN}](https://example.org)"
    assert replaced({"text": f"a {image} b"}) == {"text": f"a {SEEN} b"}


PARTS: dict[str, dict[str, Any]] = {
    "ai-sdk-media": {"type": "media", "data": BASE64, "mediaType": "image/png"},
    "ai-sdk-file-data": {"type": "file-data", "data": BASE64, "mediaType": "application/pdf"},
    "ai-sdk-image-url": {"type": "image-url", "url": "https://example.org/a.png"},
    "mcp": {"type": "image", "data": BASE64, "mimeType": "image/png"},
    "messages": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": BASE64},
        "cache_control": {"type": "ephemeral"},
    },
    "chat": {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
    "langchain": {"type": "image", "base64": BASE64, "mime_type": "image/png"},
    "gemini": {"inlineData": {"mimeType": "image/png", "data": BASE64}},
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "around",
    [
        lambda one: one,
        lambda one: [{"type": "text", "text": "a"}, one],
        lambda one: {"content": [one, one], "isError": False},
        lambda one: [[[{"a": {"b": [one]}, "images": ["x"]}]]],
    ],
    ids=["alone", "list", "mcp", "deep"],
)
def test_an_object_that_is_an_image_part_becomes_a_text_part(part, around, indent) -> None:
    assert replaced(around(part), indent=indent) == around(PART)
    assert replaced({"text": json.dumps(around(part))})["text"] == read(json.dumps(around(part)))[0]


@pytest.mark.parametrize("field", ["screenshot", "image/png", "b64_json", "data", "image"])
def test_of_any_other_object_the_string_alone_is_replaced(field) -> None:
    value = {"title": "A", "media_type": "image/png", field: BASE64, "rows": [1, 2], "total": 99}
    assert replaced(value) == value | {field: SEEN}
    assert replaced({"type": "image", **value}) == {"type": "image", **value, field: SEEN}
    assert replaced({"images": [BASE64, "x", BASE64]}) == {"images": [SEEN, "x", SEEN]}


@pytest.mark.parametrize("kind", [{}, [], ["image"], 1, True])
def test_an_object_whose_type_is_no_text_is_no_image_part(kind) -> None:
    assert replaced({"type": kind, "data": BASE64}) == {"type": kind, "data": SEEN}


@pytest.mark.parametrize("deep", range(4))
def test_json_may_be_a_string_within_json(deep) -> None:
    value: Any = {"content": [PARTS["mcp"]], "shot": URL, "n": "\u00e9"}
    for _ in range(deep):
        value = [{"text": json.dumps(value)}]
    out = replaced(value)
    for _ in range(deep):
        out = json.loads(out[0]["text"])
    assert out == {"content": [PART], "shot": SEEN, "n": "\u00e9"}


@pytest.mark.parametrize(
    "text",
    [
        '{"n": NaN, "shot": "%s"}',
        '\ufeff{"shot": "%s"}',
        '{"title": "cut \\ud83d", "shot": "%s"}',
        " " * 70 + '{"n": 1.50, "n": 1e400, "shot" :  "%s" }',
        "Taken:\n" + '[{"shot": "%s"}]',
        '{"a": 1}\n{"shot": "%s"}',
        "[{'url': '%s'}]",
        "[" * 5000 + '"%s"',
        '{"a": [' + "1, " * 20_000 + '"%s"]}',
        '{"cut": "%s"',
    ],
)
def test_no_json_is_parsed_and_all_around_stays_to_the_byte(text) -> None:
    told = json.dumps(SEEN)[1:-1]
    for image in (URL, BASE64):
        assert read(text.replace("%s", image))[0] == text.replace("%s", told)


WITHIN_STRINGS = {
    "single-quotes": "<img src='%s'>",
    "double-quotes": '<img src="%s">',
    "backticks": "see `%s` there",
    "css": "a{background:url(%s)}",
    "prose": "see %s there",
    "behind-a-quotation": 'he said "see" %s there',
    "python": "{'img': '%s'}",
    "markdown": '![a "b" c](%s "a title")',
    "space": " " * 300 + "%s" + " " * 300,
}


@pytest.mark.parametrize("text", WITHIN_STRINGS.values(), ids=WITHIN_STRINGS)
@pytest.mark.parametrize("deep", range(1, 4))
@pytest.mark.parametrize("of", [lambda one: {"a": one, "b": 'c "d"'}, str], ids=["object", "alone"])
def test_a_caption_within_a_string_breaks_no_json_around_it(text, deep, of) -> None:
    value = text.replace("%s", URL)
    for _ in range(deep):
        value = json.dumps(of(value))
    told, [_] = read(value)
    for _ in range(deep):
        told = json.loads(told)
        told = told["a"] if isinstance(told, dict) else told
    assert all(word in told for word in ("[seen ", "it", "at last]"))


@pytest.mark.parametrize(
    "text", ["[shot: %s]", "{no json %s}", '[x] "y"\n%s\n[z]', '"a" so %s is "b"']
)
def test_a_caption_in_a_text_that_is_no_json_is_not_escaped(text) -> None:
    assert read(text.replace("%s", URL))[0] == text.replace("%s", SEEN)


def test_json_with_numbers_that_python_alone_writes_and_json_by_lines_stay_json() -> None:
    for text in ('{"n": NaN, "m": -Infinity, "a": "b %s c"}', '\n{"a": "b %s c"}\n\n{"a": 1}\n'):
        told = json.dumps(SEEN)[1:-1]
        assert read(text.replace("%s", URL))[0] == text.replace("%s", told)


LINK = {"type": "image-url", "url": "https://example.org/a.png"}


SEALED: dict[str, dict[str, Any]] = {
    "search": {"type": "web_search_result", "title": "t", "encrypted_content": BASE64},
    "citation": {"encrypted_index": BASE64, "cited_text": "w"},
    "code": {"encrypted_stdout": BASE64},
    "thought": {"type": "thinking", "thinking": "", "signature": BASE64},
    "redacted": {"type": "redacted_thinking", "data": BASE64},
    "redacted-type-behind": {"data": BASE64, "type": "redacted_thinking"},
    "open-router": {"type": "reasoning.encrypted", "data": BASE64, "id": "r"},
    "ai-sdk": {"providerMetadata": {"anthropic": {"redactedData": BASE64}}},
    "ai-sdk-openai": {"openai": {"itemId": "i", "reasoningEncryptedContent": BASE64}},
    "google": {"thoughtSignature": BASE64},
    "google-in-openai": {"extra_content": {"google": {"thought_signature": BASE64}}},
}


@pytest.mark.parametrize("deep", range(3))
@pytest.mark.parametrize("sealed", SEALED.values(), ids=SEALED)
def test_what_is_encrypted_or_signed_stays(sealed, deep) -> None:
    value: Any = [{"shot": BASE64}, sealed, {"more": BASE64}]
    seen: Any = [{"shot": SEEN}, sealed, {"more": SEEN}]
    for _ in range(deep):
        value, seen = {"a": json.dumps(value, indent=deep)}, {"a": json.dumps(seen, indent=deep)}
    assert replaced(value) == seen


def test_what_only_has_such_a_name_near_it_is_replaced() -> None:
    for name in ("data", "signatures_of", "encrypted"):
        assert replaced({"signature": "abc", name: BASE64}) == {"signature": "abc", name: SEEN}
    assert replaced([{"type": "redacted_thinking"}, {"data": BASE64}])[1] == {"data": SEEN}
    # One that is handwritten says that it is a picture.
    assert replaced({"signature": URL}) == {"signature": SEEN}


def test_links_are_taken_from_json_alone_and_where_they_are_asked_for() -> None:
    text = json.dumps(LINK)
    for prose in (f"Use {text} here", f"<html>{text}</html>", f"```json\n{text}\n```"):
        assert read(prose) == (prose, [])
        for deep in (json.dumps({"page": prose}), json.dumps([json.dumps({"page": prose})])):
            assert read(deep) == (deep, [])
    assert read(text, with_links=False) == (text, [])
    told, found = read(json.dumps([{"page": f"<p>{text}"}, {"of": text}, LINK]))
    assert json.loads(told) == [
        {"page": f"<p>{text}"},
        {"of": json.dumps(PART, separators=(",", ":"))},
        PART,
    ]
    assert found == [LINK["url"]] * 2
    behind_slashes = json.dumps({"a": "C:\\", "b": json.dumps({"c": "D:\\", "d": LINK})})
    assert read(behind_slashes)[1] == [LINK["url"]]


def test_of_very_many_images_in_a_text_the_last_are_left_out_unseen() -> None:
    told, found = read(json.dumps([URL] * 4100))
    assert len(found) == 4096
    assert (
        json.loads(told) == [SEEN] * 4096 + ["[image: shown earlier, not looked at any more]"] * 4
    )


LINES = ["\n".join(textwrap.wrap(BASE64, width)) for width in (60, 64, 76)]


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize("end", ["", "\n", "\nWhat is it?"])
def test_base64_may_be_broken_into_lines(lines, end) -> None:
    assert read(f"$ base64 a.png\n{lines}{end}")[0] == f"$ base64 a.png\n{SEEN}{end}"
    content = {"content": f"{lines}\n", "encoding": "base64"}
    assert replaced(content) == content | {"content": f"{SEEN}\n"}


def test_a_data_url_of_an_image_that_is_none_we_know_is_refused_by_the_loader() -> None:
    icon = f"data:image/svg+xml;base64,{SVG}"
    assert replaced({"icon": icon}) == {"icon": SEEN}
    assert read(icon)[1] == [f"data:;base64,{SVG}"]


OTHERS: list[Any] = [
    "Why does ![alt](data:image/png;base64,iVBORw0KGgo...) not render?",
    f"![a](data:image/png;base64,{BASE64[:60]}...)",
    f"![a](data:image/png;base64,{BASE64[:60]}\u2026)",
    "![alt](data:image/png;base64,<your data>) and (more)",
    "data:image/jpeg;base64,{base64_image}",
    "![a](data:image/svg+xml;base64,PHN2Zy8+)",
    "data:image/png;base64,AAAA",
    f"data:application/wasm;base64,{'AGFz' * 90}",
    f"data:text/plain;base64,{'aGVsbG8g' * 40}",
    "/9j/" + "ab/" * 20 + "c.txt",
    "A" * 3000,
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "0b0c5d6e-7f80-4a1b-9c2d-3e4f5a6b7c8d",
    f"x{BASE64}",
    {"type": "image", "image": "image-Tb9Ew8CXIwaY6R1kjMvI0uRR-2000x3000-jpg"},
    {"type": "image", "source": "a" * 64, "target": "/x"},
    {"type": "image", "file": "6f1c1d9e8b3f4a52b0c3f7a9d2e4c6b8"},
    {"type": "image", "data": "A picture of a cat sitting on a mat by the window"},
    {"type": "image", "source": {"type": "base64", "data": "<base64>"}},
    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    {"type": "image-url", "url": "https://example.org/a.png", "caption": "A"},
    {"type": "file-url", "url": "https://example.org/a.csv", "mediaType": "text/csv"},
    {"type": "image-url", "url": "/a.png"},
    "open /9j/" + "abcdef/" * 40,
    {"path": "/9j/" + "abcdef/" * 40},
    {"int32": base64.b64encode(struct.pack("<40i", 65536, 1, *range(38))).decode()},
    {"int16": base64.b64encode(struct.pack("<40h", 0, 1, 1, 0, 0, *range(35))).decode()},
    {"film": base64.b64encode(b"\0\0\0\x20ftypmif1" + bytes(range(200))).decode()},
    {"film": base64.b64encode(b"\0\0\x20\0ftypheic" + b"abcd" * 50).decode()},
    {"mimeType": "audio/wav", "data": base64.b64encode(b"RIFF0000WAVEfmt " * 20).decode()},
    ["image-url", {"a": "b"}],
]


@pytest.mark.parametrize("value", OTHERS, ids=str)
def test_what_only_seems_to_be_an_image_stays(value) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    assert read(text) == (text, [])
    assert read(json.dumps([value, 1.50]))[1] == []


PIECES = ["![", "](", '"', "'", "\\", "{", "}", "[", "a", " ", "\n", ",", "data:", "base64,", ")"]


@given(st.lists(st.sampled_from([*PIECES, URL, BASE64, JPEG, f"![x]({URL})"])).map("".join))
def test_any_text_is_kept_but_for_its_images(text) -> None:
    found: list[str] = []

    def place(source) -> str:
        found.append(source.content)
        return "(seen)"

    out = replace_images(text, place, param="") or text
    assert out.count("(seen)") == len(found)
    rest = text
    for kept in out.split("(seen)"):
        assert kept in rest
        rest = rest[rest.index(kept) + len(kept) :]


VALUES = st.recursive(
    st.sampled_from([*OTHERS, BASE64, URL, PARTS["mcp"], PARTS["messages"], f'"{URL}" {{"a":'])
    | st.none()
    | st.integers()
    | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=4), inside, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_json_stays_json_and_equal_but_for_its_images(value, ascii_only) -> None:
    def expected(one: Any) -> Any:
        if one in (BASE64, URL):
            return SEEN
        if one in (PARTS["mcp"], PARTS["messages"]):
            return PART
        if isinstance(one, list):
            return [expected(item) for item in one]
        if isinstance(one, dict):
            return {name: expected(item) for name, item in one.items()}
        return one

    out = json.loads(read(json.dumps(value, ensure_ascii=ascii_only))[0])
    if not isinstance(value, str) and f'"{URL}"' not in str(value):
        assert out == expected(value)
    assert BASE64 not in json.dumps(out) or f"x{BASE64}" in json.dumps(out)
