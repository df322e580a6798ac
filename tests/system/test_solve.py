"""`POST /v1/solve` through real gateway processes."""

import asyncio
import base64
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from conftest import gateway_config
from racro.contracts.prompts import solve_messages
from support import http
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import IDENTITY, Fixed, ScriptedServer, read_events

PICTURE = data_url(png())
CAPTION = "A bar chart with one bar of height 42."


def asking(question: str = "How high is the bar?", **more: Any) -> dict[str, Any]:
    return {"question": question, "images": [PICTURE], **more}


def post(service: Service, body: dict[str, Any], **more: Any) -> httpx2.Response:
    return http.post(f"{service.url}/v1/solve", json=body, **more)


def solve(service: Service, question: str = "How high is the bar?", **more: Any) -> dict[str, Any]:
    answer = post(service, asking(question, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()


def context_of(service: Service, question: str, **more: Any) -> dict[str, Any]:
    return solve(service, question, **more)["visual_context"]


def joint_prompt(server: ScriptedServer) -> str:
    return server.chats[-1].json["messages"][1]["content"]


@pytest.fixture(scope="module")
def _other_gateway(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url, keep_alive_s=0.2)
    with Service("gateway", config) as one:
        yield one


@pytest.fixture
def other_gateway(
    _other_gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
) -> Service:
    """One whose captioner may change its identity, and which keeps streams alive quickly."""
    return _other_gateway


class TestAnswer:
    def test_every_field(self, gateway: Service, reasoner: ScriptedServer) -> None:
        reasoner.script.reasoning = ["Look: ", "forty-two."]
        answer = solve(gateway, "every field?")
        timing = answer.pop("timing_ms")
        assert answer.pop("id").startswith("solve-")
        assert answer == {
            "object": "solve",
            "answer": "42",
            "text": "The answer is \\boxed{42}.",
            "reasoning": "Look: forty-two.",
            "visual_context": {
                "caption": CAPTION,
                "tentative": "It is \\boxed{42}.",
                "truncated": [],
                "failed": None,
                "model": "scripted-vlm",
                "revision": "r1",
                "prompt_profile": "racro-v1",
                "cache": "miss",
            },
            "model": "default",
            "reasoner": {"model": "scripted", "revision": "rev7"},
            "finish_reason": "stop",
            "usage": {
                "captioner": {"prompt_tokens": 200, "completion_tokens": 40},
                "reasoner": {"prompt_tokens": 7, "completion_tokens": 3},
            },
        }
        assert set(timing) == {"perceive", "first_token", "reason", "total"}
        assert 0 < timing["first_token"] <= timing["reason"] <= timing["total"]
        assert timing["perceive"] + timing["reason"] <= timing["total"] + 0.2

    def test_timing_tells_the_stages_apart(
        self, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        captioner.script.before_s, reasoner.script.before_s = 0.3, 0.2
        reasoner.script.between_s = 0.1
        timing = solve(gateway, "which stage is slow?")["timing_ms"]
        assert timing["perceive"] >= 300
        assert timing["first_token"] >= 200
        assert timing["reason"] >= 500
        assert timing["total"] >= 800

    def test_the_reasoner_gets_the_joint_prompt_and_the_captioner_the_question(
        self, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        solve(gateway, "joint?")
        [perceived] = captioner.perceptions
        assert perceived.json["question"] == "joint?"
        assert perceived.json["images"] == [PICTURE]
        assert perceived.json["parts"] == ["caption", "tentative"]
        assert int(perceived.headers["x-racro-timeout-ms"]) > 0
        [asked] = reasoner.chats
        assert asked.json["messages"][0]["content"] == "You are a helpful assistant."
        prompt = joint_prompt(reasoner)
        assert f"\n\n### The detailed caption of the provided image: {CAPTION}\n\n" in prompt
        assert "\n\n### A problem to be solved: joint?\n\n" in prompt
        assert "\n\n### A tentative model response: It is \\boxed{42}.\n\n" in prompt
        assert (asked.json["temperature"], asked.json["top_p"]) == (0.6, 0.95)

    def test_multipart(self, gateway: Service, captioner: ScriptedServer) -> None:
        files = [("image", (f"{n}.png", png(str(n)), "image/png")) for n in (1, 2)]
        form = {"question": "multipart?", "tentative": "false", "cache": "bypass"}
        answer = http.post(f"{gateway.url}/v1/solve", files=files, data=form)
        assert answer.status_code == 200, answer.text
        assert answer.json()["answer"] == "42"
        assert answer.json()["visual_context"]["cache"] == "bypass"
        [perceived] = captioner.perceptions
        assert perceived.json["images"] == [data_url(png("1")), data_url(png("2"))]
        assert perceived.json["parts"] == ["caption"]

    @pytest.mark.parametrize(
        ("header", "content"),
        [
            pytest.param('; filename="a.png"', png(), id="file"),
            pytest.param("; filename*=UTF-8''a%20b.png", png(), id="extended-name"),
            pytest.param("", png(), id="no-name"),
            pytest.param("", data_url(png()).encode(), id="data-url"),
            pytest.param("", base64.b64encode(png()), id="base64"),
            pytest.param(
                '; filename="a.png"\r\nContent-Transfer-Encoding: BASE64',
                base64.encodebytes(png()),
                id="encoded-for-transfer",
            ),
            pytest.param(
                '; filename="a.png"\r\nContent-Transfer-Encoding: binary', png(), id="binary"
            ),
        ],
    )
    def test_an_image_in_a_form_is_seen_however_it_was_sent(
        self, gateway: Service, captioner: ScriptedServer, header: str, content: bytes
    ) -> None:
        """Beside it, what browsers send of an input in which nothing was chosen."""
        disposition = b'\r\n--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s'
        parts = [
            ("question", b"", b"form?"),
            ("cache", b"", b"bypass"),
            ("image", b'; filename=""\r\nContent-Type: application/octet-stream', b""),
            ("image", header.encode(), content),
            ("image", b"", b""),
        ]
        body = b"".join(disposition % (name.encode(), *part) for name, *part in parts)
        answer = http.post(
            f"{gateway.url}/v1/solve",
            content=body + b"\r\n--x--\r\n",
            headers={"content-type": "multipart/form-data; boundary=x"},
        )
        assert answer.status_code == 200, answer.text
        assert captioner.perceptions[0].json["images"] == [data_url(png())]

    @pytest.mark.parametrize("image", [{"url": PICTURE}, ["x"], None, 5])
    def test_an_image_that_is_no_string_is_told_what_is_expected(
        self, gateway: Service, image: Any
    ) -> None:
        answer = post(gateway, {"question": "q", "images": [PICTURE, image]})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "images[1]")
        assert "an image is a string: a data URL" in answer.json()["error"]["message"]

    def test_multipart_and_json_share_the_cache(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        solve(gateway, "shared?")
        answer = http.post(
            f"{gateway.url}/v1/solve",
            files={"image": ("a.png", png(), "image/png")},
            data={"question": "shared?"},
        )
        assert answer.json()["visual_context"]["cache"] == "hit"
        assert len(captioner.perceptions) == 1

    def test_headers(self, gateway: Service) -> None:
        given = post(gateway, asking("headers?"), headers={"x-request-id": "mine-1"})
        assert given.headers["x-request-id"] == "mine-1"
        assert given.headers["x-racro-visual-context"] == "miss"
        stages = [stage.split(";dur=") for stage in given.headers["server-timing"].split(", ")]
        assert {name: float(took) for name, took in stages} == given.json()["timing_ms"]
        generated = [post(gateway, asking("headers?")) for _ in range(2)]
        assert {answer.headers["x-racro-visual-context"] for answer in generated} == {"hit"}
        ids = {answer.headers["x-request-id"] for answer in generated}
        assert len(ids) == 2
        assert all(len(identifier) == 32 for identifier in ids)

    def test_the_request_id_travels_to_both_services(
        self, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        post(gateway, asking("travels?"), headers={"x-request-id": "trip-1"})
        asked = [*captioner.perceptions, *reasoner.chats]
        assert [one.headers["x-request-id"] for one in asked] == ["trip-1", "trip-1"]


class TestStream:
    def events(self, gateway: Service, question: str) -> list[tuple[str, Any]]:
        answer = post(gateway, asking(question, stream=True))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        return read_events(answer.text)

    def test_names_order_and_contents(self, gateway: Service, reasoner: ScriptedServer) -> None:
        reasoner.script.reasoning = ["Hm. ", "So:"]
        events = self.events(gateway, "streamed?")
        assert [name for name, _ in events] == [
            *["visual_context.delta"] * 4,
            "visual_context.done",
            *["reasoning.delta"] * 2,
            *["answer.delta"] * 2,
            "done",
        ]
        _, done = events[-1]
        assert [data["text"] for name, data in events if name == "reasoning.delta"] == [
            "Hm. ",
            "So:",
        ]
        assert (
            "".join(data["text"] for name, data in events if name == "answer.delta")
            == (done["text"])
        )
        for part in ("caption", "tentative"):
            pieces = [data["text"] for _, data in events[:4] if data["part"] == part]
            assert len(pieces) == 2
            assert "".join(pieces) == done["visual_context"][part]
        assert events[4][1] == done["visual_context"]

    def test_done_has_the_shape_of_the_json_answer(self, gateway: Service) -> None:
        _, done = self.events(gateway, "same shape?")[-1]
        plain = solve(gateway, "same shape?")
        assert done["visual_context"].pop("cache") == "miss"
        assert plain["visual_context"].pop("cache") == "hit"
        for answer in (done, plain):
            assert set(answer.pop("timing_ms")) == {"perceive", "first_token", "reason", "total"}
            del answer["id"], answer["usage"]["captioner"]
        assert done == plain

    def test_a_hit_is_told_in_deltas_too(self, gateway: Service) -> None:
        solve(gateway, "told again?")
        events = self.events(gateway, "told again?")
        assert events[:2] == [
            ("visual_context.delta", {"part": "caption", "text": CAPTION}),
            ("visual_context.delta", {"part": "tentative", "text": "It is \\boxed{42}."}),
        ]

    def test_an_error_before_the_first_byte_keeps_its_status(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.status = 500
        captioner.script.plain = {"detail": "boom at 10.0.0.1"}
        answer = post(gateway, asking("fails at once?", stream=True))
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "upstream_unavailable"
        assert "10.0.0.1" not in answer.text

    def test_an_error_after_it_is_an_event(
        self, gateway: Service, reasoner: ScriptedServer
    ) -> None:
        reasoner.script.die_after = 1
        events = self.events(gateway, "breaks off?")
        name, data = events[-1]
        assert name == "error"
        assert data["error"]["code"] == "upstream_unavailable"
        assert "done" not in [name for name, _ in events]

    def test_keep_alive_comments_begin_a_slow_stream(
        self, other_gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.held_at = 0
        url, body = f"{other_gateway.url}/v1/solve", asking("kept alive?", stream=True)
        with http.stream("POST", url, json=body) as response:
            pieces, text = response.iter_text(), ""
            while text.count("\n\n") < 2:
                text += next(pieces)
            captioner.script.held_at = None
            text += "".join(pieces)
        assert text.startswith(": keep-alive\n\n: keep-alive\n\n")
        assert read_events(text)[-1][0] == "done"


class TestCache:
    def test_the_second_is_a_hit_without_a_captioner(
        self, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        first, second = (solve(gateway, "twice?") for _ in range(2))
        assert len(captioner.perceptions) == 1
        assert len(reasoner.chats) == 2
        assert first["visual_context"] | {"cache": "hit"} == second["visual_context"]
        assert second["usage"]["captioner"] == {"prompt_tokens": 0, "completion_tokens": 0}

    def test_another_question_is_a_miss(self, gateway: Service, captioner: ScriptedServer) -> None:
        solve(gateway, "one question?")
        assert context_of(gateway, "another question?")["cache"] == "miss"
        assert len(captioner.perceptions) == 2

    def test_another_picture_is_a_miss(self, gateway: Service) -> None:
        solve(gateway, "which picture?")
        other = {"question": "which picture?", "images": [data_url(png("7"))]}
        assert post(gateway, other).json()["visual_context"]["cache"] == "miss"

    def test_refresh_asks_again_and_replaces(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        solve(gateway, "refreshed?")
        captioner.script.caption = "A better caption."
        assert context_of(gateway, "refreshed?", cache="refresh")["caption"] == "A better caption."
        assert len(captioner.perceptions) == 2
        after = context_of(gateway, "refreshed?")
        assert (after["cache"], after["caption"]) == ("hit", "A better caption.")
        assert len(captioner.perceptions) == 2

    def test_bypass_asks_and_leaves_the_stored_one_alone(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        solve(gateway, "bypassed?")
        captioner.script.caption = "A passing caption."
        passing = context_of(gateway, "bypassed?", cache="bypass")
        assert (passing["cache"], passing["caption"]) == ("bypass", "A passing caption.")
        after = context_of(gateway, "bypassed?")
        assert (after["cache"], after["caption"]) == ("hit", CAPTION)
        assert len(captioner.perceptions) == 2

    @pytest.mark.parametrize(
        ("one", "same"),
        [
            ("what\r\nis it?", "what\nis it?"),
            ("caf\u00e9 here?", "cafe\u0301 here?"),
            ("spaces?", "  spaces?\n"),
        ],
        ids=["CRLF", "NFC", "space"],
    )
    def test_questions_that_read_the_same_are_the_same(
        self, gateway: Service, captioner: ScriptedServer, one: str, same: str
    ) -> None:
        solve(gateway, one)
        assert context_of(gateway, same)["cache"] == "hit"
        assert [asked.json["question"] for asked in captioner.perceptions] == [
            one.replace("\r", "")
        ]

    def test_case_and_inner_space_are_not_normalised(self, gateway: Service) -> None:
        solve(gateway, "x + y?")
        assert context_of(gateway, "X + y?")["cache"] == "miss"
        assert context_of(gateway, "x  + y?")["cache"] == "miss"

    def test_a_caption_failure_is_an_error_and_not_stored(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.status = 400
        captioner.script.plain = {
            "error": {"code": "invalid_image", "message": "damaged", "param": "images[0]"}
        }
        answer = post(gateway, asking("fails?"))
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "invalid_image"
        assert answer.json()["error"]["param"] == "images[0]"
        captioner.reset()
        assert context_of(gateway, "fails?")["cache"] == "miss"


class TestTentative:
    def test_false_leaves_it_out_of_the_joint_prompt(
        self, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        context = context_of(gateway, "left out?", tentative=False)
        assert (context["tentative"], context["failed"]) == (None, None)
        assert captioner.perceptions[0].json["parts"] == ["caption"]
        assert "tentative" not in joint_prompt(reasoner)

    def test_a_failed_one_is_marked_and_asked_again_while_the_caption_is_a_hit(
        self, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        captioner.script.tentative = None
        context = context_of(gateway, "fails in part?")
        assert (context["caption"], context["tentative"]) == (CAPTION, None)
        assert context["failed"] == {"code": "upstream_unavailable", "message": "scripted"}
        assert "tentative" not in joint_prompt(reasoner)

        captioner.script.tentative = "Now it is 42."
        captioner.script.caption = "Not asked for."
        context = context_of(gateway, "fails in part?")
        assert captioner.perceptions[1].json["parts"] == ["tentative"]
        assert (context["caption"], context["tentative"]) == (CAPTION, "Now it is 42.")
        assert context["failed"] is None

        assert context_of(gateway, "fails in part?")["cache"] == "hit"
        assert len(captioner.perceptions) == 2


class TestSingleFlight:
    async def gathered(
        self, gateway: Service, bodies: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        async with http.async_client(base_url=gateway.url) as client:
            answers = await asyncio.gather(*(client.post("/v1/solve", json=b) for b in bodies))
        assert {answer.status_code for answer in answers} == {200}
        return [answer.json() for answer in answers]

    async def test_eight_at_once_share_one_call(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.held_at = 0
        asked = asyncio.create_task(self.gathered(gateway, [asking("at once?")] * 8))
        await asyncio.to_thread(wait_until, lambda: gateway.in_flight() == 8)
        captioner.script.held_at = None
        answers = await asked
        assert len(captioner.perceptions) == 1
        results = sorted(answer["visual_context"]["cache"] for answer in answers)
        assert results == ["coalesced"] * 7 + ["miss"]
        spent = [answer["usage"]["captioner"]["completion_tokens"] for answer in answers]
        assert sorted(spent) == [0] * 7 + [40]
        assert {answer["visual_context"]["caption"] for answer in answers} == {CAPTION}

    async def test_bypass_never_joins(self, gateway: Service, captioner: ScriptedServer) -> None:
        captioner.script.held_at = 0
        bodies = [asking("joins?"), *[asking("joins?", cache="bypass")] * 2]
        asked = asyncio.create_task(self.gathered(gateway, bodies))
        await asyncio.to_thread(wait_until, lambda: len(captioner.perceptions) == 3)
        captioner.script.held_at = None
        answers = await asked
        results = [answer["visual_context"]["cache"] for answer in answers]
        assert results == ["miss", "bypass", "bypass"]

    async def test_a_leader_who_leaves_harms_nobody(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.held_at = 0
        question = "does the leader leave?"
        leader = asyncio.create_task(self.gathered(gateway, [asking(question)]))
        await asyncio.to_thread(wait_until, lambda: captioner.perceptions)
        others = asyncio.create_task(self.gathered(gateway, [asking(question)] * 3))
        gone = 'racro_clients_gone_total{route="/v1/solve"}'
        before = gateway.metrics().get(gone, 0)
        await asyncio.to_thread(wait_until, lambda: gateway.in_flight() == 4)
        leader.cancel()
        await asyncio.to_thread(wait_until, lambda: gateway.metrics().get(gone, 0) > before)
        captioner.script.held_at = None
        results = [answer["visual_context"]["cache"] for answer in await others]
        assert results == ["coalesced"] * 3
        assert len(captioner.perceptions) == 1
        assert captioner.perceptions[0].left_at is None

    def test_why_there_is_none_is_told_without_what_captioners_of_others_let_out(
        self, gateway, captioner
    ) -> None:
        done = {
            **IDENTITY,
            "caption": [{"text": CAPTION, "finish_reason": "stop", "usage": {}}],
            "failed": {"tentative": {"code": "overloaded", "message": "no room at 10.0.0.5:8000"}},
        }
        body = b"event: done\ndata: " + json.dumps(done).encode() + b"\n\n"
        captioner.script.fixed["/v1/perceive"] = Fixed(body=body, media_type="text/event-stream")
        told = context_of(gateway, "whose words?", cache="bypass")["failed"]
        assert told == {"code": "overloaded", "message": "no room at [redacted]"}

    def test_a_late_joiner_hears_the_whole_caption(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        captioner.script.held_at = 1
        url, body = f"{gateway.url}/v1/solve", asking("late?", stream=True)
        with http.stream("POST", url, json=body) as leader:
            lines = leader.iter_lines()
            assert next(lines) == "event: visual_context.delta"
            with ThreadPoolExecutor(1) as pool:
                joining = pool.submit(http.post, url, json=body)
                wait_until(lambda: gateway.in_flight() == 2)
                captioner.script.held_at = None
                late = read_events(joining.result().text)
            assert "event: done" in list(lines)
        assert len(captioner.perceptions) == 1
        done = late[-1][1]
        assert done["visual_context"]["cache"] == "coalesced"
        heard = [data for name, data in late if name == "visual_context.delta"]
        assert "".join(data["text"] for data in heard if data["part"] == "caption") == CAPTION


class TestIdentity:
    def test_an_answer_is_stored_under_the_fingerprint_it_was_given_with(
        self, other_gateway: Service, captioner: ScriptedServer
    ) -> None:
        assert context_of(other_gateway, "first?")["cache"] == "miss"
        captioner.script.identity = IDENTITY | {"fingerprint": "f2", "revision": "r2"}
        # The gateway still believes in f1; the answer says f2, and f2 it is from now on.
        assert context_of(other_gateway, "second?")["revision"] == "r2"
        assert context_of(other_gateway, "second?")["cache"] == "hit"
        assert context_of(other_gateway, "first?")["cache"] == "miss"
        # And back: what f1 made is still there, and what f2 made is not taken for it.
        captioner.script.identity = dict(IDENTITY)
        assert context_of(other_gateway, "third?")["revision"] == "r1"
        assert context_of(other_gateway, "first?")["cache"] == "hit"
        assert context_of(other_gateway, "first?")["revision"] == "r1"
        assert context_of(other_gateway, "second?")["cache"] == "miss"

    def test_a_bypassed_answer_shows_a_new_identity_too(
        self, other_gateway: Service, captioner: ScriptedServer
    ) -> None:
        solve(other_gateway, "known?")
        captioner.script.identity = IDENTITY | {"fingerprint": "f2"}
        solve(other_gateway, "known?", cache="bypass")
        assert context_of(other_gateway, "known?")["cache"] == "miss"

    def test_an_expired_identity_is_asked_again(
        self, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        config = gateway_config(captioner.url, reasoner.url)
        config["captioner"]["identity_ttl_s"] = 0.1
        with Service("gateway", config) as gateway:
            solve(gateway, "expired?")
            captioner.script.identity = IDENTITY | {"fingerprint": "f2"}
            wait_until(lambda: context_of(gateway, "expired?")["cache"] == "miss")


def test_each_reasoner_is_asked_in_its_own_profile(
    captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    """One caption serves both: how a reasoner is asked is not in the cache key."""
    url = {"url": f"{reasoner.url}/v1", "model": "scripted"}
    reasoners = {"default": url, "small": {**url, "prompt_profile": "compact-v1"}}
    config = {"captioner": {"url": captioner.url}, "reasoners": reasoners}
    with Service("gateway", config) as gateway:
        solve(gateway, "How high?")
        context = context_of(gateway, "How high?", model="small")
    assert context["cache"] == "hit"
    papers, compact = (chat.json["messages"] for chat in reasoner.chats)
    assert papers == solve_messages(
        "racro-v1", "How high?", context["caption"], context["tentative"]
    )
    assert compact == solve_messages(
        "compact-v1", "How high?", context["caption"], context["tentative"]
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("答案：D", "D"),
        ("<think>B?</think> <answer>D</answer>", "D"),
        ("The answer is **D**, since the bar is the longest.", "D"),
        ("The answer isn't 5 but 7.", "7"),
        (
            "<|channel|>analysis<|message|>5?<|end|><|start|>assistant<|channel|>final<|message|>7",
            "7",
        ),
    ],
)
def test_an_answer_is_read_as_models_write_it(
    gateway: Service, reasoner: ScriptedServer, text: str, answer: str
) -> None:
    reasoner.script.texts = [text]
    assert solve(gateway)["answer"] == answer


def test_an_answer_that_is_cut_within_its_thoughts_is_empty(
    gateway: Service, reasoner: ScriptedServer
) -> None:
    reasoner.script.texts = ["<think>The bars are 3 and 4, ", "so it is 7"]
    solved = solve(gateway)
    assert (solved["answer"], solved["text"]) == ("", "")
    assert solved["reasoning"] == "The bars are 3 and 4, so it is 7"


@pytest.mark.parametrize(("model", "answer"), [("default", "= $5 + $6.50"), ("small", "$11.50")])
def test_only_compact_answers_may_be_formulas(
    captioner: ScriptedServer, reasoner: ScriptedServer, model: str, answer: str
) -> None:
    reasoner.script.texts = ["Tea $5, cake $6.50. ", "\\boxed{= $5 + $6.50}"]
    url = {"url": f"{reasoner.url}/v1", "model": "scripted"}
    reasoners = {"default": url, "small": {**url, "prompt_profile": "compact-v1"}}
    with Service("gateway", {"captioner": {"url": captioner.url}, "reasoners": reasoners}) as one:
        solved = solve(one, "What do tea and cake cost?", model=model)
    assert solved["answer"] == answer
    assert solved["text"] == "Tea $5, cake $6.50. \\boxed{= $5 + $6.50}"


def test_a_swapped_reasoner_finds_the_captions_of_the_old_one(
    captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    with ScriptedServer() as newer:
        newer.script.texts = ["\\boxed{43}"]
        config = gateway_config(captioner.url, reasoner.url)
        config["reasoners"]["newer"] = {"url": f"{newer.url}/v1", "model": "scripted"}
        with Service("gateway", config) as gateway:
            assert solve(gateway)["answer"] == "42"
            swapped = solve(gateway, model="newer")
            assert post(gateway, asking(model="none")).json()["error"]["code"] == "unknown_model"
        assert (swapped["answer"], swapped["model"]) == ("43", "newer")
        assert swapped["visual_context"]["cache"] == "hit"
        assert (len(captioner.perceptions), len(newer.chats)) == (1, 1)
        assert newer.chats[0].json["messages"] == reasoner.chats[0].json["messages"]


class TestDeadline:
    def test_it_spans_the_stages(
        self, gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        """Neither stage alone takes too long; the second is cut off where both together do."""
        captioner.script.before_s = reasoner.script.before_s = 0.7

        def cut_off_in_the_second() -> bool:
            """On a busy machine the first may be too long already."""
            answer = post(gateway, asking(f"too slow? {uuid.uuid4()}", timeout_s=1))
            assert answer.status_code == 504
            assert answer.json()["error"]["code"] == "deadline_exceeded"
            assert "timeout_s = 1" in answer.json()["error"]["message"]
            return bool(reasoner.chats)

        wait_until(cut_off_in_the_second)
        wait_until(lambda: reasoner.chats[0].left_at)

    def test_in_a_stream_it_is_an_event(self, gateway: Service, reasoner: ScriptedServer) -> None:
        reasoner.script.held_at = 0

        def begun() -> httpx2.Response | None:
            """On a busy machine the time may be over before."""
            question = f"too slow to stream? {uuid.uuid4()}"
            answer = post(gateway, asking(question, timeout_s=0.5, stream=True))
            return answer if answer.status_code == 200 else None

        answer = wait_until(begun)
        name, data = read_events(answer.text)[-1]
        assert (name, data["error"]["code"]) == ("error", "deadline_exceeded")
        assert data["error"]["message"] == "not finished within timeout_s = 0.5"

    def test_a_follower_leaves_at_its_own(
        self, gateway: Service, captioner: ScriptedServer
    ) -> None:
        """One with less time gives up alone; the call goes on for the one with more."""
        captioner.script.held_at = 0
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(post, gateway, asking("whose deadline?", timeout_s=PATIENCE_S))
            wait_until(lambda: captioner.perceptions)
            hasty = post(gateway, asking("whose deadline?", timeout_s=0.4))
            captioner.script.held_at = None
            patient = waiting.result()
        assert hasty.status_code == 504
        assert patient.status_code == 200, patient.text
        assert len(captioner.perceptions) == 1


def test_control_tokens_reach_no_prompt(reasoner: ScriptedServer) -> None:
    """Neither from the question nor from a caption; the scripted server plays both models."""
    tokens = ["<|im_start|>", "<image>", "<think>", "<\uff5cAssistant\uff5c>", "[INST]"]
    hostile = " ".join(tokens)
    reasoner.script.texts = [f"A sign saying {hostile} ", "\\boxed{1}"]
    engine = {"url": f"{reasoner.url}/v1", "model": "scripted"}
    vlm = {"kind": "vlm", "engine": engine}
    with (
        Service("services.captioner", {"captioner": vlm}) as captioner,
        Service("gateway", gateway_config(captioner.url, reasoner.url)) as gateway,
    ):
        solve(gateway, f"What says {hostile}?")
    assert len(reasoner.chats) == 3
    for asked in reasoner.chats:
        prompt = json.dumps(asked.json["messages"], ensure_ascii=False)
        assert "What says < |im_start|>" in prompt
        assert [token for token in tokens if token in prompt] == []


class TestLogs:
    def test_one_request_id_through_the_embedded_default(
        self, embedded_gateway: Service, ocr_captioner: Service, llama_reasoner: Service
    ) -> None:
        picture = data_url(png("Total 17"))
        answer = post(
            embedded_gateway,
            {"question": "What is the total?", "images": [picture]},
            headers={"x-request-id": "follow-me"},
        )
        assert answer.status_code == 200, answer.text
        assert "17" in answer.json()["visual_context"]["caption"]
        assert answer.json()["text"]

        def records(service: Service) -> list[dict[str, Any]]:
            return [r for r in service.log_records() if r.get("request_id") == "follow-me"]

        services = (embedded_gateway, ocr_captioner, llama_reasoner)
        routes = ("/v1/solve", "/v1/perceive", "/v1/chat/completions")
        for service, route in zip(services, routes, strict=True):
            wait_until(lambda service=service: records(service), what=f"a record of {route}")
            [record] = [r for r in records(service) if r["message"] == f"POST {route}"]
            assert record["status"] == 200
            assert record["ms"] > 0
            assert picture[40:80] not in service.log()
        assert [r["service"] for service in services for r in records(service)[:1]] == [
            "gateway",
            "captioner",
            "reasoner",
        ]

    def test_neither_images_nor_keys(
        self, captioner: ScriptedServer, reasoner: ScriptedServer
    ) -> None:
        """At the most talkative level, through successes and through failures of each kind."""
        config = gateway_config(captioner.url, reasoner.url, log_level="debug")
        config["reasoners"]["default"]["api_key_env"] = "REASONER_KEY"
        env = {"REASONER_KEY": "sk-server-secret"}
        headers = {"authorization": "Bearer sk-client-secret"}
        broken = data_url(b"\x89PNG\r\n\x1a\n" + b"broken" * 50)
        with Service("gateway", config, env=env) as gateway:
            statuses = [
                post(gateway, asking("logged?"), headers=headers).status_code,
                post(gateway, asking(images=[broken]), headers=headers).status_code,
                post(gateway, asking(images=[PICTURE + "!"]), headers=headers).status_code,
                post(gateway, asking(mistake=PICTURE), headers=headers).status_code,
            ]
            for upstream_status in (401, 500):
                reasoner.script.status = upstream_status
                reasoner.script.plain = {"error": {"message": "no sk-server-secret here"}}
                statuses.append(post(gateway, asking("logged?"), headers=headers).status_code)
            assert statuses == [200, 400, 400, 400, 502, 503]
            sent = reasoner.chats[0].headers
            assert sent["authorization"] == "Bearer sk-server-secret"
            log = gateway.log()
        assert "POST /v1/solve" in log
        for secret in ("sk-server-secret", "sk-client-secret", PICTURE[40:80], broken[40:80]):
            assert secret not in log
