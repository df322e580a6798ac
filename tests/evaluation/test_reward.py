"""The reward against a reasoner over HTTP: what it asks, what it gives, what it puts up with."""

import asyncio
import json
import logging
import subprocess
import sys

import pytest

from racro.contracts.prompts import reward_messages
from racro.cro.captioned import Captioned
from racro.cro.reasoner_errors import ReasonerRefused
from racro.cro.reward import Reward
from racro.cro.settings import RewardSettings
from racro.cro.trl import reward_function
from racro.cro.verl import CONFIG_VARIABLE, NoReward, compute_score, opened_reward
from support.processes import PATIENCE_S, free_port, wait_until
from support.scripted import Script, ScriptedServer

RIGHT = Script(texts=["<think>3, 4</think>", "It is \\boxed{5}."])
WRONG = Script(texts=["It is \\boxed{6}."])


def settings(*urls: str, **more) -> RewardSettings:
    return RewardSettings.model_validate({"urls": urls, "model": "r1", **more})


def of(server: ScriptedServer, **more) -> RewardSettings:
    return settings(f"{server.url}/v1", **more)


def row(caption: str = "A triangle.", answer: str = "5", identifier: str = "1") -> Captioned:
    return Captioned(identifier, "Find x.", caption, answer)


def in_turn(*scripts: Script):
    """The first request gets the first script, and so on, round and round."""
    served = iter(range(1000))
    return lambda _: scripts[next(served) % len(scripts)]


async def rewards(asked: RewardSettings, *rows: Captioned) -> list[float | None]:
    async with Reward(asked) as reward:
        return await reward(rows or [row()])


async def test_a_caption_is_worth_the_share_of_right_rollouts(reasoner) -> None:
    reasoner.script.respond = in_turn(RIGHT, WRONG, RIGHT, RIGHT)
    assert await rewards(of(reasoner, rollouts=4)) == [0.75]


async def test_each_caption_has_its_reward_in_its_place(reasoner) -> None:
    reasoner.script.respond = lambda body: RIGHT if "good" in str(body) else WRONG
    rows = [row(caption) for caption in ("good", "bad", "bad", "good")]
    assert await rewards(of(reasoner), *rows) == [1, 0, 0, 1]


async def test_the_reasoner_is_asked_the_prompt_with_the_sampling(reasoner, monkeypatch) -> None:
    monkeypatch.setenv("REASONER_KEY", "k1")
    sampling = {"temperature": 1, "max_tokens": 16, "seed": 7}
    await rewards(of(reasoner, rollouts=2, sampling=sampling, api_key_env="REASONER_KEY"))
    first, second = sorted((asked.json for asked in reasoner.chats), key=lambda body: body["seed"])
    assert first == {
        "model": "r1",
        "messages": reward_messages("racro-v1", "Find x.", "A triangle."),
        "temperature": 1,
        "top_p": 0.95,
        "max_tokens": 16,
        "seed": 7,
    }
    assert second == {**first, "seed": 8}
    assert {asked.headers["authorization"] for asked in reasoner.chats} == {"Bearer k1"}


async def test_what_a_server_refuses_is_not_sent(reasoner) -> None:
    sampling = {"temperature": "null", "top_p": "null"}
    settings = {"sampling": sampling, "max_tokens_field": "max_completion_tokens"}
    await rewards(of(reasoner, **settings))
    [asked] = reasoner.chats
    assert asked.json.keys() == {"model", "messages", "max_completion_tokens"}


async def test_a_small_reasoner_s_formula_is_worked_out(reasoner) -> None:
    reasoner.script.texts = ["\\boxed{= 2 + 3}"]
    assert await rewards(of(reasoner, prompt_profile="compact-v1")) == [1]
    assert await rewards(of(reasoner)) == [0]


async def test_an_answer_cut_off_while_thinking_is_wrong(reasoner) -> None:
    message = {"role": "assistant", "content": None, "reasoning_content": "It is 5"}
    reasoner.script.plain = {"choices": [{"message": message, "finish_reason": "length"}]}
    assert await rewards(of(reasoner)) == [0]


async def test_so_is_one_whose_thoughts_are_in_its_text(reasoner) -> None:
    reasoner.script.texts = ["<think>The answer is 5"]
    assert await rewards(of(reasoner)) == [0]


async def test_an_answer_is_read_as_models_write_it(reasoner) -> None:
    reasoner.script.texts = ["<think>3?</think>答案不是3，而是5。"]
    assert await rewards(of(reasoner)) == [1]


async def test_terms_are_taken_off_by_their_weights(reasoner) -> None:
    reasoner.script = RIGHT
    weights = {"leak": 0.5, "length": 0.25, "length_limit": 20, "format": 2}
    rows = [row("A triangle."), row("The answer is 5."), row("x" * 30), row("")]
    assert await rewards(of(reasoner, terms=weights), *rows) == [1, 0.5, 0.875, -1]


