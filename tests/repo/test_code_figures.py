"""The figures of our code, held at their aims."""

import pytest

from repo import code_figures


def test_module_names_stand_once() -> None:
    assert not code_figures.names_twice()


def test_functions_are_short() -> None:
    assert len(code_figures.long_functions()) <= 1


def test_names_are_the_fields() -> None:
    assert not code_figures.private_words()


@pytest.mark.parametrize("kind", code_figures.copies())
def test_what_base_has_is_not_copied(kind: str) -> None:
    assert not code_figures.copies()[kind]
