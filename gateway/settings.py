"""Settings of the gateway."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, IPvAnyNetwork, model_validator

from racro.contracts.perception import CaptionProfile
from racro.contracts.prompts import PROFILES, RACRO_V1, SolveProfile
from racro.embedded.default import REASONER_SETTINGS
from racro.servekit.findings import Matching
from racro.servekit.image_settings import ImageLimitSettings
from racro.servekit.json_bounds import Bound
from racro.servekit.settings import (
    ApiKeyEnv,
    AsksForUsage,
    BytesInFlight,
    MaxTokensField,
    ProbeInterval,
    Section,
    ServiceSettings,
    Url,
)

Origin = Annotated[
    str,
    Matching(
        r"^(\*|[a-z][a-z0-9+.-]*://[^/\s*]+)$",
        "an origin such as https://chat.example.org, without a path, or * for every one,",
    ),
]


# An API that a reasoner's server may serve: /v1/chat/completions, /v1/responses, /v1/messages.
Dialect = Literal["chat", "responses", "messages"]

NamePattern = Annotated[
    str,
    Matching(
        "^[!-~]{1,128}$", "a name of at most 128 printable ASCII characters, * for any of them,"
    ),
]


class QueueSection(Section):
    """How many requests a stage is given at once, and how many wait before it."""

    max_in_flight: int = Field(
        default=128,
        ge=1,
        description="Most requests that each copy of the captioner is given at once.",
    )
    max_waiting: int | None = Field(
        default=None,
        ge=0,
        description="Most requests that wait until it can be given them; one beyond is answered "
        "503 at once, or 429 where its tenant's share is used up. Unset, half of what may be in "
        "flight.",
    )

    def waiting_of(self, in_flight: int) -> int:
        """Return how many may wait where so many may be in flight."""
        return in_flight // 2 if self.max_waiting is None else self.max_waiting


class CaptionerSection(QueueSection):
    url: Url | Annotated[tuple[Url, ...], Field(min_length=1)] = Field(
        default="http://127.0.0.1:8001",
        description="Base URL of the captioner, or a list of those of its copies.",
    )
    max_tokens: int | None = Field(
        default=2048,
        ge=1,
        description="Token limit of a caption, and of a tentative response; null: the captioner's "
        "own.",
    )
    identity_ttl_s: float = Field(
        default=30,
        gt=0,
        description="How long the captioner's identity is believed before it is asked again.",
    )

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.url,) if isinstance(self.url, str) else self.url


class SamplingSection(Section):
    """How answers are sampled where the client does not say. The paper's values."""

    temperature: float | None = Field(
        default=0.6, ge=0, le=2, description="Sampling temperature; null: not sent."
    )
    top_p: float | None = Field(
        default=0.95, gt=0, le=1, description="Nucleus sampling; null: not sent."
    )
    max_tokens: int | None = Field(
        default=8192, ge=1, description="Token limit of an answer; null: not sent."
    )


