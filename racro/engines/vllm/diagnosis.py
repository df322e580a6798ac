"""Finds why `vllm serve` did not start in what it prints: tracebacks of three processes."""

import re

from racro.engines.supervisor import Cause

# What is wrong with the settings stays wrong; memory may become free.
_CAUSES = [
    (r"error: (?P<why>(?:unrecognized arguments|argument ).*)", "wrong settings of vLLM", True),
    (r"ValueError: Invalid repository ID or local directory", "there is no such model", True),
    (r"OSError: .* is not a local folder and is not a valid model identifier",
     "there is no such model", True),
    (r"OSError: .* does not appear to have a file named (?P<why>\S+)\.",
     "the model is not complete, without", True),
    (r"(?P<why>No available memory for the cache blocks)", "too little memory", False),
    (r"(?P<why>[^:]* is needed, which is larger than the available KV cache memory[^.]*)",
     "too little memory", False),
    (r"(?P<why>(?:Free|Available) memory on (?:device|node) .* is less than desired[^.]*)",
     "too little memory", False),
    (r"(?P<why>CUDA out of memory|not enough GPU memory)", "too little memory", False),
]  # fmt: skip
_PATTERNS = [(re.compile(pattern), problem, lasts) for pattern, problem, lasts in _CAUSES]


def diagnose(line: str) -> Cause | None:
    for pattern, problem, lasts in _PATTERNS:
        if match := pattern.search(line):
            why = match.groupdict().get("why")
            return Cause(f"{problem}: {why.strip()}" if why else problem, lasts=lasts)
    return None
