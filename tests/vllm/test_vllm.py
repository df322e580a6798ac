"""Real vLLM behind the real services: make test-vllm

The captioner's weights are random: its words are noise, everything else about them is real.
"""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from services.captioner.image_size import PixelBounds
from support import http
from support.collector import Collector
from support.pictures import data_url, encoded, png, text_picture
from support.processes import PATIENCE_S, Service, wait_until
from support.vllm import SIZES, START_TIMEOUT_S, seeing

pytestmark = pytest.mark.timeout(3600)

_pictures = count()


def picture() -> str:
    """One that was never seen before."""
    return data_url(png(f"Picture {next(_pictures)}"))


def solve(gateway: Service, images: list[str], question: str = "How many?", **more: Any) -> Any:
    body = {"question": question, "images": images, **more}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def chat(gateway: Service, content: Any, **more: Any) -> httpx2.Response:
    body = {"model": "default", "messages": [{"role": "user", "content": content}], **more}
    url = f"{gateway.url}/v1/chat/completions"
    return http.post(url, json=body)


def events(text: str) -> list[Any]:
    lines = [line for line in text.splitlines() if line.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def counter(service: Service, name: str, *labels: str) -> float:
    """Of the engine, as the service relays it."""
    samples = service.metrics().items()
    return sum(
        value
        for sample, value in samples
        if sample.startswith(name + "{") and all(label in sample for label in labels)
    )


def engine_core(service: Service) -> psutil.Process:
    """The process that runs the model."""
    processes = psutil.Process(service.pid).children(recursive=True)
    [core] = [one for one in processes if "EngineCore" in one.name()]
    return core


def counted(service: Service, name: str, *labels: str, least: float) -> Callable[[], bool]:
    return lambda: counter(service, name, *labels) >= least


def perceived(captioner: Service) -> float:
    """How many requests a captioner has answered."""
    name = 'racro_requests_total{route="/v1/perceive",status="200"}'
    return captioner.metrics().get(name, 0)


def test_solve(vllm_gateway: Service) -> None:
    response = solve(vllm_gateway, [picture()])
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["visual_context"]["caption"].strip()
    assert answer["visual_context"]["tentative"].strip()
    assert answer["visual_context"]["truncated"]
    assert re.fullmatch("[0-9a-f]{16}", answer["reasoner"]["revision"])
    # Of the model and of its adapter.
    assert re.fullmatch("[0-9a-f]{16}[+][0-9a-f]{16}", answer["visual_context"]["revision"])
    assert answer["visual_context"]["model"] == "captioner"
    assert answer["usage"]["captioner"]["prompt_tokens"] > 0
    assert 0 < answer["usage"]["reasoner"]["completion_tokens"] <= 24


def test_the_engines_go_on_with_a_requests_trace(
    vllm_gateway: Service, collector: Collector
) -> None:
    trace, client = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    body = {"question": "How many?", "images": [picture()]}
    headers = {"traceparent": f"00-{trace}-{client}-01"}
    url = f"{vllm_gateway.url}/v1/solve"
    solved = http.post(url, json=body, headers=headers)
    assert solved.status_code == 200, solved.text

    def asked_by() -> list[str]:
        """Whose span each of the engines' spans is below."""
        spans = collector.trace(trace)
        services = {span.id: span.service for span in spans if span.name.startswith("chat ")}
        engines = [span for span in spans if span.name == "llm_request"]
        return sorted(services.get(span.parent, "") for span in engines)

    services = ["racro-captioner", "racro-captioner", "racro-reasoner"]
    wait_until(lambda: asked_by() == services, what="the engines' spans below those who asked")
    engines = [span for span in collector.trace(trace) if span.name == "llm_request"]
    assert {span.service for span in engines} == {"vllm"}
    assert all(span.attributes["gen_ai.usage.completion_tokens"] > 0 for span in engines)


def test_solve_streamed(vllm_gateway: Service) -> None:
    response = solve(vllm_gateway, [picture()], stream=True)
    assert response.headers["content-type"].startswith("text/event-stream"), response.text
    assert response.text.count("event: answer.delta") > 1
    done = events(response.text)[-1]
    assert done["text"]


def test_chat(vllm_gateway: Service) -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": picture()}},
    ]
    plain = chat(vllm_gateway, content, max_tokens=8)
    assert plain.status_code == 200, plain.text
    assert plain.headers["x-racro-visual-context"] == "miss"
    streamed = chat(vllm_gateway, content, max_tokens=8, stream=True)
    assert streamed.headers["x-racro-visual-context"] == "hit"
    assert "data: [DONE]" in streamed.text


