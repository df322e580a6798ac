"""Puts pictures into the requests that schemathesis makes, and takes deadlines out of them.

Of itself it would never make a picture, and what is to be done within 5e-324 seconds is rightly
answered with 504. It loads this module, in the environment of its own, by the name
in SCHEMATHESIS_HOOKS.
"""

import copy
from typing import Any

import schemathesis

_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQAAAADsdIMmAAAADElEQVR4nGP4z4ACAT/QB/lZ0JoNAAAAAElFTkSuQmCC"
)
_URL = f"data:image/png;base64,{_BASE64}"
_PICTURES = {"url": _URL, "image_url": _URL, "file_data": _URL, "data": _BASE64}
_LISTS = {"images", "image"}


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case, **_: Any) -> None:
    if isinstance(case.body, dict | list):
        case.body = copy.deepcopy(case.body)
        _show(case.body)
    if isinstance(case.body, dict) and isinstance(case.body.get("timeout_s"), float):
        del case.body["timeout_s"]


def _show(value: Any) -> None:
    """Replace every other string where a picture may stand."""
    if isinstance(value, list):
        for item in value:
            _show(item)
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        if isinstance(held, str) and name in _PICTURES:
            value[name] = _shown(held, _PICTURES[name])
        elif isinstance(held, list) and name in _LISTS:
            value[name] = [_shown(one, _URL) if isinstance(one, str) else one for one in held]
        else:
            _show(held)


def _shown(text: str, picture: str) -> str:
    return picture if len(text) % 2 == 0 else text
