"""Links of the documentation lead somewhere: to a file, and to a heading in it."""

from pathlib import Path

import pytest

from repo.test_tree import tracked
from support.markdown import ROOT, anchors, links

DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]


def broken(document: Path, target: str) -> bool:
    """Links to elsewhere are not followed."""
    if "://" in target:
        return False
    name, _, anchor = target.partition("#")
    path = (document.parent / name) if name else document
    return not path.exists() or (anchor != "" and anchor not in anchors(path))


@pytest.mark.parametrize(
    ("target", "is_broken"),
    [
        ("embedded.md#formulas", False),
        ("embedded.md#a-gguf-vision-language-model-on-a-cpu", False),
        ("../README.md", False),
        ("https://example.com/none", False),
        ("none.md", True),
        ("embedded.md#none", True),
        ("#none", True),
    ],
)
def test_a_broken_link_is_recognised(target, is_broken) -> None:
    assert broken(ROOT / "docs/api.md", target) is is_broken


def test_a_heading_s_anchor_is_github_s(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `POST /v1/visual-contexts`, [a link](b.md) & more\n\n## Twice\n\n## Twice\n")
    assert anchors(page) == {"post-v1visual-contexts-a-link--more", "twice", "twice-1"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document) -> None:
    assert [target for target in links(document) if broken(document, target)] == []
