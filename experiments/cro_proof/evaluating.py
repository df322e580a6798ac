"""Each captioner as it is served: its GGUF in the captioner service, a gateway, both reasoners."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast, Qwen2VLForConditionalGeneration

from experiments.recipes.captioner.export import export_captioner
from racro.cli.stack import Ports, Service, Stack
from racro.embedded.default import REASONER_SETTINGS

READER, SMOLLM2 = "reader", "smollm2"
LABELS = {READER: "reader (a program)", SMOLLM2: "SmolLM2-135M, adapter"}
_CAPTION_TOKENS = 128
# Two threads that loaded at once were both told that tied weights were missing.
_LOADING = threading.Lock()


@dataclass(frozen=True)
class Candidate:
    """A captioner by its label; without a checkpoint it is the OCR captioner. `asked`: how many of
    the problems, by reasoner.
    """

    name: str
    label: str
    checkpoint: Path | None
    asked: Mapping[str, int]

    def settings(self, folder: Path) -> dict[str, Any]:
        """Of the captioner service."""
        if self.checkpoint is None:
            return {}
        model, projector = folder / "captioner.gguf", folder / "projector.gguf"
        if not projector.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with _LOADING:
                tokenizer = PreTrainedTokenizerFast.from_pretrained(self.checkpoint)
                captioner = Qwen2VLForConditionalGeneration.from_pretrained(self.checkpoint)
            export_captioner(captioner, tokenizer, model, projector)
        engine = {
            "kind": "llama",
            "model": self.name,
            "model_path": str(model),
            "projector_path": str(projector),
        }
        return {"captioner": {"kind": "vlm", "engine": engine, "max_tokens": _CAPTION_TOKENS}}


def evaluate(candidate: Candidate, problems: Path, output: Path) -> None:
    """`racro eval run`, into OUTPUT/<name>-<reasoner>. What is answered is not asked again."""
    ports, smollm2_port = Ports.free(), Ports.free().reasoner
    services = [
        Service("captioner", "services.captioner", ports.captioner,
                candidate.settings(output / "models" / candidate.name)),
        Service("reader", "experiments.cro_proof.reader_server", ports.reasoner, {}),
        Service("smollm2", "services.reasoner", smollm2_port, {"model": SMOLLM2}),
        _gateway(ports, smollm2_port),
    ]  # fmt: skip
    stack = Stack(services)
    with stack.running(lambda _name, _seconds: None):
        for name, limit in candidate.asked.items():
            _run(stack.url, candidate, name, problems, limit, output)


def _gateway(ports: Ports, smollm2_port: int) -> Service:
    reasoners = {
        name: {**REASONER_SETTINGS, "url": f"http://127.0.0.1:{port}/v1", "model": name,
               "visual_budget_tokens": 4096}
        for name, port in ((READER, ports.reasoner), (SMOLLM2, smollm2_port))
    }  # fmt: skip
    config = {
        "captioner": {"url": f"http://127.0.0.1:{ports.captioner}"},
        "reasoners": reasoners,
    }
    return Service("gateway", "gateway", ports.gateway, config)


def _run(
    url: str, candidate: Candidate, reasoner: str, problems: Path, limit: int, output: Path
) -> None:
    command = [sys.executable, "-m", "racro.cli", "eval", "run", str(problems),
               "--gateway", url, "--model", reasoner, "--limit", str(limit),
               "--output", str(output / f"{candidate.name}-{reasoner}"),
               "--label-captioner", candidate.label,
               "--label-reasoner", LABELS[reasoner]]  # fmt: skip
    subprocess.run(command, check=True)
