"""Servers of the OpenAI chat API, found by URLs as people type them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import SplitResult

from racro.cli.probing import (
    NOT_SERVED,
    KeyRefused,
    NotReached,
    NotServed,
    NotTrusted,
    Probe,
    Problem,
    WrongAnswer,
)
from racro.contracts.client import split_url
from racro.servekit.findings import nearest

# What people copy out of examples, longest first.
_ENDPOINTS = ("/chat/completions", "/responses", "/messages", "/models")
_VERSION = "/v1"
_DIALECTS = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages"}
# A gateway that has no server behind it says so with these, whatever the path.
_NO_SERVER = {502, 503, 504}
# In the words of our services, vLLM, OpenRouter, Groq, LM Studio and llama.cpp.
_CONTEXT = (
    *("context_tokens", "max_model_len", "context_length", "context_window"),
    *("max_context_length", "n_ctx"),
)
_SHOWN_MODELS = 10

Cards = Mapping[str, Mapping[str, Any]]


class Server(NamedTuple):
    """A server by the URL that `/chat/completions` is appended to.

    `cards` are what it lists of its models, by their names; None where it has no listing.
    """

    url: str
    cards: Cards | None

    def card(self, model: str) -> Mapping[str, Any]:
        return (self.cards or {}).get(model, {})


async def find_server(probe: Probe, typed: str, key: str | None = None) -> Server:
    """The server that is meant by a URL without a scheme, /v1 or anything else of that kind.

    Raises Problem.
    """
    problems: list[Problem] = []
    for origin, paths in _meant(typed, has_key=key is not None):
        try:
            return await _find_at(probe, origin, paths, key)
        except (KeyRefused, NotTrusted):
            raise
        except Problem as problem:
            problems.append(problem)
    raise max(problems, key=lambda problem: problem.nearness)


async def _find_at(probe: Probe, origin: str, paths: Sequence[str], key: str | None) -> Server:
    problems: list[Problem] = []
    for url in (origin + path for path in paths):
        try:
            return Server(url, await list_models(probe, url, key))
        except (NotServed, WrongAnswer) as problem:
            problems.append(problem)
    if not any(isinstance(problem, NotServed) for problem in problems):
        raise problems[0]
    for url in (origin + path for path in paths):
        if "chat" in await spoken_dialects(probe, url, key):
            return Server(url, None)
    raise NotServed(
        f"no OpenAI API at {origin}{paths[-1]}: neither /models nor /chat/completions is served",
        await other_service(probe, origin)
        or "name the server's base URL, up to and including /v1 where it has that",
    )


async def list_models(probe: Probe, url: str, key: str | None = None) -> Cards:
    """What a server lists of its models, by their names. Raises Problem."""
    listing = await probe.get_json(f"{url}/models", key)
    match listing:
        case {"data": [*cards]}:
            named = [card for card in cards if isinstance(card, dict)]
            further = _further_cards(listing)
            return {
                card["id"]: {**further.get(card["id"], {}), **card}
                for card in named
                if isinstance(card.get("id"), str)
            }
    raise WrongAnswer(f"{url}/models is no list of models", "is it a server of the OpenAI API?")


def _further_cards(listing: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What llama.cpp tells of its models beside OpenAI's list, by their names."""
    match listing.get("models"):
        case [*cards]:
            named = [card for card in cards if isinstance(card, dict)]
            return {card["model"]: card for card in named if isinstance(card.get("model"), str)}
    return {}


async def other_service(probe: Probe, url: str) -> str | None:
    """What a RACRO service at `url` calls itself."""
    try:
        title = (await probe.get_json(f"{url}/openapi.json"))["info"]["title"]
    except (Problem, LookupError, TypeError):
        return None
    is_ours = isinstance(title, str) and title.startswith("RACRO ")
    return f"it calls itself {title[:80]!r}" if is_ours else None


async def spoken_dialects(probe: Probe, url: str, key: str | None = None) -> list[str]:
    """The APIs that a server has, by how it refuses an empty request, which costs it nothing.

    Raises Problem where it does not answer.
    """
    return [name for name, path in _DIALECTS.items() if await _is_served(probe, url + path, key)]


async def _is_served(probe: Probe, url: str, key: str | None) -> bool:
    answer = await probe.request("POST", url, key=key, body={})
    if answer.media_type == "text/html" or answer.status in _NO_SERVER:
        return False
    # Some say 404 of a model that was not named.
    return answer.status not in NOT_SERVED or b"model" in answer.body


async def name_of(probe: Probe, server: Server, model: str, key: str | None = None) -> str | None:
    """The name by which a server knows a model: the same, or with Ollama's tag; None: it does not.

    Routers do not list all that they know: what is not listed is asked for a single token.
    """
    for name in (model, f"{model}:latest"):
        if server.cards is None or name in server.cards:
            return name
    question = [{"role": "user", "content": "Hi"}]
    # OpenAI's models that reason take the second only.
    for limit in ("max_tokens", "max_completion_tokens"):
        body = {"model": model, "messages": question, limit: 1}
        with suppress(Problem):
            url = f"{server.url}/chat/completions"
            (await probe.request("POST", url, key=key, body=body)).json()
            return model
    return None


def listed(models: Sequence[str], meant: str = "") -> str:
    """The names of models for people; the one that was probably meant comes first."""
    near = nearest(meant, models)
    names = dict.fromkeys([*([near] if near else []), *models])
    more = len(names) - _SHOWN_MODELS
    return ", ".join([*list(names)[:_SHOWN_MODELS], *([f"and {more} more"] if more > 0 else [])])


def context_tokens(card: Mapping[str, Any]) -> int | None:
    """The context length that a model's card tells."""
    meta = card.get("meta")
    for told in (card, meta if isinstance(meta, dict) else {}):
        for name in _CONTEXT:
            value = told.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None


def takes_images(card: Mapping[str, Any]) -> bool | None:
    """Whether a model takes images, as its card tells; None where it does not.

    In the words of OpenRouter and of our gateway, of llama.cpp, and of Mistral.
    """
    architecture = card.get("architecture")
    for told in (card, architecture if isinstance(architecture, dict) else {}):
        if isinstance(modalities := told.get("input_modalities"), list):
            return "image" in modalities
    match card.get("capabilities"):
        case [*capabilities]:
            return "multimodal" in capabilities or "vision" in capabilities
        case {"vision": bool(vision)}:
            return vision
    return None


def origins(typed: str, *, has_key: bool = False) -> list[str]:
    """The origins that are meant, without a path; see `_schemes`. Raises NotReached."""
    parts = _split(typed)
    return [f"{scheme}://{parts.netloc}" for scheme in _schemes(typed, parts, has_key=has_key)]


def _meant(typed: str, *, has_key: bool) -> Iterator[tuple[str, list[str]]]:
    path = _split(typed).path.rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    path = path.rstrip("/")
    paths = [path] if path.endswith(_VERSION) else [path + _VERSION, path]
    for origin in origins(typed, has_key=has_key):
        yield origin, paths


def _split(typed: str) -> SplitResult:
    try:
        return split_url(typed)
    except ValueError as error:
        raise NotReached(f"{typed} is no server's URL: {error}") from error


def _schemes(typed: str, parts: SplitResult, *, has_key: bool) -> list[str]:
    """As typed; else both, this machine's servers by http first. No key leaves it unencrypted
    unless http:// was typed.
    """
    if "://" in typed:
        return [parts.scheme]
    if _is_local(parts.hostname or ""):
        return ["http", "https"]
    return ["https"] if has_key else ["https", "http"]


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
