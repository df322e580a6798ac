"""Releases to look at: every values file of the chart, and one of everything it can make."""

from functools import cache

import pytest

from support.chart import PROFILES, Release


@cache
def _release(profile: str) -> Release:
    return Release(PROFILES[profile])


@pytest.fixture(scope="session", params=PROFILES)
def profile(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def release(profile: str) -> Release:
    return _release(profile)


@pytest.fixture(scope="session")
def everything() -> Release:
    return _release("everything")
