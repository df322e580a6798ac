"""The vLLM engine's parts that need no vLLM; tests/vllm runs the whole."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from racro.base.wrong_settings import WrongSettingsError
from racro.contracts.errors import UpstreamUnavailable
from racro.engines.silence import SilenceWatch
from racro.engines.supervisor import Retry
from racro.engines.vllm import VllmEngine, VllmSettings
from racro.engines.vllm.diagnosis import diagnose
from racro.engines.vllm.revision import revision_of
from racro.engines.vllm.settings import serve_command
from racro.engines.vllm.vitals import Vitals
from racro.engines.vllm.watch import Watch
from racro.servekit.health import Problem
from support.clock import JumpingLoop

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"


def settings(**more) -> VllmSettings:
    return VllmSettings.model_validate({"kind": "vllm", "model": MODEL, **more})


def command(**more) -> list[str]:
    return serve_command(settings(**more), served_name="eyes", port=9000)


def value_of(flag: str, line: list[str]) -> str:
    return line[line.index(flag) + 1]


def write_config(adapter: Path, **more: Any) -> None:
    config = {"base_model_name_or_path": MODEL, **more}
    (adapter / "adapter_config.json").write_text(json.dumps(config))


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    write_config(tmp_path, r=16)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    return tmp_path


class TestCommand:
    def test_it_listens_on_loopback_under_our_name(self) -> None:
        line = command()
        assert line[:3] == ["vllm", "serve", MODEL]
        assert value_of("--host", line) == "127.0.0.1"
        assert value_of("--port", line) == "9000"
        assert value_of("--served-model-name", line) == "eyes"

    def test_settings_become_flags(self) -> None:
        line = command(
            context_tokens=32768, tensor_parallel=2, reasoning_parser="qwen3", prefix_caching=False
        )
        assert value_of("--max-model-len", line) == "32768"
        assert value_of("--tensor-parallel-size", line) == "2"
        assert value_of("--reasoning-parser", line) == "qwen3"
        assert "--no-enable-prefix-caching" in line

    def test_what_is_unset_is_left_to_vllm(self) -> None:
        line = command()
        unset = {"--max-model-len", "--revision", "--quantization", "--limit-mm-per-prompt"}
        assert unset.isdisjoint(line)

    def test_images_are_limited_and_other_media_shut_out(self) -> None:
        limits = json.loads(value_of("--limit-mm-per-prompt", command(images_per_prompt=2)))
        assert limits == {"image": 2, "video": 0, "audio": 0}

    def test_the_operators_own_arguments_come_last(self) -> None:
        assert command(arguments=["--seed", "1"])[-2:] == ["--seed", "1"]

    def test_an_image_has_as_many_pixels_as_the_captioner_sends(self) -> None:
        bounds = {"min_pixels": 3136, "max_pixels": 2352000}
        bounded = settings(arguments=["--seed", "1"]).with_image_bounds(bounds)
        line = serve_command(bounded, served_name="eyes", port=9000)
        assert json.loads(value_of("--mm-processor-kwargs", line)) == bounds
        assert line[-2:] == ["--seed", "1"]

    @pytest.mark.parametrize(
        "own",
        [["--mm-processor-kwargs", '{"max_pixels": 784}'], ["--mm-processor-kwargs={}"]],
    )
    def test_the_operators_own_bounds_stay(self, own: list[str]) -> None:
        ours = settings(arguments=own)
        assert ours.with_image_bounds({"max_pixels": 2352000}) == ours

    def test_without_bounds_the_models_own_hold(self) -> None:
        assert settings().with_image_bounds({}) == settings()

    def test_an_adapter_takes_the_models_name(self, adapter: Path) -> None:
        line = command(adapter_path=adapter)
        assert value_of("--lora-modules", line) == f"eyes={adapter}"
        assert value_of("--max-lora-rank", line) == "16"
        assert value_of("--served-model-name", line) != "eyes"

    @pytest.mark.parametrize(
        ("ranks", "room"),
        [({"r": 1}, "1"), ({"r": 12}, "16"), ({"r": 8, "rank_pattern": {"q_proj": 48}}, "64")],
    )
    def test_room_for_an_adapters_rank_is_one_that_vllm_knows(
        self, adapter: Path, ranks: dict[str, Any], room: str
    ) -> None:
        write_config(adapter, **ranks)
        assert value_of("--max-lora-rank", command(adapter_path=adapter)) == room


class TestWrongSettings:
    def test_a_folder_that_is_not_there(self) -> None:
        with pytest.raises(WrongSettingsError, match=r"^model: no folder there"):
            VllmEngine(settings(model="/no/where"), served_name="m")

    def test_a_folder_without_an_adapter(self, tmp_path: Path) -> None:
        with pytest.raises(
            WrongSettingsError, match=r"^adapter_path: no LoRA adapter \(PEFT\) there"
        ):
            VllmEngine(settings(adapter_path=tmp_path), served_name="m")

    @pytest.mark.parametrize(
        ("config", "problem"),
        [({"r": None}, "no LoRA adapter"), ({"r": 1024}, "of rank 1024, vLLM takes 512 at most")],
    )
    def test_an_adapter_of_no_possible_rank(
        self, adapter: Path, config: dict[str, Any], problem: str
    ) -> None:
        write_config(adapter, **config)
        with pytest.raises(WrongSettingsError, match=problem):
            VllmEngine(settings(adapter_path=adapter), served_name="m")

    @pytest.mark.parametrize("flag", ["--api-key", "--api_key", "--api-key=mine", "--api-k"])
    def test_a_key_of_the_operators_own(self, flag: str) -> None:
        """It would not be the one that the engine is asked with."""
        with pytest.raises(ValidationError, match="--api-key cannot be set"):
            settings(arguments=["--seed", "1", flag, "mine"])

    def test_a_flag_that_only_begins_alike(self) -> None:
        assert "--api-server-count" in command(arguments=["--api-server-count", "2"])

    def test_an_adapter_of_another_model(self, adapter: Path) -> None:
        with pytest.raises(WrongSettingsError, match=f"made for {MODEL}, not for other/model"):
            VllmEngine(settings(model="other/model", adapter_path=adapter), served_name="m")


@pytest.mark.parametrize(
    ("line", "problem", "retry"),
    [
        (
            "vllm: error: unrecognized arguments: --no-such-flag 1",
            "wrong settings of vLLM: unrecognized arguments: --no-such-flag 1",
            Retry.NEVER,
        ),
        (
            "(EngineCore pid=7) ValueError: No available memory for the cache blocks. Try",
            "too little memory: No available memory for the cache blocks",
            Retry.SOON,
        ),
        (
            "ValueError: Free memory on device cuda:0 (3.1/79.1 GiB) on startup is less than "
            "desired GPU memory utilization (0.9, 71.2 GiB). Decrease",
            "too little memory: Free memory on device",
            Retry.SOON,
        ),
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried",
            "too little memory: CUDA",
            Retry.SOON,
        ),
        (
            "OSError: some/model is not a local folder and is not a valid model identifier listed",
            "there is no such model",
            Retry.SLOWLY,
        ),
        (
            "OSError: /models/m does not appear to have a file named config.json. Checkout",
            "the model is not complete, without: config.json",
            Retry.SLOWLY,
        ),
    ],
)
def test_why_it_did_not_start(line: str, problem: str, retry: Retry) -> None:
    cause = diagnose(line)
    assert cause is not None
    assert cause.problem.startswith(problem)
    assert cause.retry is retry


@pytest.mark.parametrize(
    "line",
    [
        "INFO 11-23 [gpu_worker.py:760] Available KV cache memory: 31.2 GiB",
        "OSError: We couldn't connect to the hub to load the files, and couldn't find them",
    ],
)
def test_what_tells_nothing_lasting_is_no_cause(line: str) -> None:
    assert diagnose(line) is None


def revision(**more) -> str | None:
    return revision_of(settings(**more))


class TestRevision:
    def test_a_digest_of_the_weights_and_of_the_adapter(
        self, adapter: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "model.safetensors").write_bytes(b"weights")
        base = revision(model=str(tmp_path))
        assert revision(model=str(tmp_path)) == base
        both = revision(model=str(tmp_path), adapter_path=adapter)
        assert both is not None
        assert both.startswith(f"{base}+")

    @pytest.mark.parametrize(
        "name", ["model.safetensors", "pytorch_model.bin", "tokenizer.model", "chat_template.jinja"]
    )
    def test_of_every_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "config.json").write_text("{}")
        (tmp_path / name).write_bytes(b"one")
        before = revision(model=str(tmp_path))
        (tmp_path / name).write_bytes(b"two")
        assert revision(model=str(tmp_path)) != before

    def test_the_hubs_commit(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        assert revision(revision="0123456789abcdef" * 2 + "01234567") == "0123456789abcdef"
        assert revision() is None
        refs = tmp_path / "models--Qwen--Qwen2.5-VL-7B-Instruct" / "refs"
        refs.mkdir(parents=True)
        (refs / "main").write_text("fedcba9876543210fedc")
        assert revision() == "fedcba9876543210"


METRICS = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 2.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
# TYPE vllm:engine_sleep_state gauge
vllm:engine_sleep_state{engine="0",model_name="m",sleep_state="awake"} %d
vllm:engine_sleep_state{engine="0",model_name="m",sleep_state="discard_all"} 0.0
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="m"} 100.0
vllm:prompt_tokens_total{engine="1",model_name="m"} 10.0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="m"} 5.0
# TYPE python_gc_objects_collected_total counter
python_gc_objects_collected_total{generation="0"} 9.0
"""


