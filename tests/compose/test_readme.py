"""The README's commands of "docker compose", as printed. The last ones: they take all down."""

import base64

import pytest

from support import http
from support.markdown import ROOT, run_by

pytestmark = pytest.mark.timeout(1200)


def test_it_comes_up_answers_and_goes_down(stack) -> None:
    [block] = run_by(__file__)
    up, down = block.lines
    url = stack.urls[0]
    # Port 8000 may be taken; this is how it is changed.
    env = {"GATEWAY_PORT": url.rpartition(":")[2]}
    stack.docker.printed(up, **env)
    image = base64.b64encode((ROOT / "examples/receipt.png").read_bytes()).decode()
    body = {"question": "What is the total?", "images": [f"data:image/png;base64,{image}"]}
    answer = http.post(f"{url}/v1/solve", json=body)
    assert answer.json()["answer"] == "13.95", answer.text
    stack.docker.printed(down, **env)
    assert stack.compose("ps", "--all", "--quiet") == ""
