# The two commands: `make demo` and `make test`. Everything is installed into .venv, pinned by hash.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: demo up test check bench lock clean

demo: $(VENV)/embedded
	$(BIN)/racro demo

up: $(VENV)/embedded
	$(BIN)/racro up

test: $(VENV)/dev
	$(BIN)/python -m pytest

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/dev .bench-venv/installed
	$(BIN)/python -m benchmarks

# Every pinned requirement and its hashes, from the floors in pyproject.toml.
lock: $(VENV)/dev
	PATH="$(abspath $(BIN)):$$PATH" requirements/lock

clean:
	rm -rf $(VENV) .bench-venv

# A set is complete: nothing is resolved at install time, and nothing unpinned can come in.
$(VENV)/embedded $(VENV)/dev: $(VENV)/%: requirements/%.txt pyproject.toml | $(VENV)/created
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-build-isolation -e .
	@touch $@

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

.bench-venv/installed: requirements/bench.txt
	$(PYTHON) -m venv .bench-venv
	.bench-venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@
