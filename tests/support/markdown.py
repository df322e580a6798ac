"""Markdown files as tests read them: code blocks, the suites that run them, links, anchors."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
_PARSER = MarkdownIt("commonmark").enable("table")
# As in `<!-- run by tests/evaluation/test_readme.py, tests/train/test_readme.py -->`.
_RUN_BY = re.compile(r"<!-- run by (?P<suites>.+?) -->\s*")


@dataclass(frozen=True)
class Block:
    """A fenced code block. `heading` is the nearest one above it; `suites` are the files that the
    comment directly above it names.
    """

    path: Path
    line: int
    language: str
    text: str
    heading: str
    suites: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """Each command as it is printed, continued lines joined."""
        return self.text.replace("\\\n", " ").splitlines()

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command, without comments."""
        return [words for line in self.lines if (words := shlex.split(line, comments=True))]


def documents() -> list[Path]:
    """README.md and everything under docs/."""
    return [README, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path = README) -> list[Block]:
    return list(_blocks(path))


def run_by(suite: str) -> list[Block]:
    """The README's blocks that name this suite; `suite` is its `__file__`."""
    name = str(Path(suite).relative_to(ROOT))
    return [block for block in blocks() if name in block.suites]


def _blocks(path: Path) -> Iterator[Block]:
    heading, suites = "", ()
    tokens = _PARSER.parse(path.read_text())
    for number, token in enumerate(tokens):
        if token.type == "fence":
            line = (token.map or [0])[0] + 1
            yield Block(path, line, token.info.strip(), token.content, heading, suites)
        elif token.type == "heading_open":
            heading = tokens[number + 1].content
        comment = token.type == "html_block" and _RUN_BY.fullmatch(token.content)
        suites = tuple(comment["suites"].split(", ")) if comment else ()


def code_spans(path: Path = README) -> list[str]:
    """The texts between backticks."""
    return [token.content for token in _inline(path) if token.type == "code_inline"]


def links(path: Path) -> list[str]:
    """Targets of links and images, as they are written."""
    targets = (token.attrGet("href") or token.attrGet("src") for token in _inline(path))
    return [str(target) for target in targets if target]


def anchors(path: Path) -> set[str]:
    """Names of this file's headings in links, as GitHub spells them; repeated ones are numbered."""
    tokens = _PARSER.parse(path.read_text())
    titles = [
        _plain(tokens[number + 1])
        for number, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    seen: Counter[str] = Counter()
    found = set()
    for slug in map(_slug, titles):
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def _inline(path: Path) -> Iterator[Token]:
    for token in _PARSER.parse(path.read_text()):
        yield from token.children or ()


def _plain(heading: Token) -> str:
    return "".join(token.content for token in heading.children or ())


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
