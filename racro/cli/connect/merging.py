"""Settings merged into the text of a file that other settings stand in, comments and order kept.

What is wanted is nested dicts and lists, and it is merged by these rules: a value replaces what
stands under its key; a dict is merged into the mapping that stands there; None takes the key out;
an `IfAbsent` counts only where the key is missing; an `Own` replaces all that stands under its key;
each dict of a list replaces the item that has the same value under its first key, or is appended.
"""

import io
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from racro.cli.connect.client_settings import Kind

# Lines are never folded: none is longer.
_WIDTH = 1 << 20
_JSON_INDENT = 2


class NotMergeableError(Exception):
    """The text cannot be merged into; the message is the end of a sentence about the file."""


class Own(dict[str, Any]):
    """A mapping that is replaced as a whole."""


@dataclass(frozen=True)
class IfAbsent:
    """A value for a key that is not there."""

    value: Any


def merged(kind: Kind, text: str, wanted: Any) -> str:
    """Returns the text with what is wanted in it, or as it was if that stands there already.

    Raises NotMergeableError for a text that is not of that kind, whose comments would be lost, or
    that has something else where a mapping or a list has to be.
    """
    try:
        there = parsed(kind, text)
        if there is None and (kind == "yaml" or not text.strip()):
            return _appended(text, _DUMPS[kind](_plain(wanted)))
        expected = _plain_copy(there)
        _merge(expected, wanted, dict)
        if expected == there:
            return text
        made = _MERGES[kind](text, wanted)
        if "\r\n" in text:
            made = made.replace("\r\n", "\n").replace("\n", "\r\n")
        same = parsed(kind, made) == expected
    except RecursionError as error:
        raise NotMergeableError("is nested too deep") from error
    if not same:
        # A form of the file that the library for it does not write back as it was.
        raise NotMergeableError(
            "is written in a form that cannot be added to without other changes"
        )
    return made


def parsed(kind: Kind, text: str) -> Any:
    """Returns the values in a text, None where JSON or YAML has none. Raises NotMergeableError."""
    if not text.strip() and kind != "toml":
        return None
    try:
        match kind:
            case "json":
                return json.loads(text, object_pairs_hook=_without_repeated_keys)
            case "toml":
                return tomllib.loads(text)
            case "yaml":
                return YAML(typ="safe", pure=True).load(text)
    except (ValueError, YAMLError) as error:
        what = f"is no {kind.upper()} ({_reason(error)})"
        if kind == "json":
            what += ", or has comments, which would be lost"
        raise NotMergeableError(what) from error


def rendered(kind: Kind, wanted: Any) -> str:
    """Returns the text of a file that has nothing but what is wanted."""
    return merged(kind, "", wanted)


