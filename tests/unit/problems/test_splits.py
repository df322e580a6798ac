"""A problem's split is its own business."""

import random

import pytest

from racro.problems import Problem, split
from support.diagrams import noise

SHARES = {"train": 0.8, "heldout": 0.2}
PROBLEMS = [Problem(f"{n}", "What?", (f"image {n // 2}".encode(),), "5") for n in range(2_000)]


def names(parts: dict[str, list[Problem]]) -> dict[str, str]:
    return {problem.id: name for name, part in parts.items() for problem in part}


def test_shares_are_kept_within_chance() -> None:
    parts = split(PROBLEMS, SHARES, seed=1)
    assert [*parts] == ["train", "heldout"]
    # Binomial with n = 1000 images: five standard deviations.
    assert abs(len(parts["heldout"]) / len(PROBLEMS) - 0.2) < 5 * (0.8 * 0.2 / 1_000) ** 0.5


def test_it_does_not_depend_on_the_others_or_their_order() -> None:
    all_of_them = names(split(PROBLEMS, SHARES, seed=1))
    some = random.Random(1).sample(PROBLEMS, 300)
    assert names(split(some, SHARES, seed=1)).items() <= all_of_them.items()


def test_problems_with_the_same_images_stay_together() -> None:
    whose = names(split(PROBLEMS, SHARES, seed=1))
    assert all(whose[f"{n}"] == whose[f"{n + 1}"] for n in range(0, 2_000, 2))
    ab = [Problem("ab", "What?", (b"a", b"b"), "5"), Problem("ba", "What?", (b"b", b"a"), "5")]
    assert all(len({*names(split(ab, SHARES, seed=seed)).values()}) == 1 for seed in range(50))


def test_a_path_counts_as_what_it_holds(tmp_path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(noise(1))
    same = [Problem("1", "What?", (path,), "5"), Problem("2", "What?", (noise(1),), "5")]
    assert all(len({*names(split(same, SHARES, seed=seed)).values()}) == 1 for seed in range(50))


def test_another_seed_is_another_split() -> None:
    assert names(split(PROBLEMS, SHARES, seed=1)) != names(split(PROBLEMS, SHARES, seed=2))


def test_a_smaller_share_takes_none_in() -> None:
    larger, smaller = (
        {problem.id for problem in split(PROBLEMS, shares, seed=1)["train"]}
        for shares in (SHARES, {"train": 0.5, "heldout": 0.5})
    )
    assert smaller < larger


def test_all_or_nothing() -> None:
    parts = split(PROBLEMS, {"none": 0, "all": 1, "nothing": 0}, seed=1)
    assert {name: len(part) for name, part in parts.items()} == {
        "none": 0,
        "all": 2_000,
        "nothing": 0,
    }


@pytest.mark.parametrize("shares", [{}, {"train": 0.9}, {"a": 1.5, "b": -0.5}])
def test_shares_that_do_not_add_up_are_refused(shares) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        split(PROBLEMS, shares, seed=1)
