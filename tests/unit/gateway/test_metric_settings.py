"""How many tenants metrics may name is bounded, also together with the reasoners."""

import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings


def settings(tenants: int, reasoners: int) -> GatewaySettings:
    section = {"url": "http://127.0.0.1:1", "model": "m"}
    return GatewaySettings.model_validate(
        {
            "metrics": {"max_tenants": tenants},
            "reasoners": {f"r{number}": section for number in range(reasoners)},
        }
    )


@pytest.mark.parametrize("number", [-1, 1001])
def test_a_wrong_number_of_tenants_is_refused(number) -> None:
    with pytest.raises(ValidationError, match=r"metrics\.max_tenants"):
        settings(number, 1)


def test_series_are_bounded_by_tenants_times_reasoners() -> None:
    assert settings(1000, 4).metrics.max_tenants == 1000
    assert settings(0, 100).metrics.max_tenants == 0
    with pytest.raises(ValidationError, match=r"metrics\.max_tenants: 1000 times 5 reasoners"):
        settings(1000, 5)
