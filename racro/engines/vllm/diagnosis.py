"""Finds why `vllm serve` did not start in what it prints: tracebacks of three processes."""

import re

from racro.engines.supervisor import Cause, Retry

# What is wrong with the command line stays wrong for as long as this service runs. Memory becomes
# free; and a model that is not found, or not whole, may lie on a volume that is not mounted or not
# filled yet, or at a hub that is away or has not granted access.
_CAUSES = [
    (r"error: (?P<why>(?:unrecognized arguments|argument ).*)",
     "wrong settings of vLLM", Retry.NEVER),
    (r"ValueError: Invalid repository ID or local directory",
     "there is no such model", Retry.SLOWLY),
    (r"OSError: .* is not a local folder and is not a valid model identifier",
     "there is no such model", Retry.SLOWLY),
    (r"OSError: .* does not appear to have a file named (?P<why>\S+)\.",
     "the model is not complete, without", Retry.SLOWLY),
    (r"(?P<why>No available memory for the cache blocks)", "too little memory", Retry.SOON),
    (r"(?P<why>[^:]* is needed, which is larger than the available KV cache memory[^.]*)",
     "too little memory", Retry.SOON),
    (r"(?P<why>(?:Free|Available) memory on (?:device|node) .* is less than desired[^.]*)",
     "too little memory", Retry.SOON),
    (r"(?P<why>CUDA out of memory|not enough GPU memory)", "too little memory", Retry.SOON),
]  # fmt: skip
_PATTERNS = [(re.compile(pattern), problem, retry) for pattern, problem, retry in _CAUSES]


def diagnose(line: str) -> Cause | None:
    for pattern, problem, retry in _PATTERNS:
        if match := pattern.search(line):
            why = match.groupdict().get("why")
            return Cause(f"{problem}: {why.strip()}" if why else problem, retry)
    return None
