"""Measures our code: names used twice, long functions, private words, and copies of `racro.base`.

`python tests/repo/code_figures.py` prints the figures; test_code_figures.py holds them.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
RUNTIME = ("racro", "gateway", "services")
OURS = (*RUNTIME, "experiments", "benchmarks")

_NAMES_FOR_ALL = {"__init__", "__main__", "app", "settings"}
_MOST_LINES = 50
# Where the field has another word: error, budget, validation, perceptual hash, condition, …
_PRIVATE_WORD = re.compile(
    "away|begun|board(ed|ing)?|doors?|endurance|examin(ation|e|ed|ers?)|flown|hear(d|ing|s)?"
    "|land(ed|ing|s)?|likeness(es)?|look(ed|ing|s)?|seat(ed|s)?|troubled?|troubles|vett(ed|ing)|ways?"
)
# Settings are known by their names.
_PUBLISHED = {"max_looks"}
# Of a name that is short every word of English may be part by chance; a long one chose it.
_LONG_NAME = 8
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_BASE = REPOSITORY / "racro" / "base"
_COPIES = {
    "atomic write": re.compile(r"\b(?:new|unfinished)\.replace\("),
    "back-off": re.compile(r"min\((?:\S+ \* 2|2 \* \S+|\S+ \* 1\.5), |_S \* 2\*\*"),
    "file digest": re.compile(r"hashlib\.file_digest\("),
    "free port": re.compile(r"\.bind\(\(\S+, 0\)\)"),
    "frozen pydantic config": re.compile(r"\bConfigDict\(frozen=True"),
    "image normalisation": re.compile(r"\bexif_transpose\("),
    "process of a service": re.compile(
        r'"-m", (?:\S*module\]|"(?:services|gateway|proof|experiments)\b)'
    ),
}


def modules(*packages: str) -> list[Path]:
    """The Python files of the packages, in order."""
    return sorted(path for name in packages for path in (REPOSITORY / name).rglob("*.py"))


def names_twice() -> dict[str, list[str]]:
    """Module names of the runtime that stand in more than one of its packages."""
    found = defaultdict(list)
    for path in modules(*RUNTIME):
        found[path.stem].append(_shown(path))
    return {
        name: paths
        for name, paths in sorted(found.items())
        if len(paths) > 1 and name not in _NAMES_FOR_ALL
    }


def long_functions() -> list[str]:
    """Functions of more than fifty lines, from `def` to their end."""
    return [
        f"{_shown(path)}: {node.name}, {lines} lines"
        for path in modules(*OURS)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > _MOST_LINES
    ]


def private_words() -> list[str]:
    """Names that we give (modules, classes, functions, variables) with a private word in them."""
    return sorted(
        {
            f"{_shown(path)}: {name}"
            for path in modules(*OURS)
            for name in (path.stem, *_given_names(_tree(path)))
            if name not in _PUBLISHED and _is_private(name)
        }
    )


def copies() -> dict[str, list[str]]:
    """Lines outside of `racro.base` that do again what it has."""
    return {
        kind: [
            f"{_shown(path)}:{number}"
            for path in [*modules(*OURS), *modules("tests/support")]
            if not path.is_relative_to(_BASE)
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if pattern.search(line)
        ]
        for kind, pattern in _COPIES.items()
    }


def _given_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)):
                yield name


def _is_private(name: str) -> bool:
    whole = name.strip("_")
    words = _WORD.findall(whole) if len(whole) >= _LONG_NAME else [whole]
    return any(_PRIVATE_WORD.fullmatch(word.lower()) for word in words)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _shown(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _print(title: str, found: list[str]) -> None:
    print(f"{title}: {len(found)}", *found, sep="\n  ")  # noqa: T201 - that is what it is for


if __name__ == "__main__":
    twice = [f"{name}: {', '.join(paths)}" for name, paths in names_twice().items()]
    _print("module names that stand twice in the runtime", twice)
    _print(f"functions of more than {_MOST_LINES} lines", long_functions())
    _print("names with a private word", private_words())
    for kind, places in copies().items():
        _print(f"copies of {kind}", places)
