"""The child process of the llama engine: xllamacpp's own HTTP server, on loopback.

LLAMA_API_KEY=… python -m racro.engines.llama_server '{"supervisor_pid": 1, "port": 9000, …}'
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
# An image is read to its end whatever the batch, so that small ones gain nothing; and models that
# look at all of an image at once (Gemma 3) need it in one batch, or llama.cpp shrinks it to that.
_BATCH_TOKENS_WITH_IMAGES = 512
_WARNINGS = 2
# Each request has one to its end. Those that there are from the start take a burst of requests, and
# /health beside it: while all are taken it waits for one to be free.
_HTTP_THREADS = 128


def _serve(options: dict[str, Any]) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    if adapter := options.get("adapter"):
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, 1.0)]
    projector = options.get("projector")
    if projector:
        params.mmproj.path = projector
    params.model_alias = {options["alias"]}
    params.hostnames = ["127.0.0.1"]
    params.port = options["port"]
    # Without it only /health is answered.
    params.api_keys = [os.environ["LLAMA_API_KEY"]]
    params.n_ctx = options["n_ctx"]
    params.n_parallel = options["n_parallel"]
    # A caption goes on to its end or the context's. In one context for all, whoever runs into its
    # end breaks off everybody's.
    params.kv_unified = not projector
    params.n_predict = options["n_predict"]
    params.n_batch = params.n_ubatch = _BATCH_TOKENS_WITH_IMAGES if projector else _BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options["threads"]
    params.n_threads_http = _HTTP_THREADS
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
