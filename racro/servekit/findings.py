"""What pydantic finds wrong, in plain words: which field, what is expected, and the nearest name.

Paths are those of who wrote the value: `reasoners.default.url`, `images[0]`, without pydantic's own
steps for the members of a union.
"""

import difflib
import re
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, core_schema

_SAYS = {
    "missing": "is required",
    "extra_forbidden": "is unknown",
    "int_type": "a whole number is expected",
    "int_parsing": "a whole number is expected",
    "int_parsing_size": "a smaller whole number is expected",
    "int_from_float": "a whole number is expected",
    "float_type": "a number is expected",
    "float_parsing": "a number is expected",
    "finite_number": "a finite number is expected",
    "bool_type": "true or false is expected",
    "bool_parsing": "true or false is expected",
    "string_type": "text is expected",
    "string_unicode": "text in valid Unicode is expected",
    "string_too_short": "at least {min_length} character(s) are expected",
    "string_too_long": "at most {max_length} characters are allowed",
    "string_pattern_mismatch": "text that matches {pattern} is expected",
    "too_short": "{min_length} or more entries are expected",
    "too_long": "at most {max_length} entries are allowed",
    "list_type": "a list is expected",
    "tuple_type": "a list is expected",
    "dict_type": "names with values are expected",
    "mapping_type": "names with values are expected",
    "model_type": "an object with named fields is expected",
    "model_attributes_type": "an object with named fields is expected",
    "greater_than": "more than {gt} is expected",
    "greater_than_equal": "at least {ge} is expected",
    "less_than": "less than {lt} is expected",
    "less_than_equal": "at most {le} is expected",
    "literal_error": "{expected} is expected",
    "union_tag_invalid": "{expected_tags} is expected",
    "union_tag_not_found": "an object with named fields is expected",
    "path_type": "a path is expected",
    "ip_any_network": "a network such as 10.0.0.0/8 is expected",
    "date_type": "a date is expected",
    "date_from_datetime_parsing": "a date such as 2026-01-31 is expected",
    "json_invalid": "this is no valid JSON: {error}",
    "value_error": "{error}",
}
# Where no secret is expected and people mistype: the value tells them what they wrote.
_SHOWN = {"literal_error", "union_tag_invalid", "ip_any_network"}
_SHORT_WORD = re.compile(r"[\w.:/+-]{1,16}")
_LONGEST_NAME = 64
_EXPECTED = re.compile(" (?:is|are) expected")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Matching:
    """Of a text that must match `pattern` from its beginning, said in `words` where it does not."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern}

    def _check(self, text: str) -> str:
        if not re.search(self.pattern, text):
            raise ValueError(f"{self.words} is expected")
        return text


class Finding(NamedTuple):
    path: Path
    message: str

    @property
    def field(self) -> str:
        """The path as people write it; empty for the whole."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(steps).removeprefix(".")

    @property
    def wants_entries(self) -> bool:
        """Whether a list or a mapping is expected."""
        return any(kind in self.message for kind in ("a list", "names with values", "an object"))

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.path else self.message


class _Member(NamedTuple):
    """A type that a value may have; `tag` tells it apart from others of its union."""

    kind: Any
    tag: str | None = None


def findings(error: ValidationError, model: type[BaseModel]) -> list[Finding]:
    """Everything that is wrong with a value for `model`, a field at a time, in its own order."""
    by_path: dict[Path, list[str]] = {}
    for detail in error.errors(include_url=False):
        path, names = _written(model, detail)
        by_path.setdefault(path, []).append(_words(detail, names))
    # Where a list was given and one of its entries is wrong, the list was as good as a single one.
    deeper = {path[:-1] for path in by_path if path and isinstance(path[-1], int)}
    return [
        Finding(tuple(map(_short, path)), _either(said))
        for path, said in by_path.items()
        if path not in deeper
    ]


class UnknownName(NamedTuple):
    """Where a name stands that a model does not have, and the one that was probably meant."""

    path: Path
    meant: str | None