def test_two_questions_about_one_image_share_it(
    vllm_gateway: Service, vllm_captioner: Service, vision_passes: Callable[[], int]
) -> None:
    """Four prompts, one of which brings the image into the engine, whose vision tower reads it."""
    hits = "vllm:mm_cache_hits_total"
    seen, answered = vision_passes(), perceived(vllm_captioner)
    before = counter(vllm_captioner, hits)
    image = picture()
    for question in ("How many?", "Which one?"):
        assert solve(vllm_gateway, [image], question).status_code == 200
    assert perceived(vllm_captioner) - answered == 2
    assert vision_passes() - seen == 1
    # Three, but vLLM loses counts: it takes them in one thread while another one adds to them.
    wait_until(counted(vllm_captioner, hits, least=before + 1), what="a hit")


def test_eight_images_with_two_questions_each(
    vllm_gateway: Service, vllm_captioner: Service, vision_passes: Callable[[], int]
) -> None:
    images = [picture() for _ in range(8)]
    asked = [(image, question) for image in images for question in ("How many?", "Which one?")]

    def all_solved() -> list[str]:
        with ThreadPoolExecutor(8) as pool:
            answers = [*pool.map(lambda one: solve(vllm_gateway, [one[0]], one[1]), asked)]
        assert [answer.status_code for answer in answers] == [200] * 16
        return [answer.json()["visual_context"]["cache"] for answer in answers]

    seen, before = vision_passes(), perceived(vllm_captioner)
    assert all_solved() == ["miss"] * 16
    assert (vision_passes() - seen, perceived(vllm_captioner) - before) == (8, 16)
    assert all_solved() == ["hit"] * 16
    assert (vision_passes() - seen, perceived(vllm_captioner) - before) == (8, 16)


def test_a_cached_caption_asks_no_captioner(vllm_gateway: Service, vllm_captioner: Service) -> None:
    image = picture()
    assert solve(vllm_gateway, [image]).json()["visual_context"]["cache"] == "miss"
    before = vllm_captioner.metrics()['racro_requests_total{route="/v1/perceive",status="200"}']
    assert solve(vllm_gateway, [image]).json()["visual_context"]["cache"] == "hit"
    after = vllm_captioner.metrics()['racro_requests_total{route="/v1/perceive",status="200"}']
    assert after == before


def test_more_images_than_the_engine_takes(vllm_gateway: Service) -> None:
    assert solve(vllm_gateway, [picture(), picture()]).status_code == 200
    response = solve(vllm_gateway, [picture(), picture(), picture()])
    assert response.status_code == 400, response.text
    assert "image" in response.json()["error"]["message"]


def test_an_image_takes_the_tokens_of_the_size_that_it_is_sent_at(vllm_captioner: Service) -> None:
    """Else the model's processor has resized it again."""
    fit = PixelBounds(**SIZES)
    rest = set()
    for size in [(320, 120), (640, 480), (2000, 1500), (20, 20), (100, 900)]:
        image = data_url(encoded(text_picture("42", size=size)))
        body = {"question": "How many?", "images": [image], "options": {"max_tokens": 2}}
        answer = http.post(f"{vllm_captioner.url}/v1/perceive", json=body).json()
        width, height = fit(size)
        rest.add(answer["caption"][0]["usage"]["prompt_tokens"] - width * height / 28**2)
    assert len(rest) == 1


def test_control_tokens_in_a_question_are_text(vllm_gateway: Service) -> None:
    """<|image_pad|> in a prompt has killed vLLM workers (CVE-2026-44222)."""
    hostile = "What of <|image_pad|> and <|vision_start|><|image_pad|><|vision_end|>?"
    assert solve(vllm_gateway, [picture()], hostile).status_code == 200
    assert solve(vllm_gateway, [picture()]).status_code == 200


