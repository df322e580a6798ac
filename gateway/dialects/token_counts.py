"""`POST /v1/messages/count_tokens`: the tokens of a request of Anthropic's messages.

The reasoner's server counts, with visual contexts where the images stand. No image is captioned
for it: in place of a caption that the cache has not there is one of the most tokens it may have.
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from starlette.types import Scope, Send

from gateway.dialects.anthropic_messages import Messages, MessagesRequest
from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.headed_conversation import HeadedConversation
from gateway.dialects.prompting import Outcome
from gateway.dialects.relayed_api import REASONER, Exchange
from gateway.dialects.relayed_request import RelayedRequest
from gateway.flow import ImageQuestion
from gateway.images.loader import Image
from gateway.perception.request import Perception, PerceptionRequest
from gateway.reasoning.served_dialects import Api
from gateway.settings import GatewaySettings
from racro.contracts.errors import UpstreamError
from racro.contracts.perception import Usage
from racro.contracts.solve_api import VisualContext
from racro.servekit.context import TimeLimit, time_left_s
from racro.servekit.relay import no_completion, raise_for_status
from racro.servekit.responses import JSON, NotJson, send_response
from racro.servekit.tasks import all_of

# Where the settings leave the limit to the captioner, whose own is not known here.
_CAPTION_TOKENS = 2048
# In most vocabularies a token each.
_WORD = " a"


class _Count(msgspec.Struct):
    input_tokens: int


_decode = msgspec.json.Decoder(_Count).decode


class CountedConversation(HeadedConversation):
    """The conversation of a request whose tokens are counted, which nobody answers."""

    takes_sampling: ClassVar[bool] = False


class CountRequest(MessagesRequest):
    """A request to count the tokens of one of Anthropic's messages."""

    conversation_type: ClassVar[type[ChatConversation]] = CountedConversation


class CountTokens(Messages):
    """Counts the tokens of a prompt, where the reasoner's server does."""

    api: ClassVar[Api] = "count_tokens"
    request_type: ClassVar[type[RelayedRequest]] = CountRequest

    def __init__(self, settings: GatewaySettings) -> None:
        super().__init__(settings)
        tokens = settings.captioner.max_tokens or _CAPTION_TOKENS
        self.longest_caption = _WORD * tokens

    def check_completion(self, answer: bytes) -> Usage:
        try:
            _decode(answer)
        except NotJson as error:
            raise no_completion(answer, name=REASONER, expected="a count of tokens") from error
        return Usage()

    def exchange(self, scope: Scope, request: RelayedRequest) -> Exchange:
        request.stream = False
        return _CountExchange(self, scope, request, self._settings.limits)


class _CountExchange(Exchange):
    """Asks a reasoner's server to count, which is no answer of the reasoner."""

    _api: CountTokens
    # Told when it is asked for an answer, as of a reasoner that is sent captions.
    notes_images: ClassVar[bool] = True

    async def send_plain(self, send: Send) -> None:
        body = await self._reasoner_body(await self._outcomes())
        async with self._post(body) as response:
            await raise_for_status(response, name=REASONER)
            answer = await response.read()
        self._api.check_completion(answer)
        await send_response(send, answer, headers=[JSON])

    async def _perceive(self) -> Sequence[Outcome]:
        questions = self._image_questions()
        sources = [source for question in questions for source in question.sources]
        if not sources:
            return []
        limit = TimeLimit(time_left_s(), "the request's time")
        loaded = iter(await self._services.loader.load_each(sources, limit, tenant=self._tenant))
        images = [[next(loaded) for _ in question.sources] for question in questions]
        return await all_of(map(self._recall, questions, images))

    async def _recall(self, question: ImageQuestion, images: Sequence[object]) -> Perception:
        """Return what the cache has of a question, or else a perception of the greatest length.

        So it is where an image cannot be loaded, too: that is told when its caption is asked for.
        """
        readable = [image for image in images if isinstance(image, Image)]
        tentative = self._reasoner.settings.tentative
        if len(readable) == len(images):
            request = PerceptionRequest(
                tenant=self._tenant,
                images=readable,
                question=question.question,
                tentative=tentative,
                caption_profile=self._profile,
            )
            try:
                found = await self._services.perceiver.recall(request)
            except UpstreamError:
                found = None
            if found is not None:
                return found
        longest = self._api.longest_caption
        context = VisualContext(
            caption=longest,
            tentative=longest if tentative and question.question else None,
            model="",
            revision="",
            prompt_profile="",
            cache="miss",
        )
        return Perception(context, Usage())
