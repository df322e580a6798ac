"""The figures of our code may fall, never rise. What is above its aim says so here."""

import pytest

from repo import code_figures


def test_module_names_stand_once() -> None:
    # Aim: 0. chat, errors, metrics, perceive, relay and solve are what more than one package has.
    assert len(code_figures.names_twice()) <= 6


def test_functions_are_short() -> None:
    assert len(code_figures.long_functions()) <= 1  # aim: 4


def test_names_are_the_fields() -> None:
    # Aim: 0. `way` of matrix.json is a file's.
    assert len(code_figures.private_words()) <= 1


COPIES = {  # aim: 0 of each
    # `racro keys` keeps a file's owner and mode; the other two replace whole folders.
    "atomic write": 3,
    "back-off": 0,
    "file digest": 0,
    "free port": 0,
    "frozen pydantic config": 0,
    "image normalisation": 0,
    # The command line has the one; tests, benchmarks and a proof kill, restart and weigh theirs.
    "process of a service": 4,
}


@pytest.mark.parametrize("kind", COPIES)
def test_what_base_has_is_not_copied(kind: str) -> None:
    assert len(code_figures.copies()[kind]) <= COPIES[kind]


def test_every_copy_is_counted() -> None:
    assert code_figures.copies().keys() == COPIES.keys()