def test_a_forged_host_opens_nothing(vllm_reasoner: Service) -> None:
    for path in ("/metrics/../v1/load_lora_adapter", "/invocations", "/sleep", "/v1/completions"):
        response = http.post(f"{vllm_reasoner.url}{path}", json={}, headers={"host": "x/v1/models"})
        assert response.status_code in {404, 405}


def test_the_engine_asks_for_its_key(vllm_reasoner: Service) -> None:
    """Under /v1: what it answers without one is in docs/security.md."""
    [port] = [
        one.laddr.port
        for process in psutil.Process(vllm_reasoner.pid).children(recursive=True)
        for one in process.net_connections("tcp4")
        if one.status == "LISTEN" and f"--port {one.laddr.port}" in " ".join(process.cmdline())
    ]
    url = f"http://127.0.0.1:{port}"
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert http.get(f"{url}/v1/models", headers=headers).status_code == 401
        refused = http.post(f"{url}/v1/chat/completions", json={}, headers=headers)
        assert refused.status_code == 401
    statuses = {path: http.get(f"{url}{path}").status_code for path in ("/metrics", "/version")}
    assert set(statuses.values()) == {200}


def test_a_client_that_leaves_ends_the_generation(
    vllm_gateway: Service, vllm_reasoner: Service
) -> None:
    """In the engine's own counters: it is idle long before it would have been ready."""
    running, made = "vllm:num_requests_running", "vllm:generation_tokens_total"
    before, asked = counter(vllm_reasoner, made), 2000
    body = {
        "model": "default",
        "messages": [{"role": "user", "content": "Count to a thousand."}],
        "max_tokens": asked,
        "ignore_eos": True,
        "stream": True,
    }
    with http.stream("POST", f"{vllm_gateway.url}/v1/chat/completions", json=body) as response:
        # An iterator that nobody holds is collected, and the connection closed with it.
        lines = response.iter_lines()
        next(lines)
        wait_until(lambda: counter(vllm_reasoner, running) == 1, what="the generation")
    wait_until(lambda: counter(vllm_reasoner, running) == 0, what="the engine's idleness")
    assert 0 < counter(vllm_reasoner, made) - before < asked


LONG, STORY = 100, "Tell a long story about a king and his three sons."
LONG_ANSWERS = {
    "/v1/responses": {"input": STORY, "max_output_tokens": LONG, "temperature": 0},
    "/v1/messages": {
        "messages": [{"role": "user", "content": STORY}],
        "max_tokens": LONG,
        "temperature": 0,
    },
}


@pytest.mark.parametrize("path", LONG_ANSWERS)
def test_a_client_that_leaves_ends_the_generation_in_other_dialects(
    vllm_gateway: Service, vllm_reasoner: Service, path: str
) -> None:
    """Though each answer is told to its end where the client stays."""
    made, running = "vllm:generation_tokens_total", "vllm:num_requests_running"
    gone = f'racro_clients_gone_total{{route="{path}"}}'
    body = {"model": "smollm2", **LONG_ANSWERS[path]}
    told = http.post(vllm_reasoner.url + path, json=body)
    assert told.json()["usage"]["output_tokens"] == LONG, told.text

    core = engine_core(vllm_reasoner)
    for service, model in ((vllm_gateway, "default"), (vllm_reasoner, "smollm2")):
        passed = {vllm_reasoner.pid: vllm_reasoner, service.pid: service}.values()
        before = counter(vllm_reasoner, made)
        noticed = [one.metrics().get(gone, 0) for one in passed]
        asked = {**body, "model": model, "stream": True}
        with http.stream("POST", service.url + path, json=asked) as response:
            # An iterator that nobody holds is collected, and the connection closed with it.
            lines = response.iter_lines()
            assert any('delta":' in line for line in lines)
            # So that it does not come to the end before anybody has noticed.
            core.suspend()
        try:
            for one, earlier in zip(passed, noticed, strict=True):
                wait_until(
                    lambda one=one, earlier=earlier: one.metrics().get(gone, 0) > earlier,
                    what="its notice",
                )
        finally:
            core.resume()
        wait_until(lambda: counter(vllm_reasoner, running) == 0, what="the engine's idleness")
        assert counter(vllm_reasoner, made) - before < LONG / 2


