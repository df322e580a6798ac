"""One suite over every captioner, through the real captioner service."""

import base64
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from racro.embedded.captioner import MODEL, PROJECTOR
from support import http
from support.pictures import data_url, encoded, png, text_picture
from support.processes import Service, wait_until
from support.scripted import Asked, Script, ScriptedServer, read_events

Size = tuple[int, int]

QUESTION = "How high is the bar?"
EXAMPLES = Path(__file__).parents[2] / "examples"


def vlm(server: ScriptedServer, *, revision: str | None = None, **more: Any) -> dict[str, Any]:
    engine = {"url": f"{server.url}/v1", "model": "scripted", "revision": revision}
    return {"captioner": {"kind": "vlm", "engine": engine, **more}}


@pytest.fixture(scope="module")
def _vlm_captioner(_scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    with Service("services.captioner", vlm(_scripted_reasoner)) as service:
        yield service


@pytest.fixture
def vlm_captioner(_vlm_captioner: Service, reasoner: ScriptedServer) -> Service:
    """A real captioner service; the scripted reasoner plays its vision server."""
    reasoner.script.texts = ["A bar ", "with a 42."]
    return _vlm_captioner


@pytest.fixture(scope="module")
def qwen_captioner(_scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    """Images have the sizes that Qwen2.5-VL's processor gives them, of 3,000 tokens at most."""
    sizes = {"min_pixels": 3136, "max_pixels": 2_352_000, "side_multiple": 28}
    with Service("services.captioner", vlm(_scripted_reasoner, **sizes)) as service:
        yield service


def image_in(part: dict[str, Any]) -> Image.Image:
    """The picture in a part of a message's content."""
    payload = part["image_url"]["url"].removeprefix("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(payload)))


@pytest.fixture(params=["ocr", "vlm", "llama"])
def captioner_service(request: pytest.FixtureRequest) -> Service:
    return request.getfixturevalue(f"{request.param}_captioner")


@pytest.fixture(params=["ocr", "vlm"])
def reader(request: pytest.FixtureRequest) -> Service:
    """A captioner whose words are known, and the same each time."""
    return request.getfixturevalue(f"{request.param}_captioner")


def post(service: Service, *, pictures: tuple[str, ...] = ("42",), **more: Any) -> httpx2.Response:
    images = [data_url(png(text)) for text in pictures]
    body = {"question": QUESTION, "images": images, **more}
    # Plain HTTP: preparing to verify certificates would cost 40 ms a call.
    return http.post(f"{service.url}/v1/perceive", json=body)


def perceive(service: Service, **more: Any) -> dict[str, Any]:
    response = post(service, **more)
    assert response.status_code == 200, response.text
    return response.json()


def identity(service: Service) -> dict[str, Any]:
    return http.get(f"{service.url}/v1/identity").json()


def error(response: httpx2.Response) -> dict[str, Any]:
    return {"status": response.status_code, **response.json()["error"]}


def pieces(deltas: list[tuple[str, Any]], *, part: str = "caption", index: int = 0) -> str:
    """The text that a stream's deltas make."""
    found = [data for _, data in deltas if (data["part"], data["index"]) == (part, index)]
    return "".join(data["text"] for data in found)


class TestEveryCaptioner:
    def test_identity(self, captioner_service: Service) -> None:
        who = identity(captioner_service)
        assert set(who) == {"model", "revision", "prompt_profile", "fingerprint", "parts"}
        assert len(who["fingerprint"]) == 64
        assert all(who.values())
        assert who["parts"][0] == "caption"
        answer = perceive(captioner_service)
        for name in ("model", "revision", "prompt_profile", "fingerprint"):
            assert answer[name] == who[name]

    def test_caption(self, captioner_service: Service) -> None:
        answer = perceive(captioner_service)
        [caption] = answer["caption"]
        assert caption["text"].strip()
        assert caption["finish_reason"] in {"stop", "length"}
        assert set(caption["usage"]) == {"prompt_tokens", "completion_tokens"}
        assert (answer["tentative"], answer["failed"]) == ([], {})

    def test_streamed_is_plain_in_pieces(self, captioner_service: Service) -> None:
        parts = identity(captioner_service)["parts"]
        response = post(captioner_service, parts=parts, stream=True)
        assert response.headers["content-type"].startswith("text/event-stream")
        *deltas, (name, done) = read_events(response.text)
        assert {name for name, _ in deltas} == {"delta"}
        assert name == "done"
        for part in parts:
            assert pieces(deltas, part=part) == done[part][0]["text"]
        assert set(perceive(captioner_service, parts=parts)) == set(done)

    def test_no_question(self, captioner_service: Service) -> None:
        [caption] = perceive(captioner_service, question=None)["caption"]
        assert caption["text"].strip()

    def test_a_tentative_response_needs_a_question(self, captioner_service: Service) -> None:
        found = error(post(captioner_service, question=None, parts=["caption", "tentative"]))
        assert (found["status"], found["code"]) == (400, "invalid_request")

    def test_n(self, captioner_service: Service, reasoner: ScriptedServer) -> None:
        base = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
        reasoner.script.chunks = [
            {**base, "choices": [{"index": index, **said}]}
            for index in (1, 0)
            for said in ({"delta": {"content": f"Text {index} of 42."}}, {"finish_reason": "stop"})
        ]
        options = {"n": 2, "temperature": 0.5, "seed": 7}
        assert len(perceive(captioner_service, options=options)["caption"]) == 2
        response = post(captioner_service, options=options, stream=True)
        *deltas, (_, done) = read_events(response.text)
        assert len(done["caption"]) == 2
        for index, caption in enumerate(done["caption"]):
            assert pieces(deltas, index=index) == caption["text"]

    @pytest.mark.parametrize(
        ("more", "param"),
        [
            ({"colour": "red"}, "colour"),
            ({"options": {"top_k": 3}}, "options.top_k"),
            ({"options": {"n": 17}}, "options.n"),
            ({"options": {"caption_profile": "poem"}}, "options.caption_profile"),
            ({"parts": ["poem"]}, "parts[0]"),
            ({"images": []}, "images"),
            ({"question": ""}, "question"),
        ],
    )
    def test_a_wrong_field_is_named(
        self, captioner_service: Service, more: dict[str, Any], param: str
    ) -> None:
        found = error(post(captioner_service, **more))
        assert (found["status"], found["code"], found["param"]) == (400, "invalid_request", param)

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        "broken",
        [data_url(png()[:-200]), data_url(b"GIF89a"), "data:image/png;base64,@", "https://x/y.png"],
        ids=["truncated", "only magic", "base64", "no data URL"],
    )
    def test_a_broken_image_is_named(
        self, captioner_service: Service, reasoner: ScriptedServer, broken: str, stream: bool
    ) -> None:
        images = [data_url(png()), broken]
        found = error(post(captioner_service, images=images, stream=stream))
        assert (found["status"], found["code"]) == (400, "invalid_image")
        assert found["param"] == "images[1]"
        assert reasoner.chats == []

    def test_ready(self, captioner_service: Service) -> None:
        response = http.get(f"{captioner_service.url}/readyz")
        assert response.json() == {
            "status": "ready",
            "degraded": False,
            "checks": {"captioner": "ok"},
        }


class TestEveryReader:
    @pytest.mark.parametrize("question", [QUESTION, None])
    def test_caption(self, reader: Service, question: str | None) -> None:
        [caption] = perceive(reader, question=question)["caption"]
        assert "42" in caption["text"]
        assert caption["finish_reason"] == "stop"

    def test_what_is_streamed_is_the_plain_answer(self, reader: Service) -> None:
        parts = identity(reader)["parts"]
        plain = perceive(reader, parts=parts)
        assert read_events(post(reader, parts=parts, stream=True).text)[-1] == ("done", plain)


class TestOcr:
    def test_one_caption_speaks_of_all_images(self, ocr_captioner: Service) -> None:
        [caption] = perceive(ocr_captioner, pictures=("17", "Ulm"))["caption"]
        first, second = caption["text"].split("Image 2:")
        assert first.startswith("Image 1:")
        assert "17" in first
        assert "Ulm" in second

    def test_it_has_no_tentative_response(self, ocr_captioner: Service) -> None:
        assert identity(ocr_captioner)["parts"] == ["caption"]
        answer = perceive(ocr_captioner, parts=["caption", "tentative"])
        assert (len(answer["caption"]), answer["tentative"]) == (1, [])

    def test_a_cut_caption_says_so(self, ocr_captioner: Service) -> None:
        [caption] = perceive(ocr_captioner, options={"max_tokens": 1})["caption"]
        assert caption["finish_reason"] == "length"

    def test_under_the_profile_screen_nothing_is_linked(self, ocr_captioner: Service) -> None:
        chart = data_url((EXAMPLES / "bar-chart.png").read_bytes())
        described, read = (
            perceive(ocr_captioner, images=[chart], options={"caption_profile": profile})
            for profile in ("description", "screen")
        )
        assert described["caption"][0]["text"].startswith("Bar chart.")
        lines = read["caption"][0]["text"].splitlines()
        assert lines[0] == "Text in the image, row by row:"
        assert "January | February | March | April" in lines
        assert read["fingerprint"] == described["fingerprint"]

    def test_the_identity_outlives_a_restart(self, ocr_captioner: Service) -> None:
        with Service("services.captioner", {"keep_alive_s": 3}) as again:
            assert identity(again) == identity(ocr_captioner)


def by_kind(server: ScriptedServer) -> tuple[Asked, Asked]:
    """The calls for the caption (with a system prompt) and for the tentative response."""
    caption, tentative = sorted(server.chats, key=lambda asked: len(asked.json["messages"]))[::-1]
    return caption, tentative


def only_caption(script: Script) -> Callable[[Any], Script | None]:
    """`script` for captions; tentative responses go as they did."""
    return lambda body: script if body["messages"][0]["role"] == "system" else None


class TestVlm:
    BOTH = ("caption", "tentative")

    @pytest.mark.parametrize("question", [QUESTION, None])
    def test_the_prompt_of_screens_asks_for_the_text_first(
        self, vlm_captioner: Service, reasoner: ScriptedServer, question: str | None
    ) -> None:
        parts = self.BOTH if question else ["caption"]
        options = {"caption_profile": "screen"}
        perceive(vlm_captioner, question=question, parts=parts, options=options)
        [caption, *_] = by_kind(reasoner) if question else reasoner.chats
        system, user = caption.json["messages"]
        assert "visible text exactly as it stands" in system["content"]
        assert ("Question: " in user["content"][-1]["text"]) == (question is not None)
        assert user["content"][-1]["text"].endswith("then describe the layout.")

    def test_the_prompts_of_racro_v1(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        answer = perceive(vlm_captioner, parts=self.BOTH)
        assert answer["tentative"][0]["text"] == "A bar with a 42."
        caption, tentative = by_kind(reasoner)
        system, user = caption.json["messages"]
        assert system == {
            "role": "system",
            "content": "You are given an image and a relevant question. Based on the query, please "
            "describe the image in detail. Do not try to answer the question.",
        }
        picture, text = user["content"]
        assert picture["type"] == "image_url"
        assert picture["image_url"]["url"].startswith("data:image/png;base64,")
        assert text["text"] == (
            f"Question: {QUESTION}\nPlease describe the image. DO NOT try to answer the question!"
        )
        [user] = tentative.json["messages"]
        assert user["content"][0] == picture
        assert user["content"][1]["text"] == (
            f"{QUESTION} Please think step by step. The final answer MUST BE put in \\boxed{{}}."
        )
        for asked in (caption, tentative):
            assert asked.json["model"] == "scripted"
            assert asked.json["temperature"] == 0
            assert asked.json["max_tokens"] == 8192
            assert "n" not in asked.json

    def test_no_question_asks_for_a_general_caption(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        perceive(vlm_captioner, question=None)
        prompt = str(reasoner.chats[0].json["messages"])
        assert "Please describe the image" in prompt
        assert "question" not in prompt.lower()
        assert "None" not in prompt

    def test_both_parts_at_the_same_time(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        reasoner.script.held_at = 0
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(perceive, vlm_captioner, parts=self.BOTH)
            wait_until(lambda: len(reasoner.chats) == 2, what="both calls")
            reasoner.script.held_at = None
        assert asked.result()["tentative"]

    def test_several_images_are_numbered(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        perceive(vlm_captioner, pictures=("1", "2"))
        content = reasoner.chats[0].json["messages"][1]["content"]
        assert [part["type"] for part in content] == ["text", "image_url"] * 2 + ["text"]
        assert [content[0]["text"], content[2]["text"]] == ["Image 1:", "Image 2:"]
        assert content[1] != content[3]

    def test_options_reach_the_server(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        reasoner.script.chunks = [
            {"choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": "stop"}]}
            for index in range(3)
        ]
        options = {"max_tokens": 99, "temperature": 1.0, "seed": 7, "n": 3}
        assert len(perceive(vlm_captioner, options=options)["caption"]) == 3
        sent = reasoner.chats[0].json
        assert {name: sent[name] for name in options} == options

    def test_control_tokens_become_text(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        perceive(vlm_captioner, question="<|im_end|> <image> [INST] <think>", parts=self.BOTH)
        for asked in by_kind(reasoner):
            prompt = asked.json["messages"][-1]["content"][-1]["text"]
            assert "< |im_end|> < image> [ INST] < think>" in prompt

    def test_a_failed_tentative_response_is_marked(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        fine = replace(reasoner.script)
        reasoner.script.status, reasoner.script.plain = 500, {"detail": "at 10.0.0.1"}
        reasoner.script.respond = only_caption(fine)
        answer = perceive(vlm_captioner, parts=self.BOTH)
        assert answer["caption"][0]["text"] == "A bar with a 42."
        assert answer["tentative"] == []
        assert set(answer["failed"]) == {"tentative"}
        assert answer["failed"]["tentative"]["code"] == "upstream_unavailable"
        assert "10.0.0.1" not in str(answer)

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_failed_caption_is_an_error_and_ends_the_other_call(
        self, vlm_captioner: Service, reasoner: ScriptedServer, stream: bool
    ) -> None:
        reasoner.script.held_at = 0
        broken = Script(held_at=0, status=429, plain={"error": {"message": "slow down"}})
        reasoner.script.respond = only_caption(broken)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(post, vlm_captioner, parts=self.BOTH, stream=stream)
            wait_until(lambda: len(reasoner.chats) == 2, what="both calls")
            broken.held_at = None
        found = error(asked.result())
        assert (found["status"], found["code"]) == (429, "rate_limited")
        _, tentative = by_kind(reasoner)
        wait_until(lambda: tentative.left_at, what="the tentative call's end")

    def test_a_server_that_dies_in_its_answer(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        reasoner.script.die_after = 1
        assert error(post(vlm_captioner))["code"] == "upstream_unavailable"
        name, data = read_events(post(vlm_captioner, stream=True).text)[-1]
        assert (name, data["error"]["code"]) == ("error", "upstream_unavailable")

    @pytest.mark.parametrize("texts", [[], ["", "  \n"]])
    def test_an_empty_caption_is_an_error(
        self, vlm_captioner: Service, reasoner: ScriptedServer, texts: list[str]
    ) -> None:
        reasoner.script.texts = texts
        found = error(post(vlm_captioner))
        assert (found["status"], found["code"]) == (502, "upstream_error")

    def test_the_server_refusing_its_key(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        reasoner.script.status = 401
        reasoner.script.plain = {"error": {"message": "bad key sk-secret"}}
        found = error(post(vlm_captioner))
        assert (found["status"], found["code"]) == (502, "upstream_error")
        assert "sk-secret" not in str(found)

    def test_what_shapes_a_caption_is_in_the_fingerprint_and_nothing_else(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        original = identity(vlm_captioner)
        assert (original["model"], original["revision"]) == ("scripted", "rev7")
        changed: list[dict[str, Any]] = [
            {"temperature": 0.5},
            {"max_tokens": 100},
            {"revision": "tuned"},
            {"min_pixels": 100_000},
            {"max_pixels": 1_000_000},
            {"side_multiple": 28},
        ]
        found = {original["fingerprint"]}
        for settings in changed:
            with Service("services.captioner", vlm(reasoner, **settings)) as other:
                found.add(identity(other)["fingerprint"])
        assert len(found) == 7
        with (
            ScriptedServer() as elsewhere,
            Service("services.captioner", vlm(elsewhere, temperature=0)) as moved,
        ):
            assert identity(moved) == original

    # Sizes as transformers' `smart_resize` has them.
    @pytest.mark.parametrize(
        ("sent", "size"),
        [((640, 480), (644, 476)), ((4000, 3000), (1764, 1316)), ((20, 20), (56, 56))],
    )
    def test_an_image_is_sent_at_the_size_that_the_model_uses(
        self, qwen_captioner: Service, reasoner: ScriptedServer, sent: Size, size: Size
    ) -> None:
        reasoner.script.texts = ["A bar."]
        perceive(qwen_captioner, images=[data_url(encoded(text_picture("42", size=sent)))])
        [picture, _] = reasoner.chats[0].json["messages"][1]["content"]
        assert image_in(picture).size == size

    def test_only_the_very_large_is_sent_smaller_where_nothing_is_set(
        self, vlm_captioner: Service, reasoner: ScriptedServer
    ) -> None:
        sizes = [(333, 77), (4096, 4096), (8192, 4096)]
        pictures = [data_url(encoded(Image.new("1", size))) for size in sizes]
        perceive(vlm_captioner, images=pictures)
        content = reasoner.chats[0].json["messages"][1]["content"]
        sent = [image_in(part).size for part in content if part["type"] == "image_url"]
        assert sent == [(333, 77), (4096, 4096), (5792, 2896)]

    def test_not_ready_without_its_server(self) -> None:
        nowhere = {"url": "http://127.0.0.1:9/v1", "model": "scripted"}
        gone = {"kind": "vlm", "engine": nowhere}
        config = {"captioner": gone}
        with Service("services.captioner", config, wait_for="/healthz") as service:
            response = http.get(f"{service.url}/readyz")
            assert response.status_code == 503
            assert response.json()["checks"] == {"captioner": "the engine cannot be reached"}
            assert http.get(f"{service.url}/v1/identity").status_code == 503
            found = post(service)
            assert (found.status_code, found.headers["retry-after"]) == (503, "2")


def llama(**engine: Any) -> dict[str, Any]:
    return {"captioner": {"kind": "vlm", "engine": {"kind": "llama", **engine}}}


class TestLlama:
    """The packaged weights; whatever they say."""

    def test_both_parts_are_counted(self, llama_captioner: Service) -> None:
        limit = {"max_tokens": 2}
        answer = perceive(llama_captioner, parts=["caption", "tentative"], options=limit)
        for part in ("caption", "tentative"):
            [generation] = answer[part]
            assert 1 <= generation["usage"]["completion_tokens"] <= 2
            assert generation["usage"]["prompt_tokens"] > 30
        assert answer["failed"] == {}

    def test_several_images(self, llama_captioner: Service) -> None:
        one, two = (
            perceive(llama_captioner, pictures=pictures, options={"max_tokens": 4})["caption"][0]
            for pictures in (("1",), ("1", "2"))
        )
        assert two["usage"]["prompt_tokens"] > one["usage"]["prompt_tokens"] + 20

    def test_more_samples_than_it_answers_at_once(self, llama_captioner: Service) -> None:
        """All counted, and no two of them drawn alike for want of a seed of their own."""
        options = {"n": 16, "temperature": 2, "seed": 3, "max_tokens": 16}
        captions = perceive(llama_captioner, options=options)["caption"]
        assert len(captions) == 16
        assert len({caption["text"] for caption in captions}) > 8
        assert all(caption["usage"]["completion_tokens"] for caption in captions)

    def test_a_prompt_over_the_context(self, llama_captioner: Service) -> None:
        found = error(post(llama_captioner, question="word " * 2000))
        assert (found["status"], found["code"]) == (400, "context_length_exceeded")
        assert perceive(llama_captioner, options={"max_tokens": 4})["caption"]

    def test_requests_with_a_full_context_do_not_break_one_another_off(self) -> None:
        """Each has its share: 512 tokens."""
        options = {"n": 8, "temperature": 2, "seed": 3}
        with Service("services.captioner", llama(context_tokens=2048, parallel=4)) as service:
            captions = perceive(service, options=options)["caption"]
        used = [sum(caption["usage"].values()) for caption in captions]
        assert len(used) == 8
        assert max(used) <= 512

    def test_it_is_known_by_both_files(self, llama_captioner: Service) -> None:
        who = identity(llama_captioner)
        weights, projector = who["revision"].split("+")
        assert len(weights) == len(projector) == 16
        assert who["model"] == "racro-drawn"

    def test_files_of_ones_own(self, llama_captioner: Service, tmp_path: Path) -> None:
        """Named after the file; the same weights have the same revision."""
        model = tmp_path / "tiny-vl.gguf"
        model.write_bytes(MODEL.read_bytes())
        engine = {"model_path": str(model), "projector_path": str(PROJECTOR)}
        with Service("services.captioner", llama(**engine)) as service:
            who = identity(service)
            assert perceive(service, options={"max_tokens": 4})["model"] == "tiny-vl"
        packaged = identity(llama_captioner)
        assert (who["model"], who["revision"]) == ("tiny-vl", packaged["revision"])
        assert who["fingerprint"] != packaged["fingerprint"]

    def test_the_share_of_the_context_is_in_the_fingerprint(self, llama_captioner: Service) -> None:
        packaged = identity(llama_captioner)
        same, other = {"context_tokens": 4096, "parallel": 2}, {"context_tokens": 4096}
        found = []
        for engine in (same, other):
            with Service("services.captioner", llama(**engine)) as service:
                found.append(identity(service)["fingerprint"] == packaged["fingerprint"])
        assert found == [True, False]
