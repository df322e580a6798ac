from pathlib import Path

import pytest

from racro.base.atomic import replace_folder, replacing, unfinished_beside, write_text


def _break_off(path: Path) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text("ne")
        raise OSError("no space")


def test_a_file_that_is_not_written_to_its_end_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    write_text(path, "old")
    with pytest.raises(OSError, match="no space"):
        _break_off(path)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_is_replaced_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    write_text(path, "old")
    with replacing(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [*tmp_path.iterdir()] == [path]


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "best"
    for text in ("first", "second"):
        unfinished = unfinished_beside(folder)
        unfinished.mkdir()
        (unfinished / "weights").write_text(text)
        replace_folder(unfinished, folder)
        assert (folder / "weights").read_text() == text
        assert [*tmp_path.iterdir()] == [folder]
