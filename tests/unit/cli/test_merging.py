"""Settings merged into the manners in which people write their files."""

import json
import tomllib

import pytest

from racro.cli.connect.merging import IfAbsent, NotMergeableError, Own, merged, parsed, rendered

TABLES = {"model": "m", "providers": {"own": Own(url="u", key="K")}}
LIST = {"name": IfAbsent("New"), "models": [{"name": "own", "sees": True, "can": ["a", "b"]}]}


@pytest.mark.parametrize(
    ("kind", "wanted", "before", "after"),
    [
        (
            "toml", TABLES, "a = 1\n[other] # mine\nb = 2",
            'a = 1\nmodel = "m"\n\n[other] # mine\nb = 2\n\n'
            '[providers.own]\nurl = "u"\nkey = "K"\n',
        ),
        (
            "toml", TABLES, 'providers = {x = {url = "y"}}\n',
            'providers = {x = {url = "y"},own = {url = "u",key = "K"}}\nmodel = "m"\n',
        ),
        (
            "toml", TABLES,
            'model = "m"\n[providers.own]\nold = 1\nkey = "L" # mine\n# kept\n[z]\n',
            'model = "m"\n[providers.own]\nkey = "K" # mine\n# kept\nurl = "u"\n[z]\n',
        ),
        ("toml", {"a": None, "b": 1}, "a = 3\r\nc = 2\r\n", "c = 2\r\nb = 1\r\n"),
        (
            "yaml", LIST, "---\n# mine\nname: Old\nmodels:\n- name: 'x'  # one\n  can: [a]\n",
            "---\n# mine\nname: Old\nmodels:\n- name: 'x'  # one\n  can: [a]\n"
            "- name: own\n  sees: true\n  can:\n  - a\n  - b\n",
        ),
        (
            "yaml", LIST, "models:\n    - name: own # mine\n      old: 1\n      sees: no\n",
            "models:\n    - name: own # mine\n      sees: true\n      can:\n"
            "          - a\n          - b\nname: New\n",
        ),
        ("yaml", {"a": 1}, "# only this\n", "# only this\n\na: 1\n"),
        ("yaml", {"a": 1}, f"b: {'long ' * 50}end\r\n", f"b: {'long ' * 50}end\r\na: 1\r\n"),
        (
            "json", {"b": {"c": 1}}, '{\n\t"ü": [],\n\t"b": {}\n}',
            '{\n\t"ü": [],\n\t"b": {\n\t\t"c": 1\n\t}\n}\n',
        ),
    ],
)  # fmt: skip
def test_what_stands_there_stays(kind, wanted, before: str, after: str) -> None:
    assert merged(kind, before, wanted) == after
    assert merged(kind, after, wanted) == after


@pytest.mark.parametrize("kind", ["json", "toml", "yaml"])
def test_a_new_file_has_what_is_wanted_and_no_more(kind) -> None:
    text = rendered(kind, {"gone": None, **TABLES})
    assert parsed(kind, text) == {"model": "m", "providers": {"own": {"url": "u", "key": "K"}}}
    assert text == merged(kind, "\n", TABLES)


def test_a_file_that_has_it_all_is_not_written_anew() -> None:
    odd = '{"model":"m","providers":{"own":{"key":"K",  "url":"u"}}}'
    assert merged("json", odd, TABLES) == odd


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("json", '\ufeff{"a": 1}'),
        ("json", "null"),
        ("json", '{"a": 1e400}'),
        ("json", '{"a": NaN}'),
        ("json", f'{{"a": {"9" * 5000}}}'),
        ("toml", 'providers.x.url = "a"\n'),
        ("yaml", "a: !secret x\n"),
        ("yaml", "a: 1\n---\nb: 2\n"),
        ("yaml", "a: 1\na: 2\n"),
        ("yaml", "providers: &x\n  own: {key: 1}\nothers: *x\n"),
    ],
)
def test_what_would_not_come_out_whole_is_refused(kind, text: str) -> None:
    with pytest.raises(NotMergeableError):
        merged(kind, text, TABLES)


def test_the_lines_of_a_bad_file_are_not_told() -> None:
    for text in ("key: sk-1\n  x: [", "key: sk-1\nkey: sk-1\n", "- sk-1: ]"):
        with pytest.raises(NotMergeableError) as refused:
            merged("yaml", text, TABLES)
        assert "sk-1" not in str(refused.value)
        assert "line" in str(refused.value)


def test_both_libraries_read_the_same() -> None:
    wanted = {"a": {"b": Own(c="'\"\\\n\t é", d=[1, 2])}, "e": True}
    plain = {"a": {"b": {"c": "'\"\\\n\t é", "d": [1, 2]}}, "e": True}
    assert tomllib.loads(rendered("toml", wanted)) == plain
    assert json.loads(rendered("json", wanted)) == plain
