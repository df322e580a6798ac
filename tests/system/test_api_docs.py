"""The objects that docs/api.md shows are those that the gateway answers with."""

import json
from typing import Any

import pytest

from support import http
from support.markdown import ROOT, blocks
from support.pictures import data_url, png
from support.processes import Service

ASKED = {"question": "How high?", "images": [data_url(png("api docs"))]}


def fields(value: Any, shown: Any) -> Any:
    """The names in `value`, as deep as `shown` has any: `{…}` stands for what is told elsewhere."""
    if not isinstance(value, dict) or shown == {}:
        return None
    return {name: fields(one, (shown or {}).get(name)) for name, one in value.items()}


@pytest.mark.parametrize(
    ("path", "heading"),
    [("/v1/solve", "`POST /v1/solve`"), ("/v1/visual-contexts", "`POST /v1/visual-contexts`")],
)
def test_the_object_is_the_one_that_is_shown(gateway: Service, path: str, heading: str) -> None:
    documented = blocks(ROOT / "docs/api.md")
    [block] = [
        block for block in documented if (block.heading, block.language) == (heading, "json")
    ]
    shown = json.loads(block.text.replace("{…}", "{}"))
    answer = http.post(gateway.url + path, json=ASKED).json()
    assert fields(answer, shown) == fields(shown, shown)
    assert answer["object"] == shown["object"]
