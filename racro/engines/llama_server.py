"""The child process of the llama engine: xllamacpp's own HTTP server, on loopback.

python -m racro.engines.llama_server '{"supervisor_pid": 1, "model": "….gguf", "port": 9000, …}'
"""

import json
import os
import signal
import sys
from typing import Any

import xllamacpp

from racro.engines.guard import die_with_parent

# With prompt batches this small a departed client stops its prompt within 0.4 s on one core; with
# 64 tokens it took up to 1.8 s, and the prompt was hardly faster.
_BATCH_TOKENS = 16
_WARNINGS = 2


def _serve(options: dict[str, Any]) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    if options["adapter"]:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(options["adapter"], 1.0)]
    params.model_alias = {options["alias"]}
    params.hostnames = ["127.0.0.1"]
    params.port = options["port"]
    params.n_ctx = options["n_ctx"]
    params.n_parallel = options["n_parallel"]
    params.kv_unified = True
    params.n_predict = options["n_predict"]
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options["threads"]
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = _WARNINGS
    server = xllamacpp.Server(params)
    print(f"listening on {server.listening_address}", flush=True)  # noqa: T201 - the parent reads it
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    # The server's threads do not end by themselves.
    os._exit(0)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    options = json.loads(sys.argv[1])
    die_with_parent(options["supervisor_pid"])
    _serve(options)