class ReasonerSection(QueueSection):
    url: Url | Annotated[tuple[Url, ...], Field(min_length=1)] = Field(
        description="Base URL of a server of OpenAI's chat API, up to and including /v1; or a list "
        "of them, that serve the same model.",
    )
    model: str = Field(description="The model's name at that server.")
    also_known_as: tuple[NamePattern, ...] = Field(
        default=(),
        max_length=32,
        description="Further names that clients may ask for it by, such as claude-* or gpt-*; * is "
        "any run of characters. The name of a reasoner counts before any pattern, and of several "
        "patterns that match the one with the most characters beside its stars.",
    )
    dialects: tuple[Dialect, ...] | None = Field(
        default=None,
        min_length=1,
        description="APIs that its server serves: chat, responses, messages. Unset, chat; and the "
        "server is asked for the others when a client needs them.",
    )
    stateful: bool = Field(
        default=False,
        description="Pass on what refers to earlier responses (previous_response_id, conversation, "
        "background, item references) to a server that keeps them. With one url only.",
    )
    text_model: str | None = Field(
        default=None,
        description="The name of the model for chat requests whose last turn has no image and is "
        "no follow-up; unset, the same.",
    )
    revision: str | None = Field(
        default=None,
        description="Revision of its weights, as /v1/solve names it. Unset, what the server's "
        "/models tells; set, the server needs no /models.",
    )
    api_key_env: ApiKeyEnv | None = Field(
        default=None, description="Environment variable that holds the server's API key."
    )
    probe_interval_s: ProbeInterval
    max_in_flight: int = Field(
        default=256,
        ge=1,
        description="Most requests that each of its servers is given at once: for vLLM its "
        "--max-num-seqs, for llama.cpp its --parallel.",
    )
    context_tokens: int = Field(default=32768, ge=256, description="The reasoner's context length.")
    visual_budget_tokens: int = Field(
        default=8192, ge=64, description="Most of it that visual contexts may take."
    )
    tentative: bool = Field(
        default=False,
        description="Give tentative responses in chat dialects too; /v1/solve has its own field.",
    )
    caption_profile: CaptionProfile = Field(
        default="description",
        description="What its captions are, where a request does not say: a description of the "
        "images for the question, or, by screen, their text as it stands and then the layout.",
    )
    vision: bool = Field(
        default=False,
        description="It sees: images pass to it after the same checks, and no captioner is asked.",
    )
    prompt_profile: SolveProfile = Field(
        default=RACRO_V1,
        description="How it is asked about images. racro-v1: by the paper's prompt in /v1/solve, "
        "by captions in place of the images in chat. compact-v1: in both by the short prompt that "
        "the embedded reasoner was trained with.",
    )
    sampling: SamplingSection = Field(
        default=SamplingSection(),
        description="Sampling of /v1/solve; under compact-v1 of chat, too, where the client leaves "
        "it open.",
    )
    max_tokens_field: MaxTokensField = Field(
        default="max_tokens", description="The server's name for sampling.max_tokens."
    )
    stream_options: AsksForUsage = Field(
        default=True,
        description="Ask for the tokens of a /v1/solve by stream_options; null: not sent, and they "
        "are counted where the server tells them all the same.",
    )
    on_caption_failure: Literal["error", "note"] = Field(
        default="error",
        description="What becomes of a chat where images cannot be captioned. error: it fails. "
        "note: a line in their place says so, and why.",
    )

    @property
    def sampling_fields(self) -> dict[str, float | int]:
        """Return the sampling as fields of a chat request, without what is not sent."""
        fields = self.sampling.model_dump(exclude_none=True)
        return {
            self.max_tokens_field if name == "max_tokens" else name: value
            for name, value in fields.items()
        }

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.url,) if isinstance(self.url, str) else self.url

    @model_validator(mode="after")
    def _budget_fits(self) -> Self:
        if self.visual_budget_tokens > self.context_tokens:
            raise ValueError("visual_budget_tokens is more than context_tokens")
        return self

    @model_validator(mode="after")
    def _sees_or_knows_one_prompt(self) -> Self:
        if self.vision and PROFILES[self.prompt_profile].is_only_prompt:
            raise ValueError(
                f"vision: true cannot be had with prompt_profile: {self.prompt_profile}, which "
                "asks by captions alone"
            )
        return self

    @model_validator(mode="after")
    def _state_has_one_place(self) -> Self:
        if self.stateful and len(self.urls) > 1:
            raise ValueError(
                "stateful: true needs a single url: another server has none of the responses that "
                "one of them keeps"
            )
        return self


_IN_MEMORY = "memory://"


