"""One entry of the registry is all that makes an engine of a kind."""

import pytest

from racro.engines.registry import ENGINES


@pytest.mark.parametrize("kind", ENGINES)
def test_an_entry_stands_under_the_kind_of_its_settings(kind: str) -> None:
    entry = ENGINES[kind]
    for section in (entry.settings, entry.vision_settings):
        assert section.model_json_schema()["properties"]["kind"]["const"] == kind