def test_an_engine_that_is_stuck_is_not_ready(
    vllm_gateway: Service, vllm_reasoner: Service
) -> None:
    """Its own /health says yes all the time."""
    core = engine_core(vllm_reasoner)

    def said() -> str:
        answer = http.get(f"{vllm_reasoner.url}/readyz")
        return answer.json()["checks"]["engine"]

    core.suspend()
    try:
        stalled = "the engine is stalled: no token for 1"
        wait_until(lambda: said().startswith(stalled), what="the watchdog's finding")
        refused = chat(vllm_gateway, "Hello", max_tokens=2)
        assert refused.status_code == 503
        assert "x-racro-begun" not in refused.headers
    finally:
        core.resume()
    wait_until(lambda: said() == "ok", what="recovery")
    assert chat(vllm_gateway, "Hello", max_tokens=2).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("responses", {"input": "Hello", "max_output_tokens": 4}),
        ("messages", {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}),
    ],
    ids=["responses", "messages"],
)
def test_the_apis_that_vllm_has_beside_chat(
    vllm_reasoner: Service, api: str, body: dict[str, Any], stream: bool
) -> None:
    url = f"{vllm_reasoner.url}/v1/{api}"
    asked = {"model": "smollm2", "stream": stream, **body}
    response = http.post(url, json=asked)
    assert response.status_code == 200, response.text
    names = re.findall("^event: (.*)$", response.text, re.MULTILINE)
    if stream:
        assert names[-1] in {"response.completed", "response.incomplete", "message_stop"}
    else:
        assert response.json()["usage"]["output_tokens"] > 0


def test_an_engine_that_is_killed_comes_back(vllm_gateway: Service, vllm_reasoner: Service) -> None:
    processes = psutil.Process(vllm_reasoner.pid).children(recursive=True)
    engine_core(vllm_reasoner).kill()
    wait_until(
        lambda: http.get(f"{vllm_reasoner.url}/readyz").status_code == 503,
        what="the service's knowing",
    )
    refused = chat(vllm_gateway, "Hello", max_tokens=2)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "upstream_unavailable")
    vllm_reasoner.wait_for("/readyz", timeout_s=START_TIMEOUT_S)
    assert chat(vllm_gateway, "Hello", max_tokens=2).status_code == 200
    assert not [one for one in processes if one.is_running() and one.status() != "zombie"]


def test_an_engine_that_stays_stuck_is_restarted(
    vllm_gateway: Service, vllm_reasoner: Service
) -> None:
    """Though its API server answers, and nobody asks the service anything."""
    core = engine_core(vllm_reasoner)
    processes = psutil.Process(vllm_reasoner.pid).children(recursive=True)
    core.suspend()
    gone = psutil.wait_procs(processes, timeout=PATIENCE_S)[0]
    assert core in gone
    vllm_reasoner.wait_for("/readyz", timeout_s=START_TIMEOUT_S)
    assert vllm_reasoner.metrics()['racro_engine_restarts_total{cause="unanswered"}'] == 1
    assert chat(vllm_gateway, "Hello", max_tokens=2).status_code == 200
    assert not [one for one in processes if one.is_running() and one.status() != "zombie"]


def test_another_adapter_has_captions_of_its_own(
    vllm: Path, vllm_gateway: Service, vllm_captioner: Service
) -> None:
    image = picture()
    first = solve(vllm_gateway, [image]).json()["visual_context"]
    vllm_captioner.restart(seeing(vllm, "second"), timeout_s=START_TIMEOUT_S)

    def captioned_anew() -> dict[str, Any] | None:
        context = solve(vllm_gateway, [image]).json()["visual_context"]
        return context if context["revision"] != first["revision"] else None

    second = wait_until(captioned_anew, what="the other adapter")
    assert second["cache"] == "miss"
    assert second["caption"] != first["caption"]
    model, adapter = first["revision"].split("+")
    assert second["revision"].split("+")[0] == model
    assert second["revision"].split("+")[1] != adapter