class TestVitals:
    def test_work_is_the_tokens_of_all_copies_and_what_the_cache_holds(self) -> None:
        assert Vitals.read(METRICS % 1).work == (115, 0.25)

    def test_asleep(self) -> None:
        assert not Vitals.read(METRICS % 1).asleep
        assert Vitals.read(METRICS % 0).asleep

    def test_only_the_engines_own_are_relayed(self) -> None:
        names = {family.name for family in Vitals.read(METRICS % 1).relayed}
        assert "vllm:num_requests_running" in names
        assert not any(name.startswith("python") for name in names)


class Engine:
    """What the watch sees of an engine."""

    def __init__(self) -> None:
        self.silent = False
        self.asleep = False
        self.cached = 0.25
        self.answers = True
        self.asked = 0

    def is_running(self) -> bool:
        return True

    async def vitals(self) -> Vitals:
        if self.silent:
            raise UpstreamUnavailable("the engine did not answer in time")
        return Vitals.read((METRICS % (0 if self.asleep else 1)).replace("0.25", str(self.cached)))

    async def make_a_token(self) -> None:
        self.asked += 1
        while not self.answers:
            await asyncio.sleep(1)


async def until(condition) -> None:
    while not condition():
        await asyncio.sleep(0.1)


class TestWatch:
    """As a supervisor asks; by a clock that jumps."""

    def watching(self, engine: Engine, story, *, limit_s: float | None = None) -> None:
        async def run() -> None:
            watch = Watch(engine, stalled_after_s=60)
            silence = SilenceWatch(watch, limit_s=limit_s)
            watching = asyncio.create_task(silence.until_limit(0))
            try:
                await story(watch, silence, watching)
            finally:
                watching.cancel()

        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(run())

    def test_an_idle_engine_is_asked_for_a_token_and_is_fine(self) -> None:
        engine = Engine()

        async def story(watch: Watch, silence: SilenceWatch, _) -> None:
            await until(lambda: engine.asked >= 3)
            assert (watch.problem, silence.seconds) == (None, 0)

        self.watching(engine, story)

    def test_one_that_makes_no_token_is_stalled_until_it_does(self) -> None:
        engine = Engine()
        engine.answers = False

        async def story(_, silence: SilenceWatch, __) -> None:
            await until(lambda: silence.is_told)
            assert silence.told == "the engine is stalled: no token for 60 s"
            engine.answers = True
            await until(lambda: not silence.is_told)

        self.watching(engine, story)

    def test_one_whose_server_hangs_is_told_sooner(self) -> None:
        engine = Engine()

        async def story(_, silence: SilenceWatch, __) -> None:
            await asyncio.sleep(5)
            engine.silent = True
            await until(lambda: silence.is_told)
            assert silence.told == "the engine has not answered for 10 s"

        self.watching(engine, story)

    def test_it_hangs_once_the_limit_is_over(self) -> None:
        engine = Engine()
        engine.answers = False

        async def story(_, silence: SilenceWatch, watching) -> None:
            await watching
            assert 120 <= silence.seconds < 122

        self.watching(engine, story, limit_s=120)

    def test_one_that_reads_a_long_prompt_is_fine(self) -> None:
        """No token is counted until all of it is read, and the test prompt waits."""
        engine = Engine()
        engine.answers = False

        async def story(_, silence: SilenceWatch, watching) -> None:
            for chunk in range(100):
                engine.cached = chunk / 100
                await asyncio.sleep(20)
                assert not silence.is_told
            assert not watching.done()

        self.watching(engine, story, limit_s=120)

    def test_one_that_sleeps(self) -> None:
        engine = Engine()
        engine.asleep = True

        async def story(watch: Watch, silence: SilenceWatch, _) -> None:
            await until(lambda: watch.problem == Problem("the engine is asleep"))
            await asyncio.sleep(600)
            assert (engine.asked, silence.seconds) == (0, 0)
            engine.asleep = False
            await until(lambda: watch.problem is None)

        self.watching(engine, story)

    def test_one_that_is_put_to_sleep_while_a_token_is_waited_for(self) -> None:
        """Asleep it makes none, and must not be restarted for it."""
        engine = Engine()
        engine.answers = False

        async def story(watch: Watch, silence: SilenceWatch, watching) -> None:
            await until(lambda: engine.asked == 1)
            engine.asleep = True
            await until(lambda: watch.problem == Problem("the engine is asleep"))
            await asyncio.sleep(600)
            assert (engine.asked, silence.seconds, watching.done()) == (1, 0, False)

        self.watching(engine, story, limit_s=120)

    def test_prometheus_is_told_what_the_engine_told(self) -> None:
        async def story(watch: Watch, _, __) -> None:
            await until(lambda: [*watch.collect()])
            assert "vllm:num_requests_running" in {family.name for family in watch.collect()}

        self.watching(Engine(), story)
