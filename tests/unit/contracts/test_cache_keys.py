"""Equal requests share a cache entry; any difference that shapes a caption parts them."""

import copy
import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racro.contracts.cache_keys import visual_context_key
from racro.contracts.perception import PerceiveOptions, normalise_question

OPTIONS = st.builds(
    PerceiveOptions,
    max_tokens=st.none() | st.integers(1, 65536),
    temperature=st.sampled_from([None, 0, 0.5, 1.0]),
    seed=st.none() | st.integers(),
    n=st.integers(1, 16),
)
FIELDS = {
    "tenant": st.text(),
    "image_digests": st.lists(st.text(max_size=8), min_size=1, max_size=4),
    "question": st.none() | st.text(),
    "fingerprint": st.text(),
    "options": OPTIONS,
    "part": st.sampled_from(["caption", "tentative"]),
}
BASE = {
    "tenant": "t",
    "image_digests": ["aa", "bb"],
    "question": "Find x.",
    "fingerprint": "f1",
    "options": PerceiveOptions(max_tokens=100),
    "part": "caption",
}


def key(**changed) -> str:
    return visual_context_key(**{**BASE, **changed})


@given(st.fixed_dictionaries(FIELDS))
def test_equal_requests_have_equal_keys(request_fields) -> None:
    assert key(**request_fields) == key(**copy.deepcopy(request_fields))


@given(st.fixed_dictionaries(FIELDS), st.fixed_dictionaries(FIELDS))
def test_a_key_changes_with_each_field_and_only_with_a_change(one, other) -> None:
    for name in FIELDS:
        mixed = {**one, name: other[name]}
        assert (key(**mixed) == key(**one)) == (one[name] == other[name]), name


@pytest.mark.parametrize(
    "changed",
    [
        {"tenant": "u"},
        {"image_digests": ["bb", "aa"]},
        {"image_digests": ["aa", "bc"]},
        {"image_digests": ["aa", "bb", "bb"]},
        {"question": "Find x"},
        {"fingerprint": "f2"},
        {"options": PerceiveOptions(max_tokens=101)},
        {"options": PerceiveOptions(max_tokens=100, temperature=0)},
        {"options": PerceiveOptions(max_tokens=100, seed=0)},
        {"options": PerceiveOptions(max_tokens=100, n=2)},
        {"options": PerceiveOptions(max_tokens=100, caption_profile="screen")},
        {"part": "tentative"},
    ],
    ids=str,
)
def test_what_shapes_a_caption_is_in_its_key(changed) -> None:
    assert key(**changed) != key()


def test_a_profile_of_captions_is_in_their_keys_only() -> None:
    screen = PerceiveOptions(max_tokens=100, caption_profile="screen")
    assert key(options=screen, part="tentative") == key(part="tentative")


def test_no_question_is_not_the_empty_question() -> None:
    assert key(question=None) != key(question="")
    assert key(question=None) != key(question="null")


@given(st.text(max_size=12), st.data())
def test_text_that_moves_from_one_field_to_the_next_changes_the_key(text, data) -> None:
    cuts = st.lists(st.integers(0, len(text)), min_size=3, max_size=3).map(sorted)

    def cut_up(at: list[int]) -> str:
        bounds = [0, *at, len(text)]
        tenant, digest, question, fingerprint = (text[start:end] for start, end in pairwise(bounds))
        return key(
            tenant=tenant, image_digests=[digest], question=question, fingerprint=fingerprint
        )

    one, other = data.draw(cuts), data.draw(cuts)
    assert (cut_up(one) == cut_up(other)) == (one == other)


@pytest.mark.parametrize("digests", [["a,b"], ['a","b'], ["ab", ""], ["", "ab"], ["a", "b", ""]])
def test_digests_keep_their_borders(digests) -> None:
    assert key(image_digests=digests) != key(image_digests=["a", "b"])


@pytest.mark.parametrize("part", ["caption", "tentative"])
def test_a_key_names_its_schema_and_part_and_tells_nothing_else(part) -> None:
    assert re.fullmatch(rf"racro:1:context:{part}:[0-9a-f]{{64}}", key(part=part))


@pytest.mark.parametrize(
    ("options", "digest"),
    [
        ({}, "a80cac7983a231fc4f26b2c25be35455956bc1ea649efcb85ad66eca9a2ce869"),
        ({"max_tokens": 100}, "b2227c6fe12f37069725c9f129781a741e6ebee9f51a782133e233e222c32233"),
        (
            {"max_tokens": 2048, "temperature": 0.5, "seed": 7, "n": 3},
            "ba0286a4816a502ac09688bd196adf42638e6895352c28d65a9467d250a45cef",
        ),
    ],
    ids=str,
)
def test_keys_outlive_a_release(options, digest) -> None:
    """Entries in Redis are found by the next release; a new form needs a new SCHEMA_VERSION."""
    assert key(options=PerceiveOptions(**options)) == f"racro:1:context:caption:{digest}"


class LaterOptions(PerceiveOptions):
    """Those of a later version, which has more."""

    top_p: float = 1
    regions: tuple[str, ...] = ()


@given(OPTIONS)
def test_an_option_of_a_later_version_moves_no_key_at_its_default(options) -> None:
    later = LaterOptions(**options.model_dump())
    assert key(options=later) == key(options=options)


@given(OPTIONS, st.floats(0, 0.99), st.lists(st.text(), min_size=1))
def test_an_option_of_a_later_version_is_in_the_key_if_it_is_set(options, top_p, regions) -> None:
    changes = [{}, {"top_p": top_p}, {"regions": regions}, {"top_p": top_p, "regions": regions}]
    keys = {key(options=LaterOptions(**options.model_dump() | change)) for change in changes}
    assert len(keys) == len(changes)


@pytest.mark.parametrize(
    ("given_text", "normalised"),
    [
        ("Cafe\u0301?", "Caf\u00e9?"),
        ("one\r\ntwo", "one\ntwo"),
        ("  \t\n Find x. \r\n", "Find x."),
        ("a  b\n\nc", "a  b\n\nc"),
        ("\u00bd \u2460", "\u00bd \u2460"),  # NFC, not NFKC: compatibility forms may matter
        (" \r\n ", ""),
    ],
    ids=ascii,
)
def test_a_question_is_normalised(given_text, normalised) -> None:
    assert normalise_question(given_text) == normalised


@given(st.text("a\r\n"))
def test_a_line_has_one_end_however_many_returns_are_before_it(text) -> None:
    assert normalise_question(f"x{text}x") == re.sub(r"\r+\n", "\n", f"x{text}x")


@example("a\r\r\nb")
@given(st.text(st.sampled_from("a\r\n \u0301e\u00e9\u1e9b\u0323\u2000\uac00\u1161\u11a8")))
def test_normalising_is_idempotent(text) -> None:
    once = normalise_question(text)
    assert normalise_question(once) == once