async def test_a_term_without_weight_is_measured_all_the_same(reasoner) -> None:
    reasoner.script = RIGHT
    async with Reward(of(reasoner)) as reward:
        [score] = await reward.scores([row("The answer is 5.")])
    assert (score.reward, score.terms) == (1, {"leak": -1, "length": 0, "format": 0})


async def test_a_failing_reasoner_gives_no_reward_and_no_zero(reasoner) -> None:
    reasoner.script.respond = lambda body: Script(status=500) if "bad" in str(body) else RIGHT
    async with Reward(of(reasoner, attempts=2)) as reward:
        assert await reward([row("bad"), row("good")]) == [None, 1]
    assert reward.stats.retries == 1
    assert len(reasoner.chats) == 3


async def test_a_try_that_failed_is_made_again(reasoner) -> None:
    reasoner.script.respond = in_turn(Script(status=500), RIGHT)
    assert await rewards(of(reasoner)) == [1]


@pytest.mark.parametrize(("came", "expected"), [(2, [0.5]), (1, [None])])
async def test_half_of_the_rollouts_are_enough(reasoner, came, expected) -> None:
    scripts = [RIGHT, WRONG][:came] + [Script(status=500)] * (4 - came)
    reasoner.script.respond = in_turn(*scripts)
    assert await rewards(of(reasoner, rollouts=4, attempts=1)) == expected


async def test_an_expected_answer_that_cannot_be_graded_gives_no_reward(reasoner) -> None:
    async with Reward(of(reasoner, rollouts=2)) as reward:
        [score] = await reward.scores([row(answer="")])
    assert score.reward is None
    assert "expected answer" in score.left_out


async def test_a_deadline_ends_a_rollout_that_takes_too_long(reasoner) -> None:
    reasoner.script.held_at = 0
    assert await rewards(of(reasoner, deadline_s=1)) == [None]
    wait_until(lambda: reasoner.chats[0].left_at, what="hanging up on the reasoner")


@pytest.mark.clock("standing")
async def test_standing_in_line_is_not_held_against_a_rollout(reasoner) -> None:
    clock = asyncio.get_running_loop()

    def respond(_: object) -> Script:
        clock.call_soon_threadsafe(clock.advance, 0.3)
        return RIGHT

    reasoner.script.respond = respond
    rows = [row()] * 8
    assert await rewards(of(reasoner, concurrency=1, deadline_s=1), *rows) == [1] * 8


async def test_a_busy_reasoner_is_asked_again_when_it_said(reasoner) -> None:
    busy = Script(status=429, headers={"retry-after": "1"})
    reasoner.script.respond = in_turn(busy, RIGHT)
    assert await rewards(of(reasoner, attempts=1)) == [1]
    first, second = reasoner.chats
    assert second.began - first.began >= 1


async def test_who_says_to_come_back_too_late_is_not_waited_for(reasoner) -> None:
    reasoner.script = Script(status=503, headers={"retry-after": "3600"})
    assert await rewards(of(reasoner, patience_s=60)) == [None]
    assert len(reasoner.chats) == 1


async def test_a_reasoner_that_is_down_is_waited_for_and_training_goes_on(caplog) -> None:
    caplog.set_level(logging.WARNING, "racro.cro")
    port = free_port()
    async with Reward(settings(f"http://127.0.0.1:{port}/v1", attempts=1)) as reward:
        given = asyncio.create_task(reward([row(), row()]))
        while reward.stats.retries < 3:
            await asyncio.sleep(0.01)
        with ScriptedServer(port=port) as server:
            server.script = RIGHT
            assert await given == [1, 1]
    waiting, back = caplog.messages
    assert "waiting for the reasoner, up to 900 s" in waiting
    assert back == "the reasoner is back"


async def test_patience_ends() -> None:
    nobody = settings(f"http://127.0.0.1:{free_port()}/v1", patience_s=0.3)
    assert await rewards(nobody) == [None]


async def test_another_copy_is_asked_where_one_is_down(reasoner) -> None:
    reasoner.script = RIGHT
    copies = settings(f"http://127.0.0.1:{free_port()}/v1", f"{reasoner.url}/v1")
    assert await rewards(copies, *[row()] * 8) == [1] * 8


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (Script(status=401), "401.*api_key_env"),
        (Script(status=404, plain={"error": "no model r1"}), "404.*no model r1.*ends in /v1"),
        (Script(status=400, plain={"error": "max_tokens"}), "400.*max_tokens"),
        (Script(plain={"hello": 1}), "something else than a chat completion"),
    ],
    ids=["401", "404", "400", "another API"],
)
async def test_what_waiting_does_not_mend_is_raised_at_once(reasoner, script, said) -> None:
    reasoner.script = script
    with pytest.raises(ReasonerRefused, match=said):
        await rewards(of(reasoner, rollouts=2), row(), row())