def unknown_names(error: ValidationError, model: type[BaseModel]) -> list[UnknownName]:
    """Each name, once, that `model` does not have."""
    written = (
        _written(model, detail)
        for detail in error.errors(include_url=False)
        if detail["type"] == "extra_forbidden"
    )
    unknown = (UnknownName(path, nearest(str(path[-1]), names)) for path, names in written)
    return list(dict.fromkeys(unknown))


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The name that was probably meant."""
    if len(name) > _LONGEST_NAME:
        return None
    return next(iter(difflib.get_close_matches(name, names, n=1)), None)


def _words(detail: ErrorDetails, names: Sequence[str]) -> str:
    kind = detail["type"]
    says = _SAYS.get(kind)
    if says is None:
        return detail["msg"].replace("Input should be", "what is expected is")
    said = says.format_map(_in_words(detail.get("ctx", {})))
    if kind == "extra_forbidden":
        meant = nearest(str(detail["loc"][-1]), names)
        return f"{said}; did you mean {meant}?" if meant else said
    if kind == "string_too_short" and detail["ctx"]["min_length"] == 1:
        return "must not be empty"
    given = detail["ctx"]["tag"] if kind == "union_tag_invalid" else detail["input"]
    return said + _instead(kind, given) if said.endswith("expected") else said


def _in_words(context: dict[str, Any]) -> dict[str, Any]:
    """Limits without needless decimals, and alternatives with an `or`."""
    words = {
        name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()
    }
    if tags := words.get("expected_tags"):
        words["expected_tags"] = " or ".join(tags.rsplit(", ", 1))
    return words


def _instead(kind: str, given: Any) -> str:
    """What was given, where that can hold neither a secret nor a megabyte."""
    match given:
        case None | bool():
            return f", not {'null' if given is None else str(given).lower()}"
        case int() | float() if abs(given) < 1e12:  # noqa: PLR2004 - no more digits than help
            return f", not {given}"
        case str() if (kind.endswith("_parsing") or kind in _SHOWN) and _SHORT_WORD.fullmatch(
            given
        ):
            return f", not '{given}'"
    return ""


def _either(said: Sequence[str]) -> str:
    """One sentence of what each member of a union expected."""
    *others, last = dict.fromkeys(said)
    return " or ".join([*(_EXPECTED.split(one)[0] for one in others), last])


def shown_name(name: str) -> str:
    """Return a name that somebody wrote, cut where it is long."""
    return name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"


def _short(step: str | int) -> str | int:
    return step if isinstance(step, int) else shown_name(step)


def _written(model: type[BaseModel], detail: ErrorDetails) -> tuple[Path, Sequence[str]]:
    """The path of a finding as its writer knows it, and the names that there are at its end."""
    members, path, names = [_Member(model)], [], []
    for step in detail["loc"]:
        if len(members) > 1:  # pydantic says which member of the union it tried
            members = _tried(members, str(step))
        elif step != "[key]":
            path.append(step)
            names = _names(members)
            members = _below(members, step)
    if detail["type"] == "union_tag_invalid":
        path.append("kind")
    return tuple(path), names


def _members(annotation: Any, tag: str | None = None) -> list[_Member]:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        tags = (one.tag for one in metadata if isinstance(one, Tag))
        return _members(inner, next(tags, tag))
    if get_origin(annotation) in {Union, types.UnionType}:
        return [member for one in get_args(annotation) for member in _members(one)]
    return [] if annotation is type(None) else [_Member(annotation, tag)]


def _tried(members: Sequence[_Member], label: str) -> list[_Member]:
    tagged = [member for member in members if member.tag == label]
    is_list = label.startswith(("tuple", "list"))
    return tagged or [one for one in members if _is_list(one.kind) == is_list][:1]


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in {tuple, list}


def _names(members: Sequence[_Member]) -> list[str]:
    return [
        name
        for member in members
        if isinstance(member.kind, type) and issubclass(member.kind, BaseModel)
        for name in member.kind.model_fields
    ]


def _below(members: Sequence[_Member], step: str | int) -> list[_Member]:
    """What may stand at `step` of a value."""
    if not members:
        return []
    kind = members[0].kind
    if _is_list(kind):
        return _members(get_args(kind)[0])
    if get_origin(kind) is dict:
        return _members(get_args(kind)[1])
    fields = getattr(kind, "model_fields", {})
    return _members(fields[step].annotation) if step in fields else []
