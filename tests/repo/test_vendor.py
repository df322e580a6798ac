"""What the page has of others is what its list says: version, licence, and every byte."""

import hashlib

from support.markdown import ROOT

VENDOR = ROOT / "gateway/playground/vendor"
LISTED = {"README.md", "LICENSE"}


def rows() -> dict[str, list[str]]:
    """The rest of each row by its file."""
    lines = (VENDOR / "README.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| " in line]
    return {file: rest for file, *rest in cells[1:]}


def test_every_file_is_listed_with_its_hash() -> None:
    files = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in LISTED
    }
    assert {file: rest[-1] for file, rest in rows().items()} == files


def test_every_file_has_its_licence_beside_it() -> None:
    assert [file for file in rows() if not (VENDOR / file).with_name("LICENSE").is_file()] == []


def test_versions_stand_in_the_files_where_these_tell_one() -> None:
    for file, (_, version, *_) in rows().items():
        head = (VENDOR / file).read_bytes()[:400].decode(errors="ignore")
        if file.endswith(("marked.esm.js", "purify.min.js")):
            assert version in head, file