async def test_a_prompt_that_is_refused_where_others_were_answered_is_left_out(reasoner) -> None:
    too_long = Script(status=400, plain={"error": "maximum context length"})
    reasoner.script.respond = lambda body: too_long if "long" in str(body) else RIGHT
    async with Reward(of(reasoner)) as reward:
        assert await reward([row()]) == [1]
        assert await reward([row("long"), row()]) == [None, 1]


async def test_one_refused_prompt_stops_nothing_though_the_others_take_longer(reasoner) -> None:
    too_long = Script(status=400, plain={"error": "maximum context length"})
    slow = Script(texts=RIGHT.texts, before_s=0.3)
    reasoner.script.respond = lambda body: too_long if "long" in str(body) else slow
    assert await rewards(of(reasoner), row("long"), row()) == [None, 1]


async def test_no_more_requests_at_a_time_than_set(reasoner) -> None:
    at_a_time = []

    def respond(_):
        at_a_time.append(sum(not asked.finished for asked in reasoner.chats))
        return Script(texts=RIGHT.texts, before_s=0.02)

    reasoner.script.respond = respond
    assert await rewards(of(reasoner, concurrency=3, rollouts=2), *[row()] * 10) == [1] * 10
    assert max(at_a_time) == 3


async def test_each_rollout_is_a_line_of_the_log(reasoner, tmp_path) -> None:
    reasoner.script.respond = in_turn(RIGHT, WRONG)
    log = tmp_path / "rollouts.jsonl"
    log.write_text('{"of": "an earlier run"}\n')
    await rewards(of(reasoner, rollouts=2, log=log), row("A triangle.\nNo more."))
    _, *lines = map(json.loads, log.read_text().splitlines())
    assert sorted((line["answer"], line["right"]) for line in lines) == [("5", True), ("6", False)]
    assert {line["caption"] for line in lines} == {"A triangle.\nNo more."}
    assert set(lines[0]) == {
        "id", "caption", "text", "answer", "right", "finish_reason", "seconds",
    }  # fmt: skip


async def test_a_log_that_cannot_be_written_is_an_error(reasoner, tmp_path) -> None:
    with pytest.raises(OSError, match="none"):
        await rewards(of(reasoner, log=tmp_path / "none" / "rollouts.jsonl"))


async def test_trl_gives_columns_and_gets_a_list(reasoner) -> None:
    reasoner.script.respond = lambda body: Script(texts=["(B)"]) if "Options" in str(body) else None
    reasoner.script.texts = RIGHT.texts
    metrics = {}
    async with Reward(of(reasoner)) as reward:
        given = await reward_function(reward)(
            prompts=["p", "p", "p"],
            completions=["The answer is 5.", [{"role": "assistant", "content": "A bar."}], "c"],
            completion_ids=[[1], [2], [3]],
            question=["Find x.", "Which?\nOptions:\nA. 1\nB. 2", "Find x."],
            answer=["5", "B", ""],
            options=[None, {"A": "1", "B": "2", "C": None}, None],
            log_metric=metrics.__setitem__,
            trainer_state=None,
        )
    assert given == [1, 1, None]
    assert metrics == {
        "cro/left_out": pytest.approx(1 / 3),
        "cro/accuracy": 1,
        "cro/leak": -0.5,
        "cro/length": 0,
        "cro/format": 0,
        "cro/retries": 0,
    }


@pytest.fixture
async def verl_config(reasoner, tmp_path, monkeypatch):
    path = tmp_path / "cro.toml"
    path.write_text(f'[reward]\nurls = ["{reasoner.url}/v1"]\nmodel = "r1"\nattempts = 1\n')
    monkeypatch.setenv(CONFIG_VARIABLE, str(path))
    yield
    await (await opened_reward()).aclose()


def verl_row(answer: str) -> dict:
    extra_info = {"question": "Find x.", "index": 3, "split": "train", "num_turns": 2}
    return {
        "data_source": "virl39k",
        "solution_str": "A triangle.",
        "ground_truth": answer,
        "extra_info": extra_info,
    }


@pytest.mark.usefixtures("verl_config")
async def test_verl_gets_a_score_and_its_parts(reasoner) -> None:
    reasoner.script = RIGHT
    scores = await asyncio.gather(*(compute_score(**verl_row(answer)) for answer in ("5", "6")))
    assert scores == [
        {"score": accuracy, "acc": accuracy, "leak": 0, "length": 0, "format": 0}
        for accuracy in (1, 0)
    ]


@pytest.mark.usefixtures("verl_config")
async def test_verl_is_stopped_rather_than_given_a_zero(reasoner) -> None:
    reasoner.script = Script(status=500)
    with pytest.raises(NoReward, match="virl39k/3: the reasoner failed"):
        await compute_score(**verl_row("5"))


def test_the_reward_needs_no_trainer() -> None:
    """It runs where verl's torch lives, and in processes that have none."""
    code = (
        "import sys, racro.cro.trl, racro.cro.verl;"
        "assert not {'torch', 'trl', 'verl', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)