class CacheSection(Section):
    url: Annotated[
        str, Matching(f"^({_IN_MEMORY}|rediss?://.+)$", "memory://, redis://… or rediss://…")
    ] = Field(
        default=_IN_MEMORY,
        description="Where visual contexts are kept: memory://, or a Redis or Valkey that gateways "
        "share, redis://host:6379/0, rediss:// with TLS.",
    )
    password_env: ApiKeyEnv | None = Field(
        default=None, description="Environment variable that holds the Redis password."
    )
    max_bytes: int = Field(
        default=64 * 2**20, ge=0, description="Size of the cache in the process; 0 keeps nothing."
    )
    ttl_s: int = Field(
        default=7 * 24 * 3600, ge=1, description="How long a visual context is kept."
    )
    local_ttl_s: float = Field(
        default=60,
        gt=0,
        description="With Redis: how long the process believes its own copy; so long another "
        "gateway's refresh may go unseen.",
    )
    context_ttl_s: int = Field(
        default=3600,
        ge=1,
        description="How long the id that POST /v1/visual-contexts gives is good for.",
    )
    max_entry_bytes: int = Field(
        default=256 * 2**10, ge=1024, description="Largest entry; a larger one is not kept."
    )
    timeout_ms: int = Field(
        default=40,
        ge=1,
        description="Longest wait for Redis; then requests go on without it until it answers.",
    )
    share: bool = Field(
        default=False,
        description="All tenants share captions: for keys that are all of one organisation.",
    )
    lease_s: float = Field(
        default=5,
        ge=0.5,
        description="A gateway that died while it had an image captioned holds up the others that "
        "wait for the same caption for so long.",
    )
    lease_wait_s: float = Field(
        default=60,
        gt=0,
        description="Longest wait for a caption that another gateway is getting; then a gateway "
        "asks the captioner itself.",
    )

    @property
    def is_shared(self) -> bool:
        """Whether the cache is a Redis, which gateways share, and not each one's memory."""
        return self.url != _IN_MEMORY


class TenantsSection(Section):
    keys_file: Path | None = Field(
        default=None, description="The tenants and their API keys, a file made by `racro keys`."
    )
    open: bool = Field(
        default=False,
        description="Without keys: let anybody in on an address that is not loopback.",
    )
    secret_env: ApiKeyEnv | None = Field(
        default=None,
        description="Environment variable that holds the secret which hides tenants in the keys of "
        "a shared cache; the same for all gateways.",
    )


class LimitsSection(Section, ImageLimitSettings):
    max_images: int = Field(
        default=20,
        ge=1,
        description="Most images of one request. Of a chat with more, the oldest are left out.",
    )
    max_looks: int = Field(
        default=40,
        ge=1,
        description="Most turns of a chat that have images captioned, for their own question; of "
        "more, the oldest are left out.",
    )
    max_fields: int = Field(
        default=128, ge=16, description="Most fields that a request's JSON object may have."
    )
    max_messages: int = Field(
        default=2048, ge=1, description="Most messages of a chat request with images."
    )
    max_parts: int = Field(
        default=4096,
        ge=1,
        description="Most parts (texts, images) that the messages of a chat request may have "
        "together.",
    )
    max_body_bytes: int = Field(
        default=64 * 2**20,
        ge=1024,
        description="Largest request body; beyond it reading stops with 413.",
    )
    max_question_chars: int = Field(
        default=8192,
        ge=1,
        description="Longest question of /v1/solve and /v1/visual-contexts, in characters; in "
        "chat the captioner gets so many of the last ones.",
    )
    max_bytes_in_flight: BytesInFlight = Field(
        default=192 * 2**20,
        description="Most bytes of the bodies of all requests in flight; one beyond is answered "
        "503. At least max_body_bytes.",
    )
    max_timeout_s: float = Field(
        default=600,
        gt=0,
        description="Longest time for one request; also the time chat requests get.",
    )

    @property
    def fields(self) -> Bound:
        return Bound(self.max_fields, "max_fields")

    @property
    def lists(self) -> dict[str, Bound]:
        """Return how long the lists of our own requests may be, by their fields."""
        return {"images": Bound(self.max_images, "max_images")}


class FetchSection(Section):
    allow_private: bool = Field(
        default=False,
        description="Fetch images from any address: loopback, private and link-local ones too.",
    )
    allow_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="Networks (CIDR) that may be fetched from although they are not public.",
    )
    timeout_s: float = Field(
        default=10, gt=0, description="Longest time for one image, redirects included."
    )
    max_redirects: int = Field(default=3, ge=0, description="Most redirects for one image.")