def _reason(error: Exception) -> str:
    """Returns what is wrong, without the lines that YAML's errors show: keys may stand in them."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"at line {error.problem_mark.line + 1}"
    return type(error).__name__ if isinstance(error, YAMLError) else " ".join(str(error).split())


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _appended(text: str, more: str) -> str:
    """Returns the comments of a file that has no values, and then the values."""
    kept = text.rstrip()
    return f"{kept}\n\n{more}" if kept else more


def _plain(wanted: Any) -> Any:
    """Returns what is wanted as plain dicts and lists."""
    if isinstance(wanted, list):
        return [_plain(item) for item in wanted]
    if not isinstance(wanted, Mapping):
        return wanted.value if isinstance(wanted, IfAbsent) else wanted
    return {name: _plain(value) for name, value in wanted.items() if value is not None}


def _plain_copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain_copy(one) for name, one in value.items()}
    return [_plain_copy(one) for one in value] if isinstance(value, list) else value


def _merge(there: Any, wanted: Any, mapping: Callable[[dict[str, Any]], Any]) -> None:
    """Merges into the mappings and lists of a library, whose mappings `mapping` makes of dicts."""
    if isinstance(wanted, list):
        if not isinstance(there, MutableSequence):
            raise NotMergeableError("has no list at its top")
        _merge_items(there, wanted)
        return
    if not isinstance(there, MutableMapping):
        raise NotMergeableError("has no mapping at its top")
    for name, value in wanted.items():
        _merge_value(there, name, value, mapping)


def _merge_value(
    there: Any, name: str, value: Any, mapping: Callable[[dict[str, Any]], Any]
) -> None:
    if value is None:
        there.pop(name, None)
    elif isinstance(value, IfAbsent):
        there.setdefault(name, value.value)
    elif isinstance(value, Own):
        _merge_own(there, name, _plain(value), mapping)
    elif isinstance(value, Mapping):
        _merge_below(there, name, value, MutableMapping, mapping)
    elif isinstance(value, list):
        _merge_below(there, name, value, MutableSequence, mapping)
    elif name not in there or there[name] != value:
        there[name] = value


def _merge_own(
    there: Any, name: str, wanted: dict[str, Any], mapping: Callable[[dict[str, Any]], Any]
) -> None:
    if isinstance(there.get(name), MutableMapping):
        _set_all(there[name], wanted)
    else:
        there[name] = wanted if isinstance(there, InlineTable) else mapping(wanted)


def _set_all(there: MutableMapping[str, Any], wanted: dict[str, Any]) -> None:
    """Makes the mapping equal to another one, and keeps the comments between what stays."""
    for name in [one for one in there if one not in wanted]:
        del there[name]
    for name, value in wanted.items():
        if name not in there or there[name] != value:
            there[name] = value


def _merge_below(
    there: Any, name: str, wanted: Any, kind: type, mapping: Callable[[dict[str, Any]], Any]
) -> None:
    if there.get(name) is None:
        there[name] = [] if isinstance(wanted, list) else mapping({})
    elif not isinstance(there[name], kind):
        what = "list" if isinstance(wanted, list) else "mapping"
        raise NotMergeableError(f"has something else than a {what} under {name!r}")
    try:
        _merge(there[name], wanted, mapping)
    except NotMergeableError as error:
        raise NotMergeableError(f"{error} in {name!r}") from error


def _merge_items(there: MutableSequence[Any], wanted: Iterable[dict[str, Any]]) -> None:
    for item in wanted:
        name, known_by = next(iter(item.items()))
        known = (one for one in there if isinstance(one, MutableMapping))
        same = next((one for one in known if one.get(name) == known_by), None)
        if same is None:
            there.append(_plain(item))
        else:
            _set_all(same, _plain(item))


def _merge_json(text: str, wanted: Any) -> str:
    there = json.loads(text)
    _merge(there, wanted, dict)
    try:
        return _dump_json(there, _indent(text))
    except ValueError as error:
        raise NotMergeableError(f"has a number that JSON has not ({error})") from error


def _indent(text: str) -> int | str:
    """Returns what the first line that is indented is indented by."""
    for line in text.splitlines():
        if line.strip() and line[0] in " \t":
            return line[: len(line) - len(line.lstrip(" \t"))]
    return _JSON_INDENT


def _dump_json(data: Any, indent: int | str = _JSON_INDENT) -> str:
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def _merge_toml(text: str, wanted: Any) -> str:
    try:
        # Behind a blank line, if at the end of the file.
        document = tomlkit.parse(f"{text.rstrip()}\n\n" if text.strip() else "")
        _merge(document, wanted, _toml_table)
        return tomlkit.dumps(document).rstrip() + "\n"
    except (TOMLKitError, ValueError) as error:
        raise NotMergeableError(f"cannot be changed ({_reason(error)})") from error


def _toml_table(values: dict[str, Any]) -> Table:
    """Returns a table with a blank line after it, or one that only has other tables in it."""
    table = tomlkit.table(is_super_table=not values)
    for name, value in values.items():
        table.add(name, value)
    if values:
        table.add(tomlkit.nl())
    return table


def _merge_yaml(text: str, wanted: Any) -> str:
    yaml = _yaml(*_yaml_indents(text))
    yaml.explicit_start = bool(re.search(r"^---", text, re.MULTILINE))
    there = yaml.load(text)
    _merge(there, wanted, dict)
    return _dumped(yaml, there)


def _dump_yaml(data: Any) -> str:
    return _dumped(_yaml(mapping=2, dash=0 if isinstance(data, list) else 2), data)


def _yaml(mapping: int, dash: int) -> YAML:
    """Returns a reader and writer of YAML whose mappings and lists are indented by so much."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.indent(mapping=mapping, sequence=dash + 2, offset=dash)
    return yaml


def _yaml_indents(text: str) -> tuple[int, int]:
    """Returns by how much the first mapping and the first list are indented in the one above."""
    mapping = dash = None
    above = None
    for line in text.splitlines():
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        if words.startswith("- ") and (above is not None or mapping is dash is None):
            dash = indent - (above or 0) if dash is None else dash
        elif above is not None and indent > above:
            mapping = indent - above if mapping is None else mapping
        above = indent if words.endswith(":") and not words.startswith("- ") else None
    return mapping or 2, 2 if dash is None else max(0, dash)


def _dumped(yaml: YAML, data: Any) -> str:
    made = io.StringIO()
    yaml.dump(data, made)
    return made.getvalue()


_DUMPS: dict[Kind, Callable[[Any], str]] = {
    "json": _dump_json,
    "yaml": _dump_yaml,
}
_MERGES: dict[Kind, Callable[[str, Any], str]] = {
    "json": _merge_json,
    "toml": _merge_toml,
    "yaml": _merge_yaml,
}
