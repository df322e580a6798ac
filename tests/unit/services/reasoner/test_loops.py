"""When an answer is taken for one that repeats itself."""

from hypothesis import given
from hypothesis import strategies as st

from services.reasoner.loops import LoopDetector


def length_until_loop(pieces: list[str]) -> int:
    """How many pieces pass before one is found to repeat."""
    detector = LoopDetector()
    return next((n for n, piece in enumerate(pieces) if detector.repeats(piece)), len(pieces))


def test_eight_pieces_may_come_twice() -> None:
    eight = list("abcdefgh")
    assert length_until_loop([*eight, "x", *eight, "y", *eight]) == 8 + 1 + 8 + 1 + 7
    assert length_until_loop([*eight, "x", *eight]) == 17


def test_a_single_piece_over_and_over() -> None:
    assert length_until_loop(["ha"] * 100) == 9


def test_seven_pieces_may_come_any_number_of_times() -> None:
    pieces = [piece for number in range(50) for piece in [*"abcdefg", str(number)]]
    assert length_until_loop(pieces) == len(pieces)


@given(st.lists(st.sampled_from("ab"), max_size=80))
def test_what_passes_has_nothing_three_times(pieces: list[str]) -> None:
    passed = pieces[: length_until_loop(pieces)]
    grams = ["".join(passed[start : start + 8]) for start in range(len(passed) - 7)]
    assert all(grams.count(gram) <= 2 for gram in grams)
    assert length_until_loop(pieces[: len(passed)]) == len(passed)