class CorsSection(Section):
    origins: tuple[Origin, ...] = Field(
        default=(),
        description="Origins whose pages may ask from a browser, such as https://chat.example.org; "
        '"*" for every one.',
    )


class MetricsSection(Section):
    max_tenants: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Most tenants of the keys file that metrics name, by the label tenant; all "
        "others are counted together as (other). 0: the label is empty.",
    )


# A dozen series each: /metrics then has some 5 MB.
_MOST_NAMED = 4000


class GatewaySettings(ServiceSettings):
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    captioner: CaptionerSection = Field(
        default=CaptionerSection(), description="Which captioner is asked."
    )
    reasoners: dict[str, ReasonerSection] = Field(
        default={
            "default": ReasonerSection.model_validate(
                {"url": "http://127.0.0.1:8002/v1", **REASONER_SETTINGS}
            )
        },
        min_length=1,
        description="Reasoners by the name that clients choose as `model`. Read again when the "
        "file changes.",
    )
    cache: CacheSection = Field(default=CacheSection(), description="The visual-context cache.")
    tenants: TenantsSection = Field(
        default=TenantsSection(), description="Who may ask, and how much."
    )
    limits: LimitsSection = Field(default=LimitsSection(), description="What a request may ask.")
    fetch: FetchSection = Field(default=FetchSection(), description="Images given as URLs.")
    metrics: MetricsSection = Field(
        default=MetricsSection(), description="What /metrics tells of tenants."
    )
    cors: CorsSection = Field(
        default=CorsSection(), description="Pages of other origins (cross-origin requests)."
    )
    follow_up: bool = Field(
        default=True,
        description=(
            "A user turn without an image, within three user turns of the last one, has those "
            "images captioned again for its own question."
        ),
    )
    keep_alive_s: float = Field(
        default=10, gt=0, description="Longest silence of a stream before a comment is sent."
    )
    playground: bool | None = Field(
        default=None,
        description="Serve the playground, a page for browsers, at /. Unset, where host is a "
        "loopback address.",
    )
    reuse_connections: bool = Field(
        default=True,
        description="Keep connections to captioner and reasoners for further requests. Without, a "
        "balancer of connections, such as a Service of Kubernetes, can spread requests.",
    )

    @property
    def serves_playground(self) -> bool:
        return is_loopback(self.host) if self.playground is None else self.playground

    @model_validator(mode="after")
    def _further_names_are_distinct(self) -> Self:
        seen: dict[str, str] = {}
        for name, section in self.reasoners.items():
            for index, pattern in enumerate(section.also_known_as):
                where = f"reasoners.{name}.also_known_as[{index}]"
                if pattern in self.reasoners:
                    raise ValueError(f"{where}: {pattern} is the name of a reasoner")
                if pattern in seen:
                    raise ValueError(f"{where}: {pattern} is in {seen[pattern]}, too")
                seen[pattern] = where
        return self

    @model_validator(mode="after")
    def _nobody_is_let_in_by_accident(self) -> Self:
        if self.tenants.keys_file is None:
            if not self.tenants.open and not is_loopback(self.host):
                raise ValueError(
                    f"tenants.keys_file: needed with host {self.host}, which others can reach; "
                    "tenants.open: true lets anybody in"
                )
        elif self.cache.is_shared and not self.cache.share and self.tenants.secret_env is None:
            raise ValueError("tenants.secret_env: needed where tenants share a Redis")
        return self

    @model_validator(mode="after")
    def _metrics_are_bounded(self) -> Self:
        tenants, reasoners = self.metrics.max_tenants, len(self.reasoners)
        if tenants * reasoners > _MOST_NAMED:
            raise ValueError(
                f"metrics.max_tenants: {tenants} times {reasoners} reasoners is over {_MOST_NAMED}"
            )
        return self


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
