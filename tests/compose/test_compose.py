"""docker-compose.yml, run for real."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from support import http
from support.processes import wait_until

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
# The first one waits for base images, builds and starts.
pytestmark = pytest.mark.timeout(3600)

SERVICES = ["redis", "captioner", "reasoner", "gateway"]
MIB = 2**20


def image(name: str) -> str:
    return "data:image/png;base64," + base64.b64encode((EXAMPLES / name).read_bytes()).decode()


def solve(url: str, question: str, name: str = "receipt.png", **fields) -> httpx2.Response:
    body = {"question": question, "images": [image(name)], **fields}
    return http.post(f"{url}/v1/solve", json=body)


def test_it_answers_the_examples(stack) -> None:
    lines = (EXAMPLES / "questions.jsonl").read_text().splitlines()
    for example in map(json.loads, lines):
        answer = solve(stack.urls[0], example["question"], example["image"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["answer"] == example["expected"], example


def test_gateways_share_the_cache(stack) -> None:
    before = stack.captions()
    question = "Which shop is this, in all three?"
    with ThreadPoolExecutor(9) as pool:
        answers = [*pool.map(lambda one: solve(stack.urls[one % 3], question), range(9))]
    assert {answer.status_code for answer in answers} == {200}
    assert stack.captions() == before + 1
    results = [answer.json()["visual_context"]["cache"] for answer in answers]
    assert results.count("miss") == 1


def test_only_the_gateway_is_published(stack) -> None:
    for service in SERVICES[:-1]:
        for container in stack.containers(service):
            assert not any(container["NetworkSettings"]["Ports"].values())
    # From the network that the gateway shares with the outside, too.
    code = "import socket; socket.create_connection(('{}', {}), 3)"
    for host, port in (("redis", 6379), ("captioner", 8001), ("reasoner", 8002)):
        said = stack.docker(
            "run", "--rm", "--network", "racro_outside", "racro-gateway",
            "python", "-c", f"try:\n {code.format(host, port)}\nexcept OSError:\n print('no way')",
        )  # fmt: skip
        assert said == "no way"
    # And from where images are decoded there is no way to the cache.
    said = stack.compose(
        "exec", "-T", "captioner", "python", "-c",
        f"try:\n {code.format('redis', 6379)}\nexcept OSError:\n print('no way')",
    )  # fmt: skip
    assert said == "no way"


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_hardened(stack, service) -> None:
    for container in stack.containers(service):
        config, host = container["Config"], container["HostConfig"]
        assert config["User"] not in {"", "0", "root"}
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert host["Memory"] > 0
        assert host["LogConfig"]["Config"]["max-size"]
        assert container["State"]["Health"]["Status"] == "healthy"


def test_the_gateway_image_is_small(stack) -> None:
    """Ours on top of the base, whose own size depends on who made it."""
    sizes = {
        name: int(stack.docker("image", "inspect", "--format", "{{.Size}}", name))
        for name in ("racro-gateway", stack.python_image)
    }
    print({name: size // MIB for name, size in sizes.items()})
    assert sizes["racro-gateway"] - sizes[stack.python_image] < 110 * MIB


def test_redis_may_be_killed_and_come_back(stack) -> None:
    stack.compose("kill", "redis")
    for number in range(3):
        answer = solve(stack.urls[number], f"Total, without Redis, {number}?")
        assert answer.status_code == 200, answer.text
    wait_until(
        lambda: (stack.ready(stack.urls[0]) or {}).get("cache") not in {None, "ok"},
        what="the gateway says so",
    )
    stack.compose("start", "redis")
    wait_until(
        lambda: all((stack.ready(url) or {}).get("cache") == "ok" for url in stack.urls),
        what="the cache is back",
    )


def test_the_operator_s_commands_run_in_the_gateway(stack) -> None:
    solve(stack.urls[0], "Total?")
    command = ["exec", "-T", "gateway", "python", "-m", "racro.cli", "cache"]
    assert "rapidocr" in stack.compose(*command, "stats")
    assert "deleted" in stack.compose(*command, "purge", "--all")


def test_a_stream_that_is_open_ends_before_the_gateway_does(stack) -> None:
    """Last: afterwards there are no gateways."""
    with http.client() as client:
        body = {"question": "Drain?", "images": [image("table.png")], "stream": True}
        with client.stream("POST", f"{stack.urls[0]}/v1/solve", json=body) as response:
            events = httpx2.EventSource(response).__iter__()
            first = next(events)
            with ThreadPoolExecutor(1) as pool:
                stopping = pool.submit(stack.compose, "stop", "gateway")
                names = [first.event, *(event.event for event in events)]
                stopping.result()
    assert names[-1] == "done", names
    assert {container["State"]["ExitCode"] for container in stack.containers("gateway")} == {0}


@pytest.mark.parametrize(
    "profile",
    [
        path.name
        for path in sorted((REPOSITORY / "deploy/profiles").iterdir())
        if (path / "compose.env").exists()
    ],
)
def test_the_gpu_stack_of_a_profile_is_one_that_compose_takes(docker, profile: str) -> None:
    folder = f"deploy/profiles/{profile}"
    files = ["-f", "docker-compose.yml", "-f", "docker-compose.gpu.yml"]
    env = f"{folder}/compose.env"
    text = docker("compose", "--env-file", env, *files, "config", "--format", "json")
    services = json.loads(text)["services"]
    for name in ("captioner", "reasoner"):
        service = services[name]
        resources = service["deploy"]["resources"]
        [gpus] = resources["reservations"]["devices"]
        assert gpus["capabilities"] == ["gpu"]
        # The embedded default's would end an engine that loads.
        assert "limits" not in resources
        config = service["environment"]["RACRO_CONFIG"]
        [mount] = [one for one in service["volumes"] if one["target"] == str(Path(config).parent)]
        assert (Path(mount["source"]) / Path(config).name).is_file()
        assert not service.get("ports")
    assert list(services["reasoner"]["depends_on"]) == ["captioner"]
